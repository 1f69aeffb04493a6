"""Readings of a stay, read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_

from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound
from service.fields import canonical_id
from service.paging import cursor_instant, decode_cursor, encode_cursor, not_ours
from service.readings.store import reading_table, stay_table
from service.storage.session import ReadSession


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of readings of a stay with every column, newest first, and where the next page begins."""

    ward_id: str
    stay_id: str
    rows: Sequence[dict[str, Any]]
    next_cursor: str | None


async def list_readings(
    session: ReadSession,
    who: Principal,
    stay_id: str | None,
    observed_from: datetime | None,
    observed_to: datetime | None,
    limit: int,
    cursor: str | None,
) -> Page:
    """One page of a stay's readings with `from <= observed_at < to`; raises NotFound outside the caller's wards.

    `stay_id` None: what was asked for is no id at all."""
    if stay_id is None:
        raise NotFound
    in_sight = select(stay_table.c.ward_id).where(visible(who, stay_table), stay_table.c.id == stay_id)
    ward_id = (await session.execute(in_sight)).scalar()
    if ward_id is None:
        raise NotFound
    table = reading_table
    query = select(table).where(table.c.ward_id == ward_id, table.c.stay_id == stay_id)
    if observed_from is not None:
        query = query.where(table.c.observed_at >= observed_from)
    if observed_to is not None:
        query = query.where(table.c.observed_at < observed_to)
    if cursor is not None:
        place = (table.c.observed_at, table.c.id)
        # The values do not say how they are stored; the columns do.
        query = query.where(tuple_(*place) < tuple_(*_after(cursor), types=[each.type for each in place]))
    query = query.order_by(table.c.observed_at.desc(), table.c.id.desc()).limit(limit + 1)
    rows = [dict(row._mapping) for row in await session.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    further = encode_cursor(rows[-1]["observed_at"], rows[-1]["id"]) if more else None
    return Page(ward_id, stay_id, rows, further)


def _after(cursor: str) -> tuple[datetime, str]:
    observed_at, reading_id = decode_cursor(cursor, (str, str))
    if canonical_id(reading_id) is None:
        raise not_ours()
    return cursor_instant(observed_at), reading_id
