"""The tables are migrated under a service that runs: nothing is refused."""

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
