"""What replayed stays add up to: alerts per patient-day, lead time before the true event, what two rule sets do
differently."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.replay import Raised, Replayed
from alerts.severity import Channel, Severity

BUDGET = 0.3
"""Clinical alerts per patient-day (design decision, needs CSO sign-off)."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What was true of a simulated stay: its kind, when a deterioration began that ends in the red, and when the true
    value reached the red limit. None where that never was."""

    kind: str
    falls_from: datetime | None = None
    red_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lived:
    """One stay under one rule set: how long it was on the ward, and the truth where it is known."""

    stay_id: str
    from_at: datetime
    until: datetime
    replayed: Replayed
    truth: Truth | None = None

    @property
    def days(self) -> float:
        """Patient-days."""
        return (self.until - self.from_at) / timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Load:
    """How much a rule set asks of a team. `alerts` and `calls` count by channel, the rule that led, and severity."""

    patient_days: float
    readings: int
    refused: int
    alerts: Counter[tuple[Channel, str, Severity]]
    calls: Counter[tuple[Channel, str, Severity]]

    def rate(
        self, *, channel: Channel | None = None, rule_id: str | None = None, severity: Severity | None = None
    ) -> float:
        """Alerts per patient-day of those that fit; 0 without patient-days."""
        return self._per_day(self.alerts, channel, rule_id, severity)

    def call_rate(
        self, *, channel: Channel | None = None, rule_id: str | None = None, severity: Severity | None = None
    ) -> float:
        """Calls per patient-day of those that fit: new alerts and those that called again."""
        return self._per_day(self.calls, channel, rule_id, severity)

    @property
    def within_budget(self) -> bool:
        """Are the clinical alerts within the budget?"""
        return self.rate(channel=Channel.CLINICAL) <= BUDGET

    def _per_day(
        self,
        counted: Counter[tuple[Channel, str, Severity]],
        channel: Channel | None,
        rule_id: str | None,
        severity: Severity | None,
    ) -> float:
        fitting = (
            number
            for (on, rule, how), number in counted.items()
            if channel in (None, on) and rule_id in (None, rule) and severity in (None, how)
        )
        return sum(fitting) / self.patient_days if self.patient_days else 0.0


class Found(StrEnum):
    """Was somebody called at HIGH or CRITICAL, from the beginning of the true deterioration on?"""

    BEFORE = "before"
    AFTER = "after"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Event:
    """A true deterioration and what was made of it. `lead`: how long before the true value reached red the first call
    at HIGH or CRITICAL came; negative when it came after, None when none came."""

    stay_id: str
    kind: str
    falls_from: datetime
    red_from: datetime
    called_at: datetime | None

    @property
    def lead(self) -> timedelta | None:
        """Positive before, negative after."""
        return None if self.called_at is None else self.red_from - self.called_at

    @property
    def found(self) -> Found:
        """Before the true value reached red, at that instant or after it, or not at all."""
        if self.called_at is None:
            return Found.MISSED
        return Found.BEFORE if self.called_at < self.red_from else Found.AFTER


class Side(StrEnum):
    """Which of two rule sets raised an alert."""

    ONLY_A = "only_a"
    ONLY_B = "only_b"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Compared:
    """An alert of one rule set beside the one the other raised at the same time for the same stay and family."""

    stay_id: str
    side: Side
    a: Raised | None
    b: Raised | None


def load_of(lives: Iterable[Lived]) -> Load:
    """The alarm load of these stays together."""
    days, readings, refused = 0.0, 0, 0
    alerts: Counter[tuple[Channel, str, Severity]] = Counter()
    calls: Counter[tuple[Channel, str, Severity]] = Counter()
    for life in lives:
        days += life.days
        readings += life.replayed.readings
        refused += life.replayed.refused
        alerts.update((each.family.channel, each.rule_id, each.severity) for each in life.replayed.raised)
        calls.update((each.family.channel, each.rule_id, each.severity) for each in life.replayed.calls)
    return Load(days, readings, refused, alerts, calls)


def event_of(life: Lived) -> Event | None:
    """The stay's true deterioration; None where there is none, or where the truth is not known.

    An alert from before the deterioration began was not about it: only clinical calls from then on count."""
    truth = life.truth
    if truth is None or truth.falls_from is None or truth.red_from is None:
        return None
    begins = truth.falls_from
    called_at = min(
        (
            call.at
            for call in life.replayed.calls
            if call.at >= begins and call.severity >= Severity.HIGH and call.family.channel == Channel.CLINICAL
        ),
        default=None,
    )
    return Event(life.stay_id, truth.kind, begins, truth.red_from, called_at)


def compare(a: Lived, b: Lived) -> list[Compared]:
    """The alerts of one stay under two rule sets: those of one family that stood at the same time are the same
    episode; an episode of one may be several of the other."""
    return [
        *(_side(a.stay_id, alert, _beside(alert, b.replayed.raised)) for alert in a.replayed.raised),
        *(
            Compared(b.stay_id, Side.ONLY_B, None, alert)
            for alert in b.replayed.raised
            if _beside(alert, a.replayed.raised) is None
        ),
    ]


def _side(stay_id: str, a: Raised, b: Raised | None) -> Compared:
    return Compared(stay_id, Side.ONLY_A if b is None else Side.BOTH, a, b)


def _beside(alert: Raised, others: Sequence[Raised]) -> Raised | None:
    """The other rule set's alert that stood at the same time as this one."""
    return next((other for other in others if other.family == alert.family and _overlap(alert, other)), None)


def _overlap(one: Raised, other: Raised) -> bool:
    ends_after = one.closed_at is None or other.opened_at <= one.closed_at
    begins_before = other.closed_at is None or one.opened_at <= other.closed_at
    return ends_after and begins_before
