"""One change of one alert, with its reason: what becomes an event."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerts.episode import Episode
from alerts.severity import Family, Severity


class Kind(StrEnum):
    """What a person is told happened; of several at once the first in this order."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"
    RECOVERED = "recovered"
    DOWNGRADED = "downgraded"
    UPDATED = "updated"
    SNOOZE_ENDED = "snooze_ended"


class Reminder(NamedTuple):
    """The reading of a slot has not come: the person is asked for it, `at` an instant. It can fill the slot `until`;
    after that there is nothing to remind of."""

    slot: datetime
    at: datetime
    until: datetime


class Change(NamedTuple):
    """At most one per family and reading (or per wait that ran out). `before` is None for a new alert; `at`
    is the receipt, or the instant a wait ran out; `reading_id` is None when time or a person caused it."""

    kind: Kind
    transition: str
    reason: str
    family: Family
    at: datetime
    before: Episode | None
    after: Episode
    reading_id: str | None

    @property
    def severity_before(self) -> Severity | None:
        """None for a new alert."""
        return None if self.before is None else self.before.severity

    @property
    def ended_snooze(self) -> bool:
        """This change ended a snooze, whatever else it did."""
        snoozed = self.before is not None and self.before.snoozed_until is not None
        return snoozed and self.after.snoozed_until is None and self.after.unresolved
