"""Queries on the feed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.feed.numbering import EVENT, FEED


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One numbered event; `data` is JSON text, passed on as it was stored."""

    number: int
    type: str
    at: datetime
    subject_type: str
    subject_id: str
    actor_id: str | None
    data: str


_COLUMNS = (
    EVENT.c.number,
    EVENT.c.type,
    EVENT.c.at,
    EVENT.c.subject_type,
    EVENT.c.subject_id,
    EVENT.c.actor_id,
    cast(EVENT.c.data, Text).label("data"),
)
_FIND_FEED = select(FEED.c.epoch, FEED.c.last_number).where(FEED.c.ward_id == bindparam("in_ward"))
_LIST = (
    select(*_COLUMNS)
    .where(EVENT.c.ward_id == bindparam("in_ward"), EVENT.c.number > bindparam("after"))
    .order_by(EVENT.c.number)
    .limit(bindparam("at_most"))
)
_LIST_OF_SUBJECT = _LIST.where(EVENT.c.subject_id == bindparam("subject"))


async def find_feed(session: AsyncSession, ward_id: str) -> tuple[str, int] | None:
    """(epoch, last number) of a ward's feed, or None."""
    row = (await session.execute(_FIND_FEED, {"in_ward": ward_id})).one_or_none()
    return (row[0], row[1]) if row else None


async def list_events(session: AsyncSession, ward_id: str, after: int, limit: int) -> list[StoredEvent]:
    """A ward's events with a number above `after`, in order, at most `limit`."""
    found = await session.execute(_LIST, {"in_ward": ward_id, "after": after, "at_most": limit})
    return [StoredEvent(*row) for row in found]


async def list_events_of(
    session: AsyncSession, ward_id: str, subject_id: str, after: int, limit: int
) -> list[StoredEvent]:
    """One subject's events on its ward with a number above `after`, in order, at most `limit`."""
    found = await session.execute(
        _LIST_OF_SUBJECT, {"in_ward": ward_id, "subject": subject_id, "after": after, "at_most": limit}
    )
    return [StoredEvent(*row) for row in found]
