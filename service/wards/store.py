"""Queries on wards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound
from service.storage.tables import METADATA

WARD = METADATA.tables["ward"]
FEED = METADATA.tables["ward_feed"]
STAFF = METADATA.tables["staff"]
MEMBERSHIP = METADATA.tables["membership"]


@dataclass(frozen=True, slots=True)
class Ward:
    """A virtual ward. `time_zone` is an IANA name."""

    id: str
    name: str
    ods_code: str | None
    time_zone: str
    phone: str | None
    out_of_hours_text: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works on a ward."""

    id: str
    name: str
    role: str


_COLUMNS = tuple(WARD.c[name] for name in Ward.__dataclass_fields__)


async def get_ward(session: AsyncSession, who: Principal, ward_id: str, *, lock: bool = False) -> Ward:
    """A ward the principal may see; raises NotFound. `lock` holds it until the transaction ends."""
    query = select(*_COLUMNS).where(WARD.c.id == ward_id, visible(who, WARD))
    # NO KEY UPDATE: rows that refer to the ward can still be inserted meanwhile.
    found = (await session.execute(query.with_for_update(key_share=True) if lock else query)).one_or_none()
    if found is None:
        raise NotFound
    return Ward(*found)


async def list_wards(session: AsyncSession, who: Principal, after: str | None, limit: int) -> list[Ward]:
    """The wards the principal may see, oldest first, from the one after `after`."""
    query = select(*_COLUMNS).where(visible(who, WARD)).order_by(WARD.c.id).limit(limit)
    if after is not None:
        query = query.where(WARD.c.id > after)
    return [Ward(*row) for row in await session.execute(query)]


async def list_ward_names(session: AsyncSession, who: Principal) -> dict[str, str]:
    """The names of the wards the principal works on, or is cared for by, by id."""
    wards = who.ward_ids if who.home is None else (who.home.ward_id,)
    query = select(WARD.c.id, WARD.c.name).where(WARD.c.id.in_(wards)).order_by(WARD.c.id)
    return {row.id: row.name for row in await session.execute(query)}


async def list_members(session: AsyncSession, who: Principal, ward_id: str) -> list[Member]:
    """The active staff of a ward, by name."""
    query = (
        select(STAFF.c.id, STAFF.c.name, MEMBERSHIP.c.role)
        .join(MEMBERSHIP, MEMBERSHIP.c.staff_id == STAFF.c.id)
        .where(MEMBERSHIP.c.ward_id == ward_id, visible(who, MEMBERSHIP), STAFF.c.active)
        .order_by(STAFF.c.name, STAFF.c.id)
    )
    return [Member(*row) for row in await session.execute(query)]


async def insert_ward(session: AsyncSession, ward: Ward, epoch: str, at: datetime) -> None:
    """The ward and its feed, which starts at number 0 of the epoch."""
    row = {name: getattr(ward, name) for name in Ward.__dataclass_fields__}
    await session.execute(insert(WARD).values(**row, created_at=at))
    await session.execute(insert(FEED).values(ward_id=ward.id, epoch=epoch))


async def update_ward(session: AsyncSession, ward_id: str, changes: Mapping[str, Any]) -> None:
    """Write the changed columns; whoever keeps the ward's cover in memory reads it again."""
    newer = {**changes, "cover_version": WARD.c.cover_version + 1}
    await session.execute(update(WARD).where(WARD.c.id == ward_id).values(newer))
