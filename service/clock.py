"""The one place that asks the machine for the time.

*Clinical* time is what readings, alerts and limits live in; the demo runs it faster than real time.
*Real* time is for tokens, HTTP and everything outside the ward."""

from dataclasses import dataclass
from datetime import UTC, datetime


def real_now() -> datetime:
    """The real time now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Clinical time: `started_at` on the ward when the real time was `real_start`, running `speed` times as fast."""

    real_start: datetime
    started_at: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        """The clinical time now, aware, in UTC."""
        if self.speed == 1.0:
            return real_now() + (self.started_at - self.real_start)
        return self.started_at + (real_now() - self.real_start) * self.speed

    def seconds_until(self, at: datetime) -> float:
        """How many real seconds are left until a clinical instant; negative when it has passed."""
        return (at - self.now()).total_seconds() / self.speed


def real_clock() -> Clock:
    """Clinical time equal to real time: what every ward but the demo uses."""
    now = real_now()
    return Clock(now, now)
