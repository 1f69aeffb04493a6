"""Claiming a ward's time-driven work for a while, so that replicas do not do it side by side.

A lease is a courtesy between replicas, not the guarantee: whoever works looks again under the row's lock whether
something is still due. So one that runs out while its holder still works, or whose holder was killed, costs time
and nothing else. Real time."""

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update

from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.tables import METADATA

LEASE = METADATA.tables["work_lease"]
LASTS = timedelta(seconds=15)
"""A killed replica's work is taken over after this time."""


async def claim(database: Database, ward_id: str, kind: str, holder: str, now: datetime) -> bool:
    """Whether this kind of the ward's work is the holder's now, until it is released or LASTS has passed."""
    if database.is_embedded:
        return True  # one process: there is nobody else
    until = now + LASTS
    row = {"ward_id": ward_id, "kind": kind, "holder": holder, "until": until}
    mine = and_(LEASE.c.ward_id == ward_id, LEASE.c.kind == kind)
    async with database.writes.begin() as connection:
        first = await connection.execute(
            insert_or_skip(connection, LEASE, ("ward_id", "kind")).values(row).returning(LEASE.c.holder)
        )
        if first.one_or_none() is not None:
            return True
        # Waits for nobody: one who is writing the same row has just claimed it.
        free = mine & or_(LEASE.c.until <= now, LEASE.c.holder == holder)
        held = select(LEASE.c.ward_id).where(free).with_for_update(skip_locked=True)
        if (await connection.execute(held)).one_or_none() is None:
            return False
        await connection.execute(update(LEASE).where(mine).values(holder=holder, until=until))
    return True


async def release(database: Database, ward_id: str, kind: str, holder: str) -> None:
    """Give it back; nothing happens if somebody else has taken it over."""
    if database.is_embedded:
        return
    async with database.writes.begin() as connection:
        mine = and_(LEASE.c.ward_id == ward_id, LEASE.c.kind == kind, LEASE.c.holder == holder)
        await connection.execute(delete(LEASE).where(mine))
