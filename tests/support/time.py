"""Clinical time that a test sets: put it in `app.state.clock`; and real time that a test lets pass."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from service.clock import real_now

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""A Sunday in winter, when clocks in London show UTC."""


@dataclass
class SettableClock:
    """Stands still until it is told to go on."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def seconds_until(self, at: datetime) -> float:
        return (at - self.at).total_seconds()

    def set(self, at: datetime) -> datetime:
        """Put the clock to an instant, which may lie before."""
        self.at = at
        return at

    def advance(self, **span: float) -> datetime:
        """Let time pass: `advance(minutes=61)`."""
        return self.set(self.at + timedelta(**span))


def later(**span: float) -> Any:
    """A context in which it is so much later everywhere in this process, and stays so: `later(minutes=16)`."""
    return time_machine.travel(real_now() + timedelta(**span), tick=False)
