"""How long people have: to acknowledge, to make contact, and until an acknowledgement without contact
expires. A ward's rule set says how long, its service hours when the time of what is not urgent counts.

All times are a design decision, need CSO sign-off; 30 and 60 min follow the NEWS2 responses (RCP 2017)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.calendar import DAY, Span, Timetable
from alerts.severity import Channel, Family, Severity

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


class Response(NamedTuple):
    """How long people have for an alert: to acknowledge it and to make contact (None: no contact is asked for) from
    when it came, and until an acknowledgement without contact expires."""

    acknowledge: timedelta
    contact: timedelta | None
    expires: timedelta


class Responses(NamedTuple):
    """How long people have by severity, and for whatever the technical desk looks after."""

    low: Response = Response(timedelta(hours=24), None, timedelta(hours=24))
    medium: Response = Response(timedelta(hours=2), timedelta(hours=4), timedelta(hours=4))
    high: Response = Response(timedelta(minutes=30), timedelta(minutes=60), timedelta(minutes=60))
    critical: Response = Response(timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=30))
    technical: Response = Response(timedelta(hours=1), None, timedelta(hours=4))

    def to(self, family: Family, severity: Severity) -> Response:
        """How long people have for an alert of this family and severity."""
        return self.technical if family.channel == Channel.TECHNICAL else self[severity - Severity.LOW]


USUAL_RESPONSES = Responses()


class HumanLimits(NamedTuple):
    """What the limits for people follow from: how long they have, and when the ward works."""

    responses: Responses = USUAL_RESPONSES
    hours: ServiceHours = DAILY


USUAL_LIMITS = HumanLimits()
"""On a ward that has said nothing."""


def acknowledge_by(family: Family, severity: Severity, at: datetime, limits: HumanLimits) -> datetime:
    """The limit to acknowledge an alert that became this severe `at` an instant."""
    given, medium = limits.responses.to(family, severity), limits.responses.medium
    if _urgent(family, severity):
        return at + given.acknowledge
    return _in_service_hours(at, given.acknowledge, medium.acknowledge, limits.hours)


def contact_by(family: Family, severity: Severity, at: datetime, limits: HumanLimits) -> datetime | None:
    """The limit for a human contact with the person; None where none is asked for (low, technical)."""
    within = limits.responses.to(family, severity).contact
    if within is None:
        return None
    return at + within if _urgent(family, severity) else limits.hours.add(at, within)


def acknowledgement_expires(family: Family, severity: Severity, at: datetime, limits: HumanLimits) -> datetime:
    """When an acknowledgement given `at` an instant stops protecting the alert, unless contact is
    recorded."""
    given, medium = limits.responses.to(family, severity), limits.responses.medium
    if _urgent(family, severity):
        return at + given.expires
    return _in_service_hours(at, given.expires, medium.expires, limits.hours)


def repeat_after(family: Family, severity: Severity, limits: HumanLimits) -> timedelta:
    """How long the last step of an escalation waits before it is taken again: as long as people have to
    acknowledge."""
    return limits.responses.to(family, severity).acknowledge


def after_limit(
    family: Family, severity: Severity, limit: datetime, duration: timedelta, hours: ServiceHours
) -> datetime:
    """The instant `duration` after a limit that has passed: by the clock for what is urgent, in service time for medium
    and low."""
    return limit + duration if _urgent(family, severity) else hours.add(limit, duration)


def _urgent(family: Family, severity: Severity) -> bool:
    """Does the clock always run?"""
    return severity >= Severity.HIGH or family.channel == Channel.TECHNICAL


def _in_service_hours(at: datetime, within: timedelta, medium: timedelta, hours: ServiceHours) -> datetime:
    """The limit for what is not urgent. Low: the last moment of service time up to `within` after `at` (the next board
    round), but never sooner than a medium alert would be due. For a medium one `within` is `medium`: no service time
    before that is later, so its own limit holds."""
    soonest, working = hours.add(at, medium), hours.last_until(at + within, at)
    return soonest if working is None else max(soonest, working)
