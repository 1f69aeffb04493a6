"""The shared check of feed numbers: fresh for whoever asks, one read for all who wait, no harm from those who
leave."""

import asyncio

import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from service.feed.numbering import append_events
from service.feed.positions import Positions, Wakeups, epoch_of
from service.fields import new_id
from service.storage.engine import Database, open_database
from tests.feed.test_numbering import happened
from tests.queue.scene import Scene, open_scene


async def append(scene: Scene) -> int:
    async with scene.database.writes.begin() as connection:
        return await append_events(connection, scene.ward_id, [happened()])


class Reads:
    """How many statements the reading engine has run."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.reads.sync_engine, "before_cursor_execute", self._seen)

    def _seen(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.count += "ward_feed" in statement


async def test_everybody_who_waits_shares_one_read(database: Database) -> None:
    scene = await open_scene(database)
    positions, reads = Positions(database), Reads(database)
    found = await asyncio.gather(*(positions.current([scene.ward_id]) for _ in range(32)))
    assert {each[scene.ward_id].number for each in found} == {0}
    assert reads.count == 1


async def test_what_was_committed_before_asking_is_always_seen(database: Database) -> None:
    """Thirty askers at a time, while a writer goes on: nobody is ever told an older number than they know
    of."""
    scene = await open_scene(database)
    positions = Positions(database)
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


async def test_each_gets_the_wards_asked_for(database: Database) -> None:
    one, two = await open_scene(database), await open_scene(database)
    await append(two)
    positions = Positions(database)
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


async def test_who_gives_up_disturbs_nobody(database: Database) -> None:
    scene = await open_scene(database)
    positions = Positions(database)
    asking = [asyncio.create_task(positions.current([scene.ward_id])) for _ in range(5)]
    await asyncio.wait(asking, timeout=0, return_when=asyncio.FIRST_COMPLETED)
    asking[0].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(each, dict) for each in found[1:])
    assert scene.ward_id in await positions.current([scene.ward_id])


async def test_a_database_that_fails_is_told_to_all_and_asked_again(database: Database) -> None:
    scene = await open_scene(database)
    positions = Positions(database)

    def broken(_connection: object, _cursor: object, _statement: str, *_rest: object) -> None:
        raise SQLAlchemyError("gone")

    event.listen(database.reads.sync_engine, "before_cursor_execute", broken)
    found = await asyncio.gather(*(positions.current([scene.ward_id]) for _ in range(3)), return_exceptions=True)
    event.remove(database.reads.sync_engine, "before_cursor_execute", broken)
    assert all(isinstance(each, SQLAlchemyError) for each in found)
    assert scene.ward_id in await positions.current([scene.ward_id])


async def test_closing_leaves_nobody_waiting(database_url: str) -> None:
    database = open_database(database_url)
    positions = Positions(database)
    asking = asyncio.create_task(positions.current([new_id()]))
    await asyncio.wait([asking], timeout=0, return_when=asyncio.FIRST_COMPLETED)
    await positions.close()
    async with asyncio.timeout(5):
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
