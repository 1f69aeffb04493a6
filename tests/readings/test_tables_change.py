"""The tables are migrated under a service that runs: nothing is refused."""

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.support.wards import Partner


async def test_a_table_that_grows_under_the_running_service_refuses_no_reading(app: FastAPI, partner: Partner) -> None:
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=90)
    async with app.state.database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE reading ADD COLUMN later INTEGER DEFAULT 7 NOT NULL"))
        await connection.execute(text("ALTER TABLE alert ADD COLUMN later INTEGER"))
        await connection.execute(text("ALTER TABLE event ADD COLUMN later INTEGER"))
    for spo2 in (88, 97, 98):
        await partner.kept(stay_id, spo2=spo2)
    async with app.state.database.reads.connect() as connection:
        later = (await connection.execute(text("SELECT later FROM reading"))).scalars()
    assert list(later) == [7, 7, 7, 7]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_column_that_goes_while_the_server_starts_anew_refuses_no_reading_after_that(
    app: FastAPI, partner: Partner
) -> None:
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=97)
    async with app.state.database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE reading DROP COLUMN copied_from"))
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await connection.execute(text(f"{cut} AND pid <> pg_backend_pid()"))
    assert (await partner.send(stay_id, spo2=96)).status_code in (201, 503)
    for spo2 in (95, 96, 97):
        await partner.kept(stay_id, spo2=spo2)
