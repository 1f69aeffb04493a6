"""Whether the database can be used by this release, now."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import update

from service.fields import NIL_ID
from service.logs import get_logger
from service.storage.engine import Database, name_and_clock, open_database
from service.storage.faults import is_unavailable
from service.storage.migrations import current, head, known, second_line
from service.storage.migrations.second_line import SecondLine
from service.storage.tables import METADATA

log = get_logger(__name__)

FEED = METADATA.tables["ward_feed"]

PATIENCE_SECONDS = 3
"""A database that takes longer than this to answer is not ready."""

Standing = Literal["unreachable", "read_only", "not_migrated", "behind", "ahead", "ready"]

EXPLANATIONS: dict[Standing, str] = {
    "unreachable": "The database cannot be reached.",
    "read_only": "The database cannot be written to.",
    "not_migrated": "The database is not migrated: run `wardwatch migrate`.",
    "behind": "The database is at an older step than this release needs: run `wardwatch migrate`.",
    "ahead": "The database was migrated by a newer release than this one.",
    "ready": "The database is ready.",
}


async def standing(database: Database) -> Standing:
    """Where the database stands; asks it to write, though nothing is changed."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await _migrated(database)
    except Exception as problem:
        if isinstance(problem, TimeoutError) or is_unavailable(problem):
            return "unreachable"
        raise
    if found not in ("ready", "ahead"):
        return found
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await _write_nothing(database)
    except Exception as problem:
        log.warning("database_not_writable", error=type(problem).__name__)
        return "read_only"
    return found


async def _migrated(database: Database) -> Standing:
    step = await current(database)
    if step is None:
        return "not_migrated"
    if step == head():
        return "ready"
    return "behind" if step in known() else "ahead"


async def _write_nothing(database: Database) -> None:
    """A write transaction like any other that happens to meet no row."""
    async with database.writes.begin() as connection:
        await connection.execute(update(FEED).where(FEED.c.ward_id == NIL_ID).values(last_number=0))


@dataclass(frozen=True, slots=True)
class Facts:
    """What `wardwatch check` shows of a database; no `version` and `clock` when it cannot be reached."""

    standing: Standing
    version: str = ""
    clock: datetime | None = None
    second_line: SecondLine | None = None


async def facts(url: str) -> Facts:
    """Look at the database at `url`."""
    database = open_database(url, 1)
    if missing := _missing(database):
        return Facts(missing)
    try:
        found = await standing(database)
        if found == "unreachable":
            return Facts(found)
        version, clock = await name_and_clock(database)
        return Facts(found, version, clock, await _second_line(database) if found == "ready" else None)
    finally:
        await database.close()


async def _second_line(database: Database) -> SecondLine:
    if database.is_embedded:
        return second_line.NONE_HERE
    async with database.reads.connect() as connection:
        return await second_line.look(connection)


def _missing(database: Database) -> Standing | None:
    """A SQLite file that is not there: opening it would make an empty one."""
    if not database.is_embedded or (file := Path(str(database.url.database))).exists():
        return None
    return "not_migrated" if file.parent.is_dir() else "unreachable"
