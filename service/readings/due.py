"""When a stay has to be looked at though nothing arrives, and what the watch over it remembers."""

from datetime import datetime, timedelta
from functools import lru_cache

import orjson

from alerts.passing import next_due_at
from alerts.record import Record
from alerts.watch import Watch, begin_watch, dump_watch, load_watch
from service.fields import END_OF_TIME
from service.logs import get_logger
from service.readings.store import Due, LockedStay

log = get_logger(__name__)

TRY_AGAIN = timedelta(minutes=5)
"""A stay on which the engine failed is tried again after this time."""


def watch_of(stay: LockedStay, now: datetime) -> Watch:
    """The watch over a stay. One that was never watched (of an earlier release) is watched from now on, and so is one
    whose watch cannot be read."""
    if stay.watch is not None:
        try:
            return _read(stay.watch)
        except (KeyError, ValueError, TypeError) as problem:
            log.error("watch_unreadable", stay_id=stay.id, error=type(problem).__name__)
    return begin_watch(stay.admitted_at, now)._replace(plan_version=stay.plan_version, paused_until=stay.paused_until)


@lru_cache(maxsize=20_000)
def _read(stored: str) -> Watch:
    """The watch in its column, which seldom changes from one reading to the next."""
    return load_watch(orjson.loads(stored))


def written(watch: Watch) -> str:
    """The watch as it is stored."""
    return orjson.dumps(dump_watch(watch)).decode()


def due_of(stay: LockedStay, before: Watch, record: Record, looked_at: datetime | None) -> Due | None:
    """When the stay is due from now on; None when that need not be written.

    Written when it is sooner than was known, or when the watch has moved on. A stay that is looked at (`looked_at`) too
    early is put off then, so that readings that only put it off, which is most of them, write nothing."""
    known, due_at = stay.due_at, next_due_at(record) or END_OF_TIME
    watch = record.watch or before
    moved = watch is not before or stay.watch is None
    if looked_at is None and known is not None and known <= due_at and not moved:
        return None
    if looked_at is not None and due_at <= looked_at:
        log.error("still_due", stay_id=stay.id)
        due_at = looked_at + TRY_AGAIN
    if due_at == known and not moved:
        return None
    return Due(stay.ward_id, stay.id, due_at, written(watch) if moved else stay.watch)
