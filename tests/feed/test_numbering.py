"""Every change of a ward gets the next number: no gap, no number twice, visible in order."""

import asyncio
from datetime import timedelta

import pytest

from service.feed.numbering import (
    CountsDelta,
    NewEvent,
    Standing,
    WardEvents,
    append_events,
    append_for_wards,
    counts_delta,
    total,
)
from service.fields import new_id
from service.storage.engine import Database
from tests.queue.scene import BEGAN, Scene, open_scene


def happened(n: int = 0) -> NewEvent:
    return NewEvent("test.happened", BEGAN + timedelta(seconds=n), "test", new_id(), {"n": n})


async def test_numbers_are_gapless_under_twenty_writers(database: Database) -> None:
    scene = await open_scene(database)

    async def write(n: int) -> list[int]:
        lasts = []
        for k in range(5):
            async with database.writes.begin() as connection:
                lasts.append(
                    await append_events(
                        connection,
                        scene.ward_id,
                        [happened(n) for _ in range(1 + (n + k) % 3)],
                        CountsDelta(open=1),
                    )
                )
        return lasts

    lasts = await asyncio.gather(*(write(n) for n in range(20)))
    numbers = [event.number for event in await scene.events()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert max(max(each) for each in lasts) == len(numbers)
    assert all(each == sorted(each) for each in lasts)
    assert (await scene.position()).counts["open"] == 100


async def test_a_writer_that_fails_leaves_no_gap(database: Database) -> None:
    scene = await open_scene(database)
    with pytest.raises(ZeroDivisionError):
        async with database.writes.begin() as connection:
            await append_events(connection, scene.ward_id, [happened()])
            raise ZeroDivisionError
    async with database.writes.begin() as connection:
        assert await append_events(connection, scene.ward_id, [happened()]) == 1


async def test_wards_are_numbered_apart(database: Database) -> None:
    scenes: list[Scene] = [await open_scene(database) for _ in range(3)]
    async with database.writes.begin() as connection:
        numbers = await append_for_wards(
            connection,
            {scene.ward_id: WardEvents([happened(k) for k in range(n)]) for n, scene in enumerate(scenes)},
        )
    assert numbers == {scenes[1].ward_id: 1, scenes[2].ward_id: 2}


async def test_writers_of_the_same_wards_wait_for_each_other_in_no_circle(database: Database) -> None:
    scenes = [await open_scene(database) for _ in range(6)]

    async def write(n: int) -> None:
        mine = sorted(scenes, key=lambda scene: hash((scene.ward_id, n)))[:4]
        for _ in range(4):
            async with database.writes.begin() as connection:
                new = {scene.ward_id: WardEvents([happened(n)], CountsDelta(high=1)) for scene in mine}
                assert (await append_for_wards(connection, new)).keys() == new.keys()

    await asyncio.gather(*(write(n) for n in range(12)))
    for scene in scenes:
        numbers = [event.number for event in await scene.events()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert (await scene.position()).counts["high"] == len(numbers) > 0


async def test_a_ward_without_a_feed_is_an_error(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.writes.begin() as connection:
            await append_events(connection, new_id(), [happened()])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, Standing("open", 4), CountsDelta(open=1, critical=1)),
        (Standing("open", 2), Standing("open", 3), CountsDelta(medium=-1, high=1)),
        (Standing("open", 3), Standing("acknowledged", 3), CountsDelta(open=-1, acknowledged=1)),
        (Standing("recovered", 3), Standing("resolved", 3), CountsDelta(recovered=-1, high=-1)),
        (Standing("resolved", 1), Standing("open", 1), CountsDelta(open=1, low=1)),
        (None, Standing("resolved", 1), CountsDelta()),
        (Standing("open", 1), Standing("open", 1), CountsDelta()),
    ],
)
def test_counts_follow_what_an_alert_was_and_is(
    before: Standing | None, after: Standing | None, expected: CountsDelta
) -> None:
    assert counts_delta(before, after) == expected


def test_counts_of_several_changes_add_up() -> None:
    assert total([CountsDelta(open=1), CountsDelta(open=1, low=2)]) == CountsDelta(open=2, low=2)
