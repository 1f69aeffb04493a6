"""One change of one alert, with its reason: what becomes an event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class Change:
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
    def confirmed_now(self) -> bool:
        """This change confirmed it, whatever else it did."""
        return self.after.confirmed and not (self.before is not None and self.before.confirmed)
