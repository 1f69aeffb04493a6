"""The shared check of feed numbers: fresh for whoever asks, one read for all who wait, no harm from those who
leave."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from service.feed.numbering import append_events
from service.feed.positions import Positions, Wakeups, epoch_of
from service.fields import new_id
from service.storage.engine import Database, open_database
from tests.feed.test_numbering import happened
from tests.queue.scene import Scene, open_scene
from tests.support.statements import heard


async def append(scene: Scene) -> int:
    async with scene.database.writes.begin() as connection:
        return await append_events(connection, scene.ward_id, [happened()])


@pytest.fixture
async def positions(database: Database) -> AsyncIterator[Positions]:
    shared = Positions(database)
    yield shared
    await shared.close()


async def test_everybody_who_waits_shares_one_read(database: Database, positions: Positions) -> None:
    scene = await open_scene(database)
    said: list[str] = []
    with heard(database.looks, lambda _connection, statement: said.append(statement)):
        found = await asyncio.gather(*(positions.current([scene.ward_id]) for _ in range(32)))
    assert {each[scene.ward_id].number for each in found} == {0}
    assert len([each for each in said if "ward_feed" in each]) == 1


async def test_what_was_committed_before_asking_is_always_seen(database: Database, positions: Positions) -> None:
    """Thirty askers at a time, while a writer goes on: nobody is ever told an older number than they know
    of."""
    scene = await open_scene(database)
    written = 0

    async def ask() -> None:
        for _ in range(20):
            known = written
            found = await positions.current([scene.ward_id])
            assert found[scene.ward_id].number >= known

    asking = [asyncio.create_task(ask()) for _ in range(30)]
    while not all(task.done() for task in asking):
        written = await append(scene)
    await asyncio.gather(*asking)


async def test_each_gets_the_wards_asked_for(database: Database, positions: Positions) -> None:
    one, two = await open_scene(database), await open_scene(database)
    await append(two)
    first, second, both, neither = await asyncio.gather(
        positions.current([one.ward_id]),
        positions.current([two.ward_id]),
        positions.current([one.ward_id, two.ward_id]),
        positions.current([new_id()]),
    )
    assert set(first) == {one.ward_id}
    assert second[two.ward_id].number == 1
    assert set(both) == {one.ward_id, two.ward_id}
    assert neither == {}
    assert epoch_of(both.values()).split(".") == sorted(each.epoch for each in both.values())


async def test_who_gives_up_disturbs_nobody(database: Database, positions: Positions) -> None:
    scene = await open_scene(database)
    asking = [asyncio.create_task(positions.current([scene.ward_id])) for _ in range(5)]
    await asyncio.wait(asking, timeout=0, return_when=asyncio.FIRST_COMPLETED)
    asking[0].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(each, dict) for each in found[1:])
    assert scene.ward_id in await positions.current([scene.ward_id])


async def test_a_database_that_fails_is_told_to_all_and_asked_again(database: Database, positions: Positions) -> None:
    scene = await open_scene(database)

    async def rename(before: str, after: str) -> None:
        async with database.writes.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    assert scene.ward_id in await positions.current([scene.ward_id])
    await rename("ward_feed", "elsewhere")
    found = await asyncio.gather(*(positions.current([scene.ward_id]) for _ in range(3)), return_exceptions=True)
    await rename("elsewhere", "ward_feed")
    assert [isinstance(each, Exception) for each in found] == [True, True, True]
    assert scene.ward_id in await positions.current([scene.ward_id])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.postgres
async def test_a_connection_that_was_lost_meanwhile_is_replaced_and_nobody_is_told(
    database: Database, positions: Positions
) -> None:
    scene = await open_scene(database)
    assert scene.ward_id in await positions.current([scene.ward_id])
    async with database.writes.begin() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wardwatch-read'"
        await connection.execute(text(f"{others} AND datname = current_database()"))
    found = await asyncio.gather(*(positions.current([scene.ward_id]) for _ in range(3)))
    assert all(scene.ward_id in each for each in found)


async def test_closing_leaves_nobody_waiting(database_url: str) -> None:
    database = open_database(database_url)
    positions = Positions(database)
    asking = asyncio.create_task(positions.current([new_id()]))
    await asyncio.wait([asking], timeout=0, return_when=asyncio.FIRST_COMPLETED)
    await positions.close()
    async with asyncio.timeout(60):
        await asyncio.gather(asking, return_exceptions=True)
    await database.close()


async def test_a_bell_rings_for_its_wards_only() -> None:
    wakeups = Wakeups()
    with wakeups.listening(["a", "b"]) as bell:
        wakeups.wake(["c"])
        assert not bell.is_set()
        wakeups.wake(["b"])
        assert bell.is_set()
    wakeups.wake(["a"])
    with pytest.raises(KeyError), wakeups.listening(["a"]):
        raise KeyError
