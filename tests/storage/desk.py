"""A committer that does real work, and a way to hold it up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.committer import GroupCommitter
from service.storage.direct import Where
from service.storage.engine import Database, open_database

KEPT = Table("kept", MetaData(), Column("name", String(80), primary_key=True), Column("position", Integer))


@dataclass
class Desk:
    """A committer that writes each item into a table. While a rival holds the database, the group under way
    has to wait for it; what arrives meanwhile waits for the next."""

    database: Database
    groups: list[list[str]] = field(default_factory=list)
    committed: list[list[str]] = field(default_factory=list)
    committer: GroupCommitter[str, str] = field(init=False)
    rival: AsyncConnection | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.make(capacity=1000)

    def make(self, capacity: int, committers: int = 1) -> None:
        self.committer = GroupCommitter(self.database, self.work, self.after, committers, capacity)

    async def work(self, connection: Where, items: Sequence[str]) -> Sequence[str]:
        self.groups.append(list(items))
        self.begun.set()
        await connection.execute(insert(KEPT), [{"name": n, "position": len(self.groups)} for n in items])
        return [f"kept {name}" for name in items]

    def after(self, results: Sequence[str]) -> None:
        self.committed.append(list(results))

    def send(self, name: str, ward: str = "ward", weight: int = 1) -> "asyncio.Task[str]":
        return asyncio.create_task(self.committer.submit(ward, name, weight))

    async def kept(self) -> set[str]:
        async with self.database.reads.connect() as connection:
            return set((await connection.execute(select(KEPT.c.name))).scalars())

    async def begun_groups(self, count: int) -> None:
        """Wait until so many groups were worked on."""
        while len(self.groups) < count:
            self.begun.clear()
            await self.begun.wait()

    async def busy(self, name: str = "first") -> "asyncio.Task[str]":
        """Send one item and hold it up, so that a group forms behind it."""
        other = open_database(self.database.url.render_as_string(hide_password=False), 1)
        self.rival = await other.writes.connect()
        lock = "SELECT 1" if self.database.is_embedded else "LOCK TABLE kept IN EXCLUSIVE MODE"
        await self.rival.execute(text(lock))
        self.begun.clear()
        task = self.send(name, "other")
        async with asyncio.timeout(60):
            await self.begun.wait()
        return task

    async def release(self) -> None:
        """Let the held-up item go on."""
        if self.rival is not None:
            rival, self.rival = self.rival, None
            await rival.rollback()
            await rival.close()
            await rival.engine.dispose()


@asynccontextmanager
async def open_desk(database: Database) -> AsyncIterator[Desk]:
    """A desk between start and stop."""
    async with database.writes.begin() as connection:
        await connection.run_sync(KEPT.metadata.create_all)
    made = Desk(database)
    await made.committer.start()
    yield made
    await made.release()
    await made.committer.stop()


@asynccontextmanager
async def slow_commits(database: Database) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """On a server: no commit that kept something ends before what is given is called."""
    async with database.writes.begin() as connection:
        for statement in _WAIT_AT_COMMIT:
            await connection.execute(text(statement))
    async with database.writes.connect() as rival:
        await rival.execute(text("SELECT pg_advisory_xact_lock(7)"))
        yield rival.rollback


_WAIT_AT_COMMIT = (
    "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON kept DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION wait_at_commit()",
)
