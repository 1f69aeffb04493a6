"""Signs of life: when each replica last finished a round of each kind of work. Real time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.tables import METADATA

HEARTBEAT = METADATA.tables["heartbeat"]
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of one kind of work of one replica."""

    replica_id: str
    kind: str
    at: datetime


async def beat(database: Database, replica_id: str, kind: str, at: datetime) -> None:
    """Write down that this work is being done."""
    async with database.writes.begin() as connection:
        changed = await connection.execute(
            update(HEARTBEAT)
            .where(HEARTBEAT.c.replica_id == replica_id, HEARTBEAT.c.kind == kind)
            .values(at=at)
            .returning(HEARTBEAT.c.kind)
        )
        if changed.one_or_none() is None:
            row = {"replica_id": replica_id, "kind": kind, "at": at}
            await connection.execute(insert_or_skip(connection, HEARTBEAT, ("replica_id", "kind")).values(row))


async def list_beats(database: Database) -> list[Beat]:
    """The signs of life of all replicas."""
    async with database.reads.connect() as connection:
        found = await connection.execute(select(HEARTBEAT.c.replica_id, HEARTBEAT.c.kind, HEARTBEAT.c.at))
        return [Beat(*row) for row in found]


async def forget(database: Database, replica_id: str, now: datetime) -> None:
    """Remove the signs of life of a replica that stops, and of those killed long ago, so that nobody misses them."""
    gone = (HEARTBEAT.c.replica_id == replica_id) | (HEARTBEAT.c.at < now - FORGOTTEN_AFTER)
    async with database.writes.begin() as connection:
        await connection.execute(delete(HEARTBEAT).where(gone))
