"""Reading slots: the times of day at which a plan asks for a reading, as instants in the ward's time zone, and which of
them a reading has filled."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from alerts.reading import Reading

FILLED_FROM = timedelta(hours=2)
FILLED_UNTIL = timedelta(hours=4)
"""Before and after its time a slot can be filled (design decision, needs CSO sign-off)."""

_DAY = timedelta(days=1)


def slots_between(times: tuple[str, ...], zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The slots from `start` up to and including `end`, in order, in UTC.

    A time of day that the clocks skip is the instant it would have been (an hour later by the new time); one that comes
    twice counts the first time; two times that fall on one instant are one slot."""
    place = ZoneInfo(zone)
    day, last = start.astimezone(place).date() - _DAY, end.astimezone(place).date() + _DAY
    found: set[datetime] = set()
    while times and day <= last:
        found.update(slot for slot in _of_day(times, zone, day) if start <= slot <= end)
        day += _DAY
    return sorted(found)


@lru_cache(maxsize=256)
def longest_gap(times: tuple[str, ...]) -> timedelta:
    """The longest time between two slots by the ward's clock; a day for one slot a day. Raises ValueError for none."""
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in times]
    following = [*minutes[1:], minutes[0] + 24 * 60] if minutes else []
    return timedelta(minutes=max(after - before for before, after in zip(minutes, following, strict=True)))


def is_filled(slot: datetime, times: tuple[str, ...], zone: str, since: datetime, readings: Sequence[Reading]) -> bool:
    """Has a usable resting SpO2 that is not poor filled this slot? One reading fills one slot: in order of receipt,
    each the earliest that is still empty. Slots before `since` do not exist; those of the day before are enough."""
    first, oldest, newest = slot - FILLED_FROM, slot - _DAY - FILLED_FROM, slot + FILLED_UNTIL
    if not any(first <= reading.observed_at <= newest and reading.counts_for_spo2 for reading in readings):
        return False
    counting = [r for r in readings if oldest <= r.observed_at <= newest and r.counts_for_spo2]
    slots = slots_between(times, zone, max(since, slot - _DAY), slot)
    return slot in _filled(slots, sorted(counting, key=_receipt))


def _filled(slots: Sequence[datetime], readings: Iterable[Reading]) -> set[datetime]:
    empty, filled = list(slots), set[datetime]()
    for reading in readings:
        slot = next((slot for slot in empty if _fits(slot, reading.observed_at)), None)
        if slot is not None:
            empty.remove(slot)
            filled.add(slot)
    return filled


def _fits(slot: datetime, observed_at: datetime) -> bool:
    return slot - FILLED_FROM <= observed_at <= slot + FILLED_UNTIL


def _receipt(reading: Reading) -> tuple[datetime, datetime, str]:
    return reading.received_at, reading.observed_at, reading.id


@lru_cache(maxsize=4096)
def _of_day(times: tuple[str, ...], zone: str, day: date) -> tuple[datetime, ...]:
    place = ZoneInfo(zone)
    return tuple(datetime.combine(day, time.fromisoformat(text), place).astimezone(UTC) for text in times)
