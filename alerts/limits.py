"""How long people have: to acknowledge, to make contact, and until an acknowledgement without contact
expires.

All times are a design decision, need CSO sign-off; 30 and 60 min follow the NEWS2 responses (RCP 2017)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.calendar import DAY, Span, Timetable
from alerts.severity import Channel, Family, Severity

_TECHNICAL_ACKNOWLEDGE = timedelta(hours=1)
_TECHNICAL_EXPIRY = timedelta(hours=4)

_ACKNOWLEDGE = {
    Severity.CRITICAL: timedelta(minutes=15),
    Severity.HIGH: timedelta(minutes=30),
    Severity.MEDIUM: timedelta(hours=2),
    Severity.LOW: timedelta(hours=24),
}
_CONTACT = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(minutes=60),
    Severity.MEDIUM: timedelta(hours=4),
}
_EXPIRY = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(minutes=60),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=24),
}


ROUND_THE_CLOCK = Timetable(((Span(time(0), time(0)),),) * 7)
EIGHT_TO_EIGHT = Timetable(((Span(time(8), time(20)),),) * 7)


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """When the ward works, in its own time zone, an IANA name. The week's hours are not empty, so that every limit
    in service hours falls due. Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone when used."""

    zone: str = "Europe/London"
    table: Timetable = EIGHT_TO_EIGHT

    def open_at(self, at: datetime) -> bool:
        """Whether the ward works at an instant."""
        return bool(self.table.around(at, self.zone))

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The instant by which `duration` of service time has passed since `start`. Elapsed hours count, so
        a day on which the clocks change is as long as it really is."""
        left, day = duration, self._day(start) - DAY
        while True:
            for each in self.table.stretches(day, self.zone):
                begins = max(each.starts, start)
                if begins + left <= each.ends:
                    return begins + left
                left -= max(each.ends - begins, timedelta(0))
            day += DAY

    def last_until(self, at: datetime, start: datetime) -> datetime | None:
        """The last instant of service time from `start` up to and including `at`; None when there is none."""
        day = self._day(at)
        while day >= self._day(start) - DAY:
            for each in reversed(self.table.stretches(day, self.zone)):
                if each.starts <= at and each.ends > start:
                    return min(each.ends, at)
            day -= DAY
        return None

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()


DAILY = ServiceHours()
"""Without a calendar: 08:00-20:00 every day (design decision, needs CSO sign-off)."""


def acknowledge_by(family: Family, severity: Severity, at: datetime, hours: ServiceHours) -> datetime:
    """The limit to acknowledge an alert that became this severe `at` an instant."""
    if family.channel == Channel.TECHNICAL:
        return at + _TECHNICAL_ACKNOWLEDGE
    return _after(severity, at, _ACKNOWLEDGE, hours)


def contact_by(family: Family, severity: Severity, at: datetime, hours: ServiceHours) -> datetime | None:
    """The limit for a human contact with the person; None where none is asked for (low, technical)."""
    if family.channel == Channel.TECHNICAL or severity not in _CONTACT:
        return None
    return _after(severity, at, _CONTACT, hours)


def acknowledgement_expires(family: Family, severity: Severity, at: datetime, hours: ServiceHours) -> datetime:
    """When an acknowledgement given `at` an instant stops protecting the alert, unless contact is
    recorded."""
    if family.channel == Channel.TECHNICAL:
        return at + _TECHNICAL_EXPIRY
    return _after(severity, at, _EXPIRY, hours)


def repeat_after(family: Family, severity: Severity) -> timedelta:
    """How long the last step of an escalation waits before it is taken again: as long as people have to
    acknowledge."""
    return _TECHNICAL_ACKNOWLEDGE if family.channel == Channel.TECHNICAL else _ACKNOWLEDGE[severity]


def after_limit(
    family: Family, severity: Severity, limit: datetime, duration: timedelta, hours: ServiceHours
) -> datetime:
    """So long after a limit that has passed: of service time where nothing urgent waits (medium and low), else of
    the clock."""
    urgent = family.channel == Channel.TECHNICAL or severity >= Severity.HIGH
    return limit + duration if urgent else hours.add(limit, duration)


def _after(severity: Severity, at: datetime, limits: Mapping[Severity, timedelta], hours: ServiceHours) -> datetime:
    """Critical and high: always. Medium: in service hours. Low: within the day, while the ward still works (the next
    board round), but never sooner than medium."""
    if severity >= Severity.HIGH:
        return at + limits[severity]
    medium = hours.add(at, limits[Severity.MEDIUM])
    if severity == Severity.MEDIUM:
        return medium
    working = hours.last_until(at + limits[severity], at)
    return medium if working is None else max(medium, working)
