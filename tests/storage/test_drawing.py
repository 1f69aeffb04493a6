"""Drawing the second line for a user who is not the server's superuser: as a hospital has it."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from service.fields import new_id
from service.settings import Settings
from service.storage.engine import open_database
from service.storage.migrations import migrate, second_line
from service.storage.readiness import Facts, facts
from service.storage.roles import Acting, Role
from service.storage.session import writing
from service.storage.tables import WardFeedRow, WardRow
from tests.conftest import SECRET_KEY, started
from tests.support.databases import ask
from tests.support.postgres import Server
from tests.support.time import START, SettableClock

pytestmark = pytest.mark.postgres


async def database_of(server: Server, rights: str) -> str:
    """The URL of an empty database that belongs to a user with these rights."""
    await ask(server.url(), f"CREATE ROLE hospital LOGIN PASSWORD 'for the test' {rights}")
    await ask(server.url(), "CREATE DATABASE hospital OWNER hospital")
    return f"postgresql://hospital:for the test@127.0.0.1:{server.port}/hospital"


async def line(url: str) -> second_line.SecondLine:
    found: Facts = await facts(url)
    assert found.standing == "ready"
    assert found.second_line is not None
    return found.second_line


async def add_wards(url: str) -> list[str]:
    database = open_database(url)
    ward_ids = [new_id(), new_id()]
    async with writing(database) as session:
        for ward_id in ward_ids:
            session.add(WardRow(id=ward_id, name="Respiratory", created_at=START))
            session.add(WardFeedRow(ward_id=ward_id, epoch=new_id()))
    await database.close()
    return ward_ids


async def wards_shown(url: str, *ward_ids: str) -> set[str]:
    database = open_database(url, served=True)
    acting = Acting(Role.TEAM, ward_ids)
    async with database.acting(lambda: acting).reads.connect() as connection:
        found = set((await connection.execute(text("SELECT CAST(id AS text) FROM ward"))).scalars())
    await database.close()
    return found


async def test_a_user_who_may_make_roles_gets_the_whole_line(postgres_server: Callable[..., Server]) -> None:
    url = await database_of(postgres_server(durable=False), "NOSUPERUSER CREATEROLE")
    await migrate(url)
    assert await line(url) == second_line.DRAWN
    here, _ = await add_wards(url)
    assert await wards_shown(url, here) == {here}
    assert await wards_shown(url) == set()
    await migrate(url)
    assert await line(url) == second_line.DRAWN


async def test_a_user_who_may_not_starts_all_the_same_and_is_told_what_to_ask_for(
    postgres_server: Callable[..., Server], clock: SettableClock
) -> None:
    server = postgres_server(durable=False)
    url = await database_of(server, "NOSUPERUSER NOCREATEROLE")
    await migrate(url)
    found = await line(url)
    assert not found.drawn
    wards = await add_wards(url)
    settings = Settings(database_url=url, secret_key=SECRET_KEY, timers=False)
    async with started(settings, clock) as app, app.state.served.writes.begin() as connection:
        assert await connection.scalar(text("SELECT current_user")) == "hospital"
    assert await wards_shown(url, wards[0]) == set(wards)

    remedy, then = found.detail.removeprefix(second_line.MISSING).split("; then ")
    assert then == "`wardwatch migrate`"
    for statement in remedy.split(";"):
        await ask(server.url("hospital"), statement)
    assert await line(url) == second_line.SecondLine(False, second_line.NOT_DRAWN)
    await migrate(url)
    assert await line(url) == second_line.DRAWN
    assert await wards_shown(url, wards[0]) == {wards[0]}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE patient DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE patient NO FORCE ROW LEVEL SECURITY",
        "REVOKE ALL ON ward_feed FROM wardwatch_team",
        "COMMENT ON TABLE alembic_version IS NULL",
    ],
)
async def test_what_is_missing_is_noticed_and_drawn_again(database_url: str, damage: str) -> None:
    assert await line(database_url) == second_line.DRAWN
    await ask(database_url, damage)
    assert not (await line(database_url)).drawn
    await migrate(database_url)
    assert await line(database_url) == second_line.DRAWN
