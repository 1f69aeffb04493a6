"""Group commit: what waits goes together, nobody pays for another's fault, and every sender is answered."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.exc import IntegrityError

from service.errors import DatabaseUnavailable, Overloaded
from service.storage.committer import GROUP_READINGS, HELD_SECONDS, GroupCommitter
from service.storage.direct import Where
from service.storage.engine import Database
from service.storage.waiting import WARD_SHARE
from tests.storage.desk import Desk, open_desk, slow_commits


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with open_desk(database) as made:
        yield made


async def test_a_lone_item_does_not_wait_for_company(desk: Desk) -> None:
    async with asyncio.timeout(60):
        assert await desk.send("a") == "kept a"
    assert desk.groups == [["a"]]
    assert await desk.kept() == {"a"}


async def test_what_waits_goes_into_one_transaction(desk: Desk) -> None:
    first = await desk.busy()
    waiting = [desk.send(f"w{n}") for n in range(32)]
    await asyncio.sleep(0)
    await desk.release()
    assert await asyncio.gather(first, *waiting) == ["kept first", *(f"kept w{n}" for n in range(32))]
    assert [len(group) for group in desk.groups] == [1, 32]


async def test_the_answer_comes_after_the_commit(desk: Desk) -> None:
    async def send(name: str) -> bool:
        await desk.send(name)
        return name in await desk.kept()

    assert all(await asyncio.gather(*(send(f"n{n}") for n in range(20))))


async def test_a_group_is_closed_once_it_holds_enough_readings(desk: Desk) -> None:
    first = await desk.busy()
    waiting = [desk.send(f"w{n}", weight=100) for n in range(6)]
    await asyncio.sleep(0)
    await desk.release()
    await asyncio.gather(first, *waiting)
    assert [len(group) for group in desk.groups] == [1, 3, 3]
    assert GROUP_READINGS == 256


async def test_a_poisoned_item_is_refused_alone(desk: Desk) -> None:
    await desk.send("poison")
    first = await desk.busy()
    waiting = [desk.send("poison" if n == 5 else f"w{n}") for n in range(16)]
    await asyncio.sleep(0)
    await desk.release()
    await first
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers.pop(5), IntegrityError)
    assert answers == [f"kept w{n}" for n in range(16) if n != 5]
    assert await desk.kept() == {"poison", "first", *(f"w{n}" for n in range(16) if n != 5)}
    assert [len(group) for group in desk.groups] == [1, 1, 16, 8, 4, 4, 2, 1, 1, 2, 8]
    assert await desk.send("later") == "kept later"


async def test_two_culprits_are_found_both(desk: Desk) -> None:
    await asyncio.gather(desk.send("x"), desk.send("y"))
    first = await desk.busy()
    waiting = [desk.send(name) for name in ("a", "x", "b", "c", "d", "y", "e")]
    await asyncio.sleep(0)
    await desk.release()
    answers = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [isinstance(answer, IntegrityError) for answer in answers[1:]] == [n in (1, 5) for n in range(7)]


async def test_a_full_queue_refuses_and_keeps_nothing_of_it(desk: Desk) -> None:
    await desk.committer.stop()
    desk.make(capacity=8)
    await desk.committer.start()
    first = await desk.busy()
    waiting = [desk.send(f"w{n}", ward=f"ward {n % 2}") for n in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await desk.send("too many", ward="ward 3")
    await desk.release()
    await asyncio.gather(first, *waiting)
    assert "too many" not in await desk.kept()
    assert await desk.send("now", ward="ward 3") == "kept now"


async def test_a_flood_of_one_ward_leaves_room_and_a_turn_for_the_others(desk: Desk) -> None:
    await desk.committer.stop()
    desk.make(capacity=1000)
    await desk.committer.start()
    first = await desk.busy()
    flood = [desk.send(f"a{n}", ward="A") for n in range(1000)]
    await asyncio.sleep(0)
    single = desk.send("single", ward="B")
    await asyncio.sleep(0)
    await desk.release()
    assert await single == "kept single"
    answers = await asyncio.gather(first, *flood, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 1000 - 1000 * WARD_SHARE
    assert "single" in desk.groups[1][:2], "B's item was behind the flood of A"


async def test_stopping_answers_what_waits_and_takes_nothing_more(desk: Desk) -> None:
    first = await desk.busy()
    waiting = [desk.send(f"w{n}") for n in range(600)]
    await asyncio.sleep(0)
    stopping = asyncio.create_task(desk.committer.stop())
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await desk.send("late")
    await desk.release()
    await stopping
    assert all(task.done() for task in (first, *waiting))
    assert len(await desk.kept()) == 601
    assert not desk.committer.alive


async def test_a_sender_that_goes_away_does_not_take_the_group_with_it(desk: Desk) -> None:
    first = await desk.busy()
    waiting = [desk.send(f"w{n}") for n in range(4)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    first.cancel()
    await asyncio.sleep(0)
    await desk.release()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, str)] == ["kept w0", "kept w2", "kept w3"]
    assert await desk.send("later") == "kept later"
    assert {"first", "w1"} <= await desk.kept()
    assert desk.committer.alive


async def test_a_fault_after_the_commit_is_not_the_senders(desk: Desk) -> None:
    def broken(_results: Sequence[str]) -> None:
        raise RuntimeError("nobody to wake")

    await desk.committer.stop()
    desk.committer = GroupCommitter(desk.database, desk.work, broken, committers=1, capacity=10)
    await desk.committer.start()
    assert await desk.send("a") == "kept a"
    assert await desk.send("b") == "kept b"


@pytest.fixture
async def shut(database: Database) -> AsyncIterator[tuple[GroupCommitter[str, str], set[str]]]:
    """A committer, and the names of what cannot be worked on."""
    names: set[str] = set()

    async def work(_connection: Where, items: Sequence[str]) -> Sequence[str | None]:
        return [None if name in names else name for name in items]

    committer = GroupCommitter[str, str](database, work, lambda _: None, committers=1, capacity=100, patience=2)
    await committer.start()
    yield committer, names
    names.clear()
    await committer.stop()


async def test_what_cannot_be_worked_on_is_tried_again_and_nothing_waits_for_it(
    shut: tuple[GroupCommitter[str, str], set[str]],
) -> None:
    committer, names = shut
    names.add("held")
    held = asyncio.create_task(committer.submit("ward", "held"))
    for n in range(20):
        assert await committer.submit("ward", str(n)) == str(n)
    assert not held.done()
    names.clear()
    async with asyncio.timeout(60):
        assert await held == "held"


async def test_what_is_held_is_answered_before_it_stops(shut: tuple[GroupCommitter[str, str], set[str]]) -> None:
    committer, names = shut
    names.add("held")
    held = asyncio.create_task(committer.submit("ward", "held"))
    assert await committer.submit("ward", "free") == "free"
    stopping = asyncio.create_task(committer.stop())
    await asyncio.sleep(0)
    names.clear()
    async with asyncio.timeout(60):
        await stopping
        assert await held == "held"


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_held_is_answered_before_it_stops_though_a_commit_takes_longer(desk: Desk) -> None:
    """On a server: an embedded database has one writer, and nothing is held while another commits."""
    shut = {"held"}

    async def work(connection: Where, items: Sequence[str]) -> Sequence[str | None]:
        if shut.issuperset(items):
            desk.groups.append(list(items))
            desk.begun.set()
            return [None for _ in items]
        return await desk.work(connection, items)

    committer = GroupCommitter[str, str](desk.database, work, lambda _: None, committers=2, capacity=100)
    await committer.start()
    async with slow_commits(desk.database) as end:
        slow = asyncio.create_task(committer.submit("ward", "slow"))
        async with asyncio.timeout(60):
            await desk.begun_groups(1)
        held = asyncio.create_task(committer.submit("ward", "held"))
        async with asyncio.timeout(60):
            await desk.begun_groups(2)
        stopping = asyncio.create_task(committer.stop())
        # Its time to be tried again comes and passes: a loop's timers fire in the order in which they are due.
        await asyncio.sleep(2 * HELD_SECONDS)
        shut.clear()
        await end()
        async with asyncio.timeout(60):
            await stopping
        assert await asyncio.wait_for(asyncio.gather(slow, held), 5) == ["kept slow", "kept held"]


async def test_what_is_held_for_too_long_is_unavailable(
    shut: tuple[GroupCommitter[str, str], set[str]],
) -> None:
    committer, names = shut
    names.add("held")
    async with asyncio.timeout(60):
        with pytest.raises(DatabaseUnavailable):
            await committer.submit("ward", "held")


async def test_items_stay_in_the_order_in_which_they_came(database: Database) -> None:
    """However many groups are committed side by side."""
    order: list[str] = []

    async def work(_connection: Where, items: Sequence[str]) -> Sequence[str]:
        order.extend(items)
        return items

    committer = GroupCommitter[str, str](database, work, lambda _: None, committers=4, capacity=10_000)
    await committer.start()
    sent = [str(n) for n in range(200)]
    await asyncio.gather(*(committer.submit("ward", name, weight=10) for name in sent))
    await committer.stop()
    assert order == sent


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_the_next_group_works_while_one_waits_for_the_disk(desk: Desk) -> None:
    """But no more than may be committed side by side; on a server, for an embedded database has one writer."""
    await desk.committer.stop()
    desk.make(capacity=1000, committers=2)
    await desk.committer.start()
    async with slow_commits(desk.database) as end:
        waiting = []
        for number, name in enumerate(("a", "b", "c"), 1):
            waiting.append(desk.send(name))
            async with asyncio.timeout(60):
                await desk.begun_groups(min(number, 2))
        assert desk.groups == [["a"], ["b"]]
        assert not any(task.done() for task in waiting)
        await end()
        assert await asyncio.gather(*waiting) == ["kept a", "kept b", "kept c"]
