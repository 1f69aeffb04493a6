"""Changes of rights and sessions, as every replica hears of them.

Whoever ends a session, an account or a role notes whose it was, in the same transaction. Every replica asks every two
seconds whom that concerns, and looks those up again. So a known token costs no database, and still ends at once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from service.clock import real_now
from service.logs import get_logger
from service.storage.direct import Where
from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.tables import METADATA

log = get_logger(__name__)

LOOK_SECONDS = 2.0
SLACK = timedelta(seconds=15)
"""What was looked up until this long after a change is looked up again: the change may not have been committed by then,
and another machine's clock may be ahead."""

CHANGE = METADATA.tables["access_change"]
_SUBJECT = ("subject_kind", "subject_id")

Subject = tuple[str, str]
"""Kind and id."""


async def note(session: Where, kind: str, subject_id: str, at: datetime) -> None:
    """What this principal may do has changed, or one of its sessions has ended. `at` is real time."""
    row = {"subject_kind": kind, "subject_id": subject_id, "at": at}
    same = (CHANGE.c.subject_kind == kind, CHANGE.c.subject_id == subject_id)
    changed = await session.execute(update(CHANGE).where(*same).values(at=at).returning(CHANGE.c.at))
    if changed.first() is None:
        await session.execute(insert_or_skip(session, CHANGE, _SUBJECT).values(row))


async def list_since(database: Database, since: datetime) -> dict[Subject, datetime]:
    """Who changed at or after `since`, and when."""
    async with database.reads.connect() as connection:
        found = await connection.execute(
            select(CHANGE.c.subject_kind, CHANGE.c.subject_id, CHANGE.c.at).where(CHANGE.c.at >= since)
        )
        return {(kind, subject_id): at for kind, subject_id, at in found}


class Listener:
    """Looks for changes as long as it runs, and hands them on."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="access changes")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        failing_since: datetime | None = None
        while True:
            try:
                await self._look()
                failing_since = None
            except Exception as problem:
                # What is remembered ends by itself within the minute, so nothing is kept alive by a lost database.
                if failing_since is None:
                    failing_since = real_now()
                    log.warning("access_changes_unknown", error=type(problem).__name__)
            await asyncio.sleep(LOOK_SECONDS)
