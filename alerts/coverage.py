"""When a ward works and who is on duty: the calendar behind limits, escalation and what a patient reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.calendar import DAY, Stretch, Timetable
from alerts.limits import DAILY, ServiceHours

HORIZON = timedelta(days=60)
"""How far ahead a change is looked for."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty, and until when without a break."""

    staff_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Coverage:
    """The ward's service hours, and whose shifts there are in the zone of those hours.

    Without a calendar of its own a ward works 08:00-20:00 daily and nobody is known to be on duty."""

    hours: ServiceHours = DAILY
    shifts: Timetable = field(default_factory=Timetable)

    def on_duty(self, at: datetime) -> tuple[OnDuty, ...]:
        """Who is on duty at an instant, each once, by id."""
        now = self.shifts.around(at, self.hours.zone)
        people = sorted({str(each.staff_id) for each in now})
        return tuple(OnDuty(person, self._until(person, at)) for person in people)

    def watched(self, at: datetime) -> bool:
        """Whether anybody is on duty."""
        return bool(self.shifts.around(at, self.hours.zone))

    def next_change(self, at: datetime) -> datetime | None:
        """The first instant after `at` at which the ward opens or closes, or somebody comes or goes; None when
        nothing changes within the horizon."""
        now = self._state(at)
        for edge in self._edges(at):
            if self._state(edge) != now:
                return edge
        return None

    def _state(self, at: datetime) -> tuple[bool, frozenset[str | None]]:
        return self.hours.open_at(at), frozenset(each.staff_id for each in self.shifts.around(at, self.hours.zone))

    def _edges(self, at: datetime) -> Iterator[datetime]:
        """Every instant after `at` at which something begins or ends, in order, as far as the horizon."""
        day, last = (_day_of(instant, self.hours.zone) for instant in (at, at + HORIZON))
        while day <= last:
            # What ends on a day began on it or on the one before.
            near = [each for begins in (day - DAY, day) for each in self._begin_on(begins)]
            edges = {edge for each in near for edge in (each.starts, each.ends)}
            yield from sorted(edge for edge in edges if edge > at and _day_of(edge, self.hours.zone) == day)
            day += DAY

    def _begin_on(self, day: date) -> list[Stretch]:
        zone = self.hours.zone
        return [*self.hours.table.stretches(day, zone), *self.shifts.stretches(day, zone)]

    def _until(self, person: str, at: datetime) -> datetime:
        """The end of the person's shift at `at`, or of those that follow without a break."""
        until = at
        while until - at < HORIZON:
            now = [each.ends for each in self.shifts.around(until, self.hours.zone) if each.staff_id == person]
            if not now:
                break
            until = max(now)
        return until


def _day_of(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
