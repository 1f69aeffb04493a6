"""Reading slots: the times of day at which a plan asks for a reading, as instants in the ward's time zone, and which of
them a reading has filled."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

from alerts.reading import Reading
from alerts.watch import USUAL, WatchLimits

_DAY = timedelta(days=1)

_receipt = attrgetter("received_at", "observed_at", "id")


def slots_between(times: tuple[str, ...], zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The slots from `start` up to and including `end`, in order, in UTC.

    A time of day that the clocks skip is the instant it would have been (an hour later by the new time); one that comes
    twice counts the first time; two times that fall on one instant are one slot."""
    place = ZoneInfo(zone)
    around = _of_days(times, zone, start.astimezone(place).date() - _DAY, end.astimezone(place).date() + _DAY)
    return list(around[bisect_left(around, start) : bisect_right(around, end)])


@lru_cache(maxsize=256)
def longest_gap(times: tuple[str, ...]) -> timedelta:
    """The longest time between two slots by the ward's clock; a day for one slot a day. Raises ValueError for none."""
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in times]
    following = [*minutes[1:], minutes[0] + 24 * 60] if minutes else []
    return timedelta(minutes=max(after - before for before, after in zip(minutes, following, strict=True)))


def is_filled(
    slot: datetime,
    times: tuple[str, ...],
    zone: str,
    since: datetime,
    readings: Sequence[Reading],
    limits: WatchLimits = USUAL,
) -> bool:
    """Has a usable resting SpO2 that is not poor filled this slot? One reading fills one slot: in order of receipt,
    each the earliest that is still empty. Slots before `since` do not exist; those of the day before are enough."""
    first, newest = slot - limits.before, slot + limits.until
    oldest = first - _DAY
    near = [r for r in readings if oldest <= r.observed_at <= newest and r.counts_for_spo2]
    if not any(reading.observed_at >= first for reading in near):
        return False
    slots = slots_between(times, zone, max(since, slot - _DAY), slot)
    return slot in _filled(slots, sorted(near, key=_receipt), limits)


def _filled(slots: Sequence[datetime], readings: Iterable[Reading], limits: WatchLimits) -> list[datetime]:
    empty, filled = list(slots), []
    before, until = limits.before, limits.until
    for reading in readings:
        earliest, latest = reading.observed_at - until, reading.observed_at + before
        slot = next((slot for slot in empty if earliest <= slot <= latest), None)
        if slot is not None:
            empty.remove(slot)
            filled.append(slot)
    return filled


@lru_cache(maxsize=4096)
def _of_days(times: tuple[str, ...], zone: str, day: date, last: date) -> tuple[datetime, ...]:
    """Every slot of the days from one to another, both included, in order."""
    place, found = ZoneInfo(zone), set()
    while day <= last:
        found |= {datetime.combine(day, time.fromisoformat(text), place).astimezone(UTC) for text in times}
        day += _DAY
    return tuple(sorted(found))
