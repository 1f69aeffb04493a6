"""Group commit when the database has troubles of its own: lost races, lost connections, nobody there."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from service.errors import DatabaseUnavailable
from service.storage.committer import GroupCommitter
from service.storage.direct import Where
from service.storage.engine import Database, open_database
from tests.storage.desk import KEPT, Desk, open_desk

pytestmark = pytest.mark.usefixtures("nothing_is_left_for_the_next_test")
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with open_desk(database) as made:
        yield made


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
        sent = asyncio.create_task(committer.submit("ward", "a"))
        await asyncio.wait_for(twice.wait(), 60)
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
            await committer.submit("ward", "a")
    assert await committer.submit("ward", "b") == "b"
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


async def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path}/no/such/folder/ward.db"):
        desk = Desk(open_database(url))
        await desk.committer.start()
        with pytest.raises(DatabaseUnavailable):
            await desk.send("a")
        await desk.committer.stop()
        await desk.database.close()
    # The thread of a file that could not be opened says goodbye to this test's loop.
    for thread in threading.enumerate():
        if "_connection_worker" in thread.name:
            await asyncio.to_thread(thread.join, 5)


async def test_while_another_program_holds_the_file_nobody_waits_for_more_than_one_try(tmp_path: Path) -> None:
    """And who has waited behind one for too long is not even tried."""
    database = open_database(f"sqlite:///{tmp_path}/ward.db", served=True)
    tried: asyncio.Queue[None] = asyncio.Queue()
    event.listen(database.writes.sync_engine, "checkout", lambda *_: tried.put_nowait(None))

    async def work(connection: Where, items: Sequence[str]) -> Sequence[str]:
        await connection.execute(text("SELECT 1"))
        return items

    committer = GroupCommitter[str, str](database, work, lambda _: None, 1, 10, patience=1)
    await committer.start()
    assert await committer.submit("ward", "before") == "before"
    with closing(sqlite3.connect(tmp_path / "ward.db", isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(committer.submit("ward", "first"))
        for _ in range(2):
            await asyncio.wait_for(tried.get(), 60)
        behind = asyncio.create_task(committer.submit("ward", "behind"))
        answers = await asyncio.wait_for(asyncio.gather(first, behind, return_exceptions=True), 60)
        assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 2
        assert tried.empty()
    assert await committer.submit("ward", "after") == "after"
    await committer.stop()
    await database.close()
