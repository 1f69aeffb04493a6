"""When a stay has to be looked at though nothing arrives."""

from datetime import UTC, datetime, timedelta

from alerts.record import Record
from service.logs import get_logger
from service.readings.store import Due, LockedStay

log = get_logger(__name__)

TRY_AGAIN = timedelta(minutes=5)
"""A stay on which the engine failed is tried again after this time."""
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Nothing is waited for. Never NULL, which means that nobody has looked yet."""


def next_due_at(record: Record) -> datetime | None:
    """When time alone will change something, as far as is known now."""
    return min((due for each in record.episodes.values() if (due := each.next_due_at) is not None), default=None)


def due_of(stay: LockedStay, record: Record, looked_at: datetime | None) -> Due | None:
    """When the stay is due from now on; None when that need not be written.

    Written when it is sooner than was known. A stay that is looked at (`looked_at`) too early is put off then, so that
    readings that only put it off, which is most of them, write nothing."""
    known, due_at = stay.due_at, next_due_at(record) or NEVER
    if looked_at is None and known is not None and known <= due_at:
        return None
    if looked_at is not None and due_at <= looked_at:
        log.error("still_due", stay_id=stay.id)
        due_at = looked_at + TRY_AGAIN
    return None if due_at == known else Due(stay.ward_id, stay.id, due_at)
