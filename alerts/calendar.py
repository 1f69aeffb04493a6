"""A ward's week and its special dates, by the ward's clock: stretches of time that become instants.

A day on which the clocks change is as long as it really is: a time that the clocks skip is the instant they skip it
at or after, one they show twice is its first showing, for an end as for a start."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
KNOWN_DAYS = 400
"""How many days of one timetable are remembered as instants."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a day. One that `ends` at or before it `starts` ends on the next day; both equal: 24 hours by the
    clock. `staff_id`: whose shift it is, None for the ward's own hours."""

    starts: time
    ends: time
    staff_id: str | None = None

    @property
    def minutes(self) -> tuple[int, int]:
        """From and to, in minutes after the midnight its day begins with; `to` may lie in the next day."""
        starts, ends = _minutes(self.starts), _minutes(self.ends)
        return starts, ends if ends > starts else ends + MINUTES_A_DAY


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span as it falls on one day: from `starts` (included) to `ends` (not included), in UTC."""

    starts: datetime
    ends: datetime
    staff_id: str | None


class _Days(dict[tuple[date, str], tuple[Stretch, ...]]):
    """What is known of days in a time zone: the same for every reading, so it is worked out once."""

    def keep(self, day: tuple[date, str], found: Sequence[Stretch]) -> tuple[Stretch, ...]:
        """Remember it; what was known is forgotten when there is too much of it."""
        if len(self) >= KNOWN_DAYS:
            self.clear()
        self[day] = tuple(found)
        return self[day]


Day = date | str
"""A date, or a weekday in lower case."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two spans of the same person, or of the ward, that overlap. `day` and `number` say which of them to name, by its
    day and its place in that day; `edge` which end of it is wrong, `starts` or `ends`."""

    day: Day
    number: int
    edge: str
    message: str


@dataclass(frozen=True, slots=True)
class Timetable:
    """Spans by weekday, Monday first, and by date: what a date says replaces what its weekday says.

    A span belongs to the day on which it begins."""

    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    dates: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    _begun: _Days = field(default_factory=_Days, init=False, repr=False, compare=False)
    _near: _Days = field(default_factory=_Days, init=False, repr=False, compare=False)

    @property
    def empty(self) -> bool:
        """Nothing is in it, on any day."""
        return not any(self.week) and not any(self.dates.values())

    def on(self, day: date) -> tuple[Span, ...]:
        """What begins on a day."""
        found = self.dates.get(day)
        return self.week[day.weekday()] if found is None else found

    def only(self, people: Collection[str]) -> "Timetable":
        """The same without the shifts of anybody else."""
        week = tuple(tuple(span for span in day if span.staff_id in people) for day in self.week)
        dates = {day: tuple(s for s in spans if s.staff_id in people) for day, spans in self.dates.items()}
        return Timetable(week, dates)

    def stretches(self, day: date, zone: str) -> tuple[Stretch, ...]:
        """What begins on a day, as instants in order. A span of which a change of the clocks leaves nothing is left
        out."""
        known = self._begun.get((day, zone))
        if known is None:
            found = (_stretch(span, day, ZoneInfo(zone)) for span in self.on(day))
            begun = sorted((each for each in found if each.starts < each.ends), key=lambda each: each.starts)
            known = self._begun.keep((day, zone), begun)
        return known

    def around(self, at: datetime, zone: str) -> list[Stretch]:
        """Those that hold an instant."""
        day = at.astimezone(UTC).date()
        known = self._near.get((day, zone))
        if known is None:
            # The day is another in the zone, by one at most; what begins on a day may end on the next.
            days = (day + number * DAY for number in (-2, -1, 0, 1))
            known = self._near.keep((day, zone), [each for begins in days for each in self.stretches(begins, zone)])
        return [each for each in known if each.starts <= at < each.ends]

    def clashes(self) -> list[Clash]:
        """Every overlap within a day or with the next day. A date stands in place of its weekday, also beside another
        day."""
        found = [clash for number, name in enumerate(WEEKDAYS) for clash in _within(name, self.week[number])]
        for number, name in enumerate(WEEKDAYS):
            found += _into_next(name, self.week[number], self.week[(number + 1) % 7])
        for day in sorted(self.dates):
            found += _within(day, self.dates[day])
            found += _into_next(day, self.dates[day], self.on(day + DAY))
            if day - DAY not in self.dates:
                found += _from_before(day, self.on(day - DAY), self.dates[day])
        return found


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _stretch(span: Span, day: date, zone: ZoneInfo) -> Stretch:
    last = day + DAY if span.ends <= span.starts else day
    starts = datetime.combine(day, span.starts, zone).astimezone(UTC)
    return Stretch(starts, datetime.combine(last, span.ends, zone).astimezone(UTC), span.staff_id)


def _within(day: Day, spans: Sequence[Span]) -> Iterator[Clash]:
    for number, span in enumerate(spans):
        for earlier in spans[:number]:
            if earlier.staff_id == span.staff_id and _overlap(earlier.minutes, span.minutes):
                yield Clash(day, number, "starts", "overlaps with another of the same day")


def _into_next(day: Day, spans: Sequence[Span], after: Sequence[Span]) -> Iterator[Clash]:
    for number, span in enumerate(spans):
        if any(_runs_into(span, other) for other in after):
            yield Clash(day, number, "ends", "runs into one of the next day")


def _from_before(day: Day, before: Sequence[Span], spans: Sequence[Span]) -> Iterator[Clash]:
    for number, span in enumerate(spans):
        if any(_runs_into(other, span) for other in before):
            yield Clash(day, number, "starts", "begins before one of the day before ends")


def _runs_into(span: Span, of_next_day: Span) -> bool:
    starts = of_next_day.minutes[0] + MINUTES_A_DAY
    return span.staff_id == of_next_day.staff_id and span.minutes[1] > starts


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
