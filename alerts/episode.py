"""The machine part of an alert: one episode of one rule family, from its first breach until it is
resolved."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerts.rule import LOW_OXYGEN, MEASURED_LOW, Input, Limit, Wait
from alerts.severity import Family, Severity


class State(StrEnum):
    """Where an episode stands (ISA-18.2, reduced)."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"
    RESOLVED = "resolved"


class Trace(NamedTuple):
    """What one rule has done in an episode. `active` until it is cleared; `clearings` readings towards that
    so far, the first of them observed at `clearing_from`."""

    key: str
    rule_id: str
    name: str
    rank: int
    severity: Severity
    confirmed: bool
    active: bool
    first_breach_at: datetime
    last_breach_at: datetime
    clearings: int = 0
    clearing_from: datetime | None = None


class Explanation(NamedTuple):
    """Why the alert stands: the leading finding in words, with what it compared."""

    text: str
    inputs: tuple[Input, ...]
    limits: tuple[Limit, ...]
    source: str
    rule_set_version: str


class Escalation(NamedTuple):
    """How far the steps of the ward's policy have gone since a limit for people passed.

    `limit`: the `respond_by` that passed; `steps`: taken since; `next_at`: when the next one is. `cover_for`: the
    `respond_by` for which it was asked whether anybody is on duty; `uncovered`: nobody was, and that was told. A new
    `respond_by` begins anew by itself."""

    limit: datetime | None = None
    steps: int = 0
    next_at: datetime | None = None
    cover_for: datetime | None = None
    uncovered: bool = False


class Episode(NamedTuple):
    """One alert as the engine knows it. `first_breach_at` and `last_breach_at` are times of observation,
    all other times are of receipt or of a human act; the first two never change.

    `version` rises with state, severity and confirmation, not with each reading. `reading_count`: readings
    that breached. `transient`: an unconfirmed red that two good readings contradicted. `respond_by`: the
    limit of the next human step; None when none is due. `snoozed_spo2`: the SpO2 (percent) that whoever snoozed it
    saw. `waits`: nothing of them is due once it is resolved; they are kept for a reopening.
    """

    family: Family
    state: State
    severity: Severity
    peak_severity: Severity
    title: str
    rule_ids: tuple[str, ...]
    traces: tuple[Trace, ...]
    waits: tuple[Wait, ...]
    explanation: Explanation
    first_breach_at: datetime
    opened_at: datetime
    last_breach_at: datetime
    confirmed: bool = False
    transient: bool = False
    retrospective: bool = False
    recovered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    contacted_at: datetime | None = None
    resolved_at: datetime | None = None
    respond_by: datetime | None = None
    contact_due_at: datetime | None = None
    ack_expires_at: datetime | None = None
    snoozed_until: datetime | None = None
    snoozed_spo2: int | None = None
    reading_count: int = 1
    escalation_level: int = 0
    escalation: Escalation = Escalation()
    version: int = 1

    @property
    def next_due_at(self) -> datetime | None:
        """When the engine has to look at it again though no reading comes."""
        return min([wait.due_at for wait in self.waits]) if self.waits and self.unresolved else None

    @property
    def unresolved(self) -> bool:
        """Still in the queue."""
        return self.state != State.RESOLVED

    @property
    def snooze_forbidden(self) -> bool:
        """A critical alert and silent hypoxia are never snoozed (design decision, needs CSO sign-off)."""
        return self.severity == Severity.CRITICAL or "R3" in self.rule_ids

    def trace(self, key: str) -> Trace | None:
        """What the rule of that key has done here, or None."""
        return next((trace for trace in self.traces if trace.key == key), None)


_AS_SEVERE = (*MEASURED_LOW, "R3")


def leading(traces: tuple[Trace, ...]) -> Trace:
    """The rule that names the alert: the most severe, then the highest rank. Silent hypoxia is as severe as
    the red or amber it goes with, and outranks both in the title."""
    low = max((trace.severity for trace in traces if trace.rule_id in _AS_SEVERE), default=Severity.LOW)
    return max(traces, key=lambda trace: (low if trace.rule_id == "R3" else trace.severity, trace.rank))


def is_confirmed(traces: tuple[Trace, ...]) -> bool:
    """Is what makes the alert as severe as it is confirmed? The rules of one low value are confirmed together."""
    leader = leading(traces)
    if leader.rule_id not in LOW_OXYGEN:
        return leader.confirmed
    worst = max(trace.severity for trace in traces)
    return any(trace.confirmed for trace in traces if trace.rule_id in LOW_OXYGEN and trace.severity == worst)
