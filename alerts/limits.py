"""How long people have: to acknowledge, to make contact, and until an acknowledgement without contact
expires.

All times are a design decision, need CSO sign-off; 30 and 60 min follow the NEWS2 responses (RCP 2017)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.severity import Channel, Family, Severity

_DAY = timedelta(days=1)
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


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """When the ward works, every day, in its own time zone. `closes` at or before `opens` means the next day;
    both equal means round the clock. Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone when used."""

    opens: time = time(8)
    closes: time = time(20)
    zone: str = "Europe/London"

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The instant by which `duration` of service time has passed since `start`. Elapsed hours count, so
        a day on which the clocks change is as long as it really is."""
        left, day = duration, start.astimezone(ZoneInfo(self.zone)).date() - _DAY
        while True:
            opens, closes = self._on(day)
            begins = max(opens, start)
            if begins + left <= closes:
                return begins + left
            left -= max(closes - begins, timedelta(0))
            day += _DAY

    def _on(self, day: date) -> tuple[datetime, datetime]:
        zone = ZoneInfo(self.zone)
        last = day + _DAY if self.closes <= self.opens else day
        opens = datetime.combine(day, self.opens, zone)
        closes = datetime.combine(last, self.closes, zone)
        return opens.astimezone(UTC), closes.astimezone(UTC)


DAILY = ServiceHours()
"""Without a calendar: 08:00-20:00 every day (design decision, needs CSO sign-off)."""


def acknowledge_by(family: Family, severity: Severity, at: datetime, hours: ServiceHours) -> datetime:
    """The limit to acknowledge an alert that became this severe `at` an instant."""
    if family.channel == Channel.TECHNICAL:
        return at + _TECHNICAL_ACKNOWLEDGE
    return _after(severity, at, _ACKNOWLEDGE[severity], hours)


def contact_by(family: Family, severity: Severity, at: datetime, hours: ServiceHours) -> datetime | None:
    """The limit for a human contact with the person; None where none is asked for (low, technical)."""
    if family.channel == Channel.TECHNICAL or severity not in _CONTACT:
        return None
    return _after(severity, at, _CONTACT[severity], hours)


def acknowledgement_expires(family: Family, severity: Severity, at: datetime, hours: ServiceHours) -> datetime:
    """When an acknowledgement given `at` an instant stops protecting the alert, unless contact is
    recorded."""
    if family.channel == Channel.TECHNICAL:
        return at + _TECHNICAL_EXPIRY
    return _after(severity, at, _EXPIRY[severity], hours)


def _after(severity: Severity, at: datetime, duration: timedelta, hours: ServiceHours) -> datetime:
    return hours.add(at, duration) if severity == Severity.MEDIUM else at + duration
