"""A server that does not answer for a while, and then goes on as if nothing had been: a machine that stood still, a
disk that hung. Whatever is answered afterwards must have been committed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from service.errors import DatabaseUnavailable
from service.storage.committer import GroupCommitter
from service.storage.engine import Database, open_database
from tests.storage.desk import Desk, open_desk

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]

PATIENCE = 0.2
CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'wardwatch-write' AND pid <> pg_backend_pid()"
)


@dataclass
class Wire:
    """Passes on all that is asked, and what is answered only while `answers` is set; that the server hung up only if it
    `hangs_up`."""

    host: str
    port: int
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    hangs_up: bool = True
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, asking: asyncio.StreamReader, answered: asyncio.StreamWriter) -> None:
        answering, asked = await asyncio.open_connection(self.host, self.port)

        async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, held: bool) -> None:
            while some := await source.read(65536):
                if held:
                    await self.answers.wait()
                sink.write(some)
            if self.hangs_up or not held:
                sink.close()
            self.ended.set()

        await asyncio.gather(
            pass_on(asking, asked, held=False), pass_on(answering, answered, held=True), return_exceptions=True
        )
        answered.close()


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[Wire, Database]]:
    """The database at the other end of a wire, by one connection of each kind."""
    there = make_url(url)
    wire = Wire(there.host or "", there.port or 5432)
    wire.answers.set()
    async with await asyncio.start_server(wire.carry, "127.0.0.1", 0) as server:
        here = there.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        opened = open_database(here.render_as_string(hide_password=False), 1, answers_within=PATIENCE)
        yield wire, opened
        wire.answers.set()
        await opened.close()


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with open_desk(database) as made:
        yield made


@asynccontextmanager
async def committing(desk: Desk, url: str) -> AsyncIterator[tuple[Wire, GroupCommitter[str, str]]]:
    """A committer at the end of a wire, which has committed something; stopped at the end."""
    async with wired(url) as (wire, database):
        committer = GroupCommitter[str, str](database, desk.work, lambda _: None, 1, 10)
        await committer.start()
        assert await committer.submit("ward", "before") == "kept before"
        yield wire, committer
        await committer.stop()


@pytest.mark.hazard("H1")
async def test_a_group_after_a_begin_that_was_not_answered_is_committed_before_it_is_answered(
    desk: Desk, database_url: str
) -> None:
    async with committing(desk, database_url) as (wire, committer):
        wire.answers.clear()
        with pytest.raises(DatabaseUnavailable):
            await committer.submit("ward", "lost")
        wire.answers.set()
        assert await committer.submit("ward", "after") == "kept after"
        assert await desk.kept() == {"before", "after"}


@pytest.mark.hazard("H1")
async def test_a_server_that_said_goodbye_is_unavailable_though_the_line_still_stands(
    desk: Desk, database_url: str
) -> None:
    async with committing(desk, database_url) as (wire, committer):
        wire.hangs_up = False
        async with desk.database.writes.connect() as rival:
            await rival.execute(CUT)
        async with asyncio.timeout(60):
            await wire.ended.wait()
        assert await desk.kept() == {"before"}  # by now its last word was read
        with pytest.raises(DatabaseUnavailable):
            await committer.submit("ward", "lost")
        assert await committer.submit("ward", "after") == "kept after"
    assert await desk.kept() == {"before", "after"}
