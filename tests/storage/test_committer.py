"""Group commit: what waits goes together, nobody pays for somebody else's fault, and every sender gets an answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import DatabaseUnavailable, Overloaded
from service.storage.committer import GROUP_READINGS, GroupCommitter
from service.storage.engine import Database, open_database
from service.storage.inline import Where
from service.storage.waiting import WARD_SHARE, FairQueue, Waiting

KEPT = Table("kept", MetaData(), Column("name", String(80), primary_key=True), Column("position", Integer))
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@dataclass
class Desk:
    """A committer that writes each item into a table. While a rival holds the database, the group under way has
    to wait for it; what arrives meanwhile waits for the next."""

    database: Database
    groups: list[list[str]] = field(default_factory=list)
    committed: list[list[str]] = field(default_factory=list)
    committer: GroupCommitter[str, str] = field(init=False)
    rival: AsyncConnection | None = None

    def __post_init__(self) -> None:
        self.make(capacity=1000)

    def make(self, capacity: int) -> None:
        self.committer = GroupCommitter(self.database, self.work, self.after, committers=1, capacity=capacity)

    async def work(self, connection: Where, items: Sequence[str]) -> Sequence[str]:
        self.groups.append(list(items))
        await connection.execute(insert(KEPT), [{"name": n, "position": len(self.groups)} for n in items])
        return [f"kept {name}" for name in items]

    def after(self, results: Sequence[str]) -> None:
        self.committed.append(list(results))

    def send(self, name: str, ward: str = "ward", weight: int = 1) -> "asyncio.Task[str]":
        return asyncio.create_task(self.committer.submit(ward, name, name, weight))

    async def kept(self) -> set[str]:
        async with self.database.reads.connect() as connection:
            return set((await connection.execute(select(KEPT.c.name))).scalars())

    async def busy(self, name: str = "first") -> "asyncio.Task[str]":
        """Send one item and hold it up, so that a group forms behind it."""
        other = open_database(self.database.url.render_as_string(hide_password=False), 1)
        self.rival = await other.writes.connect()
        lock = "SELECT 1" if self.database.is_embedded else "LOCK TABLE kept IN EXCLUSIVE MODE"
        await self.rival.execute(text(lock))
        before, task = len(self.groups), self.send(name, "other")
        async with asyncio.timeout(5):
            while len(self.groups) == before:
                await asyncio.sleep(0)
        return task

    async def release(self) -> None:
        """Let the held-up item go on."""
        if self.rival is not None:
            rival, self.rival = self.rival, None
            await rival.rollback()
            await rival.close()
            await rival.engine.dispose()


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with database.writes.begin() as connection:
        await connection.run_sync(KEPT.metadata.create_all)
    made = Desk(database)
    await made.committer.start()
    yield made
    await made.release()
    await made.committer.stop()


async def test_a_lone_item_does_not_wait_for_company(desk: Desk) -> None:
    async with asyncio.timeout(5):
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


async def test_the_same_stay_always_goes_to_the_same_committer(database: Database) -> None:
    """So that its items stay in order; on SQLite there is one committer, for there is one writer."""
    order: dict[str, list[str]] = {}

    async def work(_connection: Where, items: Sequence[tuple[str, str]]) -> Sequence[str]:
        for stay, name in items:
            order.setdefault(stay, []).append(name)
        return [name for _, name in items]

    committer = GroupCommitter[tuple[str, str], str](
        database, work, lambda _: None, committers=4, capacity=1000
    )
    await committer.start()
    sent = [(f"stay {n % 7}", str(n)) for n in range(200)]
    await asyncio.gather(*(committer.submit("ward", stay, (stay, name)) for stay, name in sent))
    await committer.stop()
    assert order == {f"stay {k}": [name for stay, name in sent if stay == f"stay {k}"] for k in range(7)}


# The database's own troubles -------------------------------------------------------------------------------


@pytest.mark.postgres
@POSTGRESQL
async def test_a_group_that_lost_a_race_is_tried_again(desk: Desk) -> None:
    await desk.send("row")
    tries = 0
    twice = asyncio.Event()

    async def work(connection: Where, items: Sequence[str]) -> Sequence[str]:
        nonlocal tries
        tries += 1
        if tries == 2:
            twice.set()
        await connection.execute(select(KEPT).with_for_update(nowait=True))
        return list(items)

    committer = GroupCommitter[str, str](desk.database, work, lambda _: None, 1, 10)
    await committer.start()
    async with desk.database.writes.connect() as rival:
        await rival.execute(select(KEPT).with_for_update())
        sent = asyncio.create_task(committer.submit("ward", "stay", "a"))
        await twice.wait()
        await rival.rollback()
    assert await sent == "a"
    assert tries >= 2
    await committer.stop()


@pytest.mark.postgres
@POSTGRESQL
async def test_a_race_that_is_always_lost_ends_as_unavailable(desk: Desk) -> None:
    await desk.send("row")

    async def work(connection: Where, items: Sequence[str]) -> Sequence[str]:
        await connection.execute(select(KEPT).with_for_update(nowait=True))
        return list(items)

    committer = GroupCommitter[str, str](desk.database, work, lambda _: None, 1, 10)
    await committer.start()
    async with desk.database.writes.connect() as rival:
        await rival.execute(select(KEPT).with_for_update())
        with pytest.raises(DatabaseUnavailable):
            await committer.submit("ward", "stay", "a")
    assert await committer.submit("ward", "stay", "b") == "b"
    await committer.stop()


@pytest.mark.postgres
@POSTGRESQL
async def test_a_lost_connection_is_unavailable_for_the_whole_group_and_not_for_the_next(desk: Desk) -> None:
    first = await desk.busy()
    waiting = [desk.send(f"w{n}") for n in range(4)]
    await asyncio.sleep(0)
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'wardwatch-write' AND pid <> pg_backend_pid()"
    )
    assert desk.rival is not None
    await desk.rival.execute(cut)
    await desk.release()
    with pytest.raises(DatabaseUnavailable):
        await first
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(answer) for answer in answers} <= {str, DatabaseUnavailable}
    assert await desk.send("later") == "kept later"
    answered = {f"w{n}" for n, answer in enumerate(answers) if isinstance(answer, str)}
    assert await desk.kept() == {"later", *answered}
    assert desk.committer.alive


async def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: object) -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path}/no/such/folder/ward.db"):
        desk = Desk(open_database(url))
        await desk.committer.start()
        with pytest.raises(DatabaseUnavailable):
            await desk.send("a")
        await desk.committer.stop()
        await desk.database.close()


# The queue in front -----------------------------------------------------------------------------------------


def waiting_item(ward: str, name: str, weight: int = 1) -> Waiting[str, str]:
    return Waiting(ward, name, weight, asyncio.get_running_loop().create_future())


async def test_wards_take_turns_over_several_groups() -> None:
    queue = FairQueue[str, str](100, lambda _: "one")
    for ward, count in (("A", 6), ("B", 2), ("C", 1)):
        for n in range(count):
            queue.put(waiting_item(ward, f"{ward}{n}"))
    taken = []
    while queue.weight:
        taken.append([each.item for each in queue.take(2)])
    assert taken == [["A0", "B0"], ["C0", "A1"], ["B1", "A2"], ["A3", "A4"], ["A5"]]


async def test_a_group_never_spans_two_machines() -> None:
    queue = FairQueue[str, str](100, lambda ward: ward[0])
    for name in ("a1", "b1", "a2", "b2", "a1"):
        queue.put(waiting_item(name, name))
    groups = []
    while queue.weight:
        groups.append([each.item for each in queue.take(256)])
    assert sorted(map(sorted, groups)) == [["a1", "a1", "a2"], ["b1", "b2"]]


async def test_one_ward_alone_cannot_fill_the_queue() -> None:
    queue = FairQueue[str, str](8, lambda _: "one")
    for n in range(6):
        queue.put(waiting_item("A", f"A{n}"))
    with pytest.raises(Overloaded):
        queue.put(waiting_item("A", "A6"))
    queue.put(waiting_item("B", "B0"))
    queue.take(2)
    queue.put(waiting_item("A", "A7"))
    assert queue.weight == 6
