"""Readings of a ward in order of receipt, for records systems, and up to when that list is complete.

A reading is stamped with its receipt before it is committed, and several processes commit side by side: one with an
earlier receipt may become visible later. Two limits make a watermark possible. A group stamps nothing older than
`HOLDS` before it begins (who waited longer is stamped later), and what is not committed `SLOWEST` after that is
undone. So whatever can still appear was received after the oldest transaction that is now going on began, less both of
them and what clocks of several machines may differ by. On an embedded database the stamp is given while holding the
one write lock, and only `HOLDS` is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import select, tuple_

from service.fields import canonical_id, utc_text
from service.paging import cursor_instant, decode_cursor, encode_cursor, not_ours
from service.readings.store import reading_table
from service.readings.submission import Item
from service.storage.engine import Database, oldest_write
from service.storage.session import ReadSession

HOLDS = timedelta(seconds=15)
SLOWEST = timedelta(seconds=30)
CLOCKS_DIFFER = timedelta(seconds=15)

BEFORE_ANY = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReceivedPage:
    """Rows with every column in order of receipt, where the next page begins, and up to when the list is complete: a
    walk that begins again after the watermark misses nothing."""

    rows: Sequence[dict[str, Any]]
    next_cursor: str | None
    watermark: datetime


class Stamping:
    """The receipts of one group: made when it begins to be carried out, asked at its end whether they may stand."""

    def __init__(self, now: datetime) -> None:
        self._earliest = now - HOLDS
        self._began = perf_counter()

    def stamp(self, item: Item) -> Item:
        """The item, received no longer than `HOLDS` ago."""
        return item if item.received_at >= self._earliest else item._replace(received_at=self._earliest)

    def check(self) -> None:
        """Raises TimeoutError when the group took too long: its receipts may lie before a watermark already told."""
        if perf_counter() - self._began > SLOWEST.total_seconds():
            raise TimeoutError("the group took too long to be kept")


async def watermark(database: Database, now: datetime) -> datetime:
    """Up to when no further reading can appear. Ask before reading the list; `now` is clinical time."""
    going_on = await oldest_write(database)
    if database.is_embedded:
        return now - HOLDS
    return now - going_on - HOLDS - SLOWEST - CLOCKS_DIFFER


async def list_received(
    session: ReadSession,
    ward_id: str,
    received_after: datetime | None,
    complete_to: datetime,
    limit: int,
    cursor: str | None,
) -> ReceivedPage:
    """One page of a ward's readings received after an instant, by receipt, then id. What came after the watermark is
    listed too: read again from the watermark on. All pages of one walk tell the watermark of the first."""
    table = reading_table
    after = received_after or BEFORE_ANY  # by naming one it is the index by receipt that is used
    query = select(table).where(table.c.ward_id == ward_id, table.c.received_at > after)
    if cursor is not None:
        received_at, reading_id, complete_to = _after(cursor)
        place = (table.c.received_at, table.c.id)
        query = query.where(tuple_(*place) > tuple_(received_at, reading_id, types=[each.type for each in place]))
    query = query.order_by(table.c.received_at, table.c.id).limit(limit + 1)
    rows = [dict(row._mapping) for row in await session.execute(query)]
    more, rows = len(rows) > limit, rows[:limit]
    further = encode_cursor(utc_text(rows[-1]["received_at"]), rows[-1]["id"], utc_text(complete_to)) if more else None
    return ReceivedPage(rows, further, complete_to)


def _after(cursor: str) -> tuple[datetime, str, datetime]:
    received_at, reading_id, complete_to = decode_cursor(cursor, (str, str, str))
    if canonical_id(reading_id) is None:
        raise not_ours()
    return cursor_instant(received_at), reading_id, cursor_instant(complete_to)
