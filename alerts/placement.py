"""Where a reading stands among what is known of the stay: the newest, too old, or overtaken."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from alerts.case import Placement
from alerts.reading import STALE_AFTER, Context, Reading

_WITHOUT_EFFORT = (Context.REST, Context.SLEEP, Context.UNKNOWN)
_LIVE, _STALE, _RETROSPECTIVE = Placement.LIVE, Placement.STALE, Placement.RETROSPECTIVE


class Newest(NamedTuple):
    """The newest time of observation of any reading, and of those that count as a resting SpO2."""

    any_at: datetime | None = None
    resting_at: datetime | None = None

    def including(self, readings: Sequence[Reading]) -> "Newest":
        """The same, with these readings known as well; the oldest comes first."""
        any_at, resting_at = self.any_at, self.resting_at
        if readings and (any_at is None or readings[-1].observed_at > any_at):
            any_at = readings[-1].observed_at
        for reading in reversed(readings):
            if resting_at is not None and reading.observed_at <= resting_at:
                break
            if reading.counts_for_spo2:
                resting_at = reading.observed_at
        return Newest(any_at, resting_at)

    def reached_by(self, reading: Reading) -> bool:
        """Is this reading at least as new? An SpO2 is compared with resting SpO2s only: a newer pulse, a
        poor signal or a walk must not soften a red value."""
        compares_spo2 = reading.spo2 is not None and reading.context in _WITHOUT_EFFORT
        newest = self.resting_at if compares_spo2 else self.any_at
        return newest is None or reading.observed_at >= newest

    def rest_reached_by(self, reading: Reading) -> bool:
        """Is it at least as new as every resting SpO2, whatever else is newer?"""
        return self.resting_at is None or reading.observed_at >= self.resting_at


def placed(reading: Reading, newest: Newest) -> Placement:
    """`newest` includes what was received together with the reading."""
    if not newest.reached_by(reading):
        return _RETROSPECTIVE
    return _STALE if reading.received_at - reading.observed_at > STALE_AFTER else _LIVE
