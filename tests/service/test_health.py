"""Alive is about the process; ready is about what it needs."""

import asyncio

import httpx
import pytest
from alembic import command
from sqlalchemy import event, text

from service.fields import new_id
from service.problems import MEDIA_TYPE
from service.settings import Settings
from service.storage.engine import open_database
from service.storage.migrations import config, known, migrate, migrate_open
from service.storage.readiness import standing
from tests.conftest import SECRET_KEY, started


async def ready(app) -> httpx.Response:
    """What `/readyz` says now, not what it remembers."""
    app.state.readiness.forget()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://w.test") as client:
        return await client.get("/readyz")


def is_not_ready(answer: httpx.Response, because: str) -> bool:
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert int(answer.headers["retry-after"]) >= 1
    problem = answer.json()
    return (answer.status_code, problem["code"]) == (503, "not_ready") and because in problem["detail"]


async def test_a_migrated_database_and_running_committers_make_it_ready(app, client) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_an_empty_database_is_not_ready_but_the_process_is_alive(clock, empty_database_url) -> None:
    settings = Settings(database_url=empty_database_url, secret_key=SECRET_KEY, timers=False)
    async with started(settings, clock) as app:
        assert is_not_ready(await ready(app), "not migrated")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://w.test") as client:
            assert (await client.get("/livez")).json() == {"status": "alive"}


@pytest.mark.hazard("H11")
async def test_without_committers_it_is_not_ready(app) -> None:
    assert (await ready(app)).status_code == 200
    await app.state.intake.stop()
    assert is_not_ready(await ready(app), "not being committed")


async def test_a_database_behind_this_release_is_not_ready(empty_database_url) -> None:
    database = open_database(empty_database_url)
    async with database.writes.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), known()[-1]))
    assert await standing(database) == "behind"
    await migrate_open(database)
    assert await standing(database) == "ready"
    await database.close()


async def test_a_replica_goes_on_after_a_newer_release_has_migrated(app, database) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert (await ready(app)).status_code == 200
    assert await standing(database) == "ahead"


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_database_that_only_reads_is_not_ready(app, database, database_url: str) -> None:
    # A user who may not change the tables: for the service the same as a stand-by server.
    reader = f"reader_{new_id()[:8]}"
    async with database.writes.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {reader} LOGIN PASSWORD 'r'"))
        await connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {reader}"))
        await connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"))
    read_only = open_database(
        open_database(database_url).url.set(username=reader, password="r", drivername="postgresql")
        .render_as_string(hide_password=False)
    )  # fmt: skip
    try:
        assert await standing(read_only) == "read_only"
    finally:
        await read_only.close()
        async with database.writes.begin() as connection:
            await connection.execute(text(f"DROP OWNED BY {reader}"))
            await connection.execute(text(f"DROP ROLE {reader}"))


@pytest.mark.postgres
@pytest.mark.hazard("H11")
async def test_it_is_not_ready_while_the_server_is_down_and_ready_again_after(postgres_server, clock) -> None:
    server = postgres_server()
    await migrate(server.url())
    async with started(Settings(database_url=server.url(), secret_key=SECRET_KEY), clock) as app:
        assert (await ready(app)).status_code == 200
        server.stop("immediate")
        assert is_not_ready(await ready(app), "cannot be reached")
        server.start()
        assert (await ready(app)).status_code == 200


async def test_many_probes_at_once_are_one_check(app, client) -> None:
    checks = 0

    def count(*_: object) -> None:
        nonlocal checks
        checks += 1

    event.listen(app.state.served.writes.sync_engine, "begin", count)
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert checks <= 1
