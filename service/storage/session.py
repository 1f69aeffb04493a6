"""Sessions: ask for the weakest that does the job. The edge commits, before the answer leaves; nobody else does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from service.edge import visit_of
from service.storage.engine import Database
from service.storage.roles import NOBODY


class ReadSession(AsyncSession):
    """A session on a connection that cannot write."""


class WriteSession(ReadSession):
    """A session whose work is committed by the edge that opened it, all of it or nothing."""


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[ReadSession]:
    """A ReadSession, closed at the end."""
    async with ReadSession(database.reads, expire_on_commit=False) as session:
        yield session


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[WriteSession]:
    """A WriteSession: committed at the end, rolled back if anything is raised."""
    async with WriteSession(database.writes, expire_on_commit=False) as session:
        yield session
        await session.commit()


def database_of(request: Request) -> Database:
    """The application's database, on behalf of whoever sent the request: nobody, until a guard says who."""
    served: Database = request.app.state.served
    visit = visit_of(request.scope)
    return served.acting(lambda: visit.acting or NOBODY)


async def _read_session(request: Request) -> AsyncIterator[ReadSession]:
    async with reading(database_of(request)) as session:
        yield session


async def _write_session(request: Request) -> AsyncIterator[WriteSession]:
    async with writing(database_of(request)) as session:
        yield session


# scope="function": the session ends, and commits, before the answer is sent. The default would commit after it.
Reads = Annotated[ReadSession, Depends(_read_session, scope="function")]
Writes = Annotated[WriteSession, Depends(_write_session, scope="function")]
