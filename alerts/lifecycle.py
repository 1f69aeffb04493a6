"""The life cycle of an alert after ISA-18.2, reduced: every allowed step, numbered, and the human verbs."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.episode import Episode, State
from alerts.limits import ServiceHours, acknowledge_by, acknowledgement_expires, contact_by

REOPEN_WITHIN = timedelta(hours=24)
"""After a wrong resolve (design decision, needs CSO sign-off)."""


class Trigger(StrEnum):
    """What can happen to an episode. The first eight are the engine's, the others people's and their
    limits'."""

    BREACH = "breach"
    """A rule fires, no worse than before."""
    WORSE = "worse"
    """A higher severity."""
    REALARM = "realarm"
    """A confirming reading, a new rule, or critical again an hour after the acknowledgement."""
    LATE_BREACH = "late_breach"
    """A breach older than the readings that cleared it."""
    CONFIRM = "confirm"
    """Confirmed by time."""
    DOWNGRADE = "downgrade"
    """An unconfirmed red contradicted by two good readings."""
    CLEAR_MILD = "clear_mild"
    """Every rule is cleared, and the peak was medium at most."""
    CLEAR_SEVERE = "clear_severe"
    """Every rule is cleared, and the peak was high or critical."""
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    ACK_EXPIRES = "ack_expires"
    CONTACT = "contact"
    RESOLVE = "resolve"
    REOPEN = "reopen"


TRANSITIONS: dict[tuple[State | None, Trigger], tuple[State, str]] = {
    (None, Trigger.BREACH): (State.OPEN, "T1"),
    (State.OPEN, Trigger.BREACH): (State.OPEN, "T2"),
    (State.OPEN, Trigger.WORSE): (State.OPEN, "T3"),
    (State.OPEN, Trigger.LATE_BREACH): (State.OPEN, "T4"),
    (State.OPEN, Trigger.REALARM): (State.OPEN, "T5"),
    (State.OPEN, Trigger.CONFIRM): (State.OPEN, "T6"),
    (State.OPEN, Trigger.DOWNGRADE): (State.OPEN, "T7"),
    (State.OPEN, Trigger.CLEAR_MILD): (State.RESOLVED, "T8"),
    (State.OPEN, Trigger.CLEAR_SEVERE): (State.RECOVERED, "T9"),
    (State.OPEN, Trigger.ACKNOWLEDGE): (State.ACKNOWLEDGED, "T10"),
    (State.OPEN, Trigger.RESOLVE): (State.RESOLVED, "T11"),
    (State.ACKNOWLEDGED, Trigger.BREACH): (State.ACKNOWLEDGED, "T12"),
    (State.ACKNOWLEDGED, Trigger.WORSE): (State.OPEN, "T13"),
    (State.ACKNOWLEDGED, Trigger.REALARM): (State.OPEN, "T14"),
    (State.ACKNOWLEDGED, Trigger.LATE_BREACH): (State.ACKNOWLEDGED, "T15"),
    (State.ACKNOWLEDGED, Trigger.CONFIRM): (State.ACKNOWLEDGED, "T16"),
    (State.ACKNOWLEDGED, Trigger.DOWNGRADE): (State.ACKNOWLEDGED, "T17"),
    (State.ACKNOWLEDGED, Trigger.CLEAR_MILD): (State.RESOLVED, "T18"),
    (State.ACKNOWLEDGED, Trigger.CLEAR_SEVERE): (State.ACKNOWLEDGED, "T19"),
    (State.ACKNOWLEDGED, Trigger.UNACKNOWLEDGE): (State.OPEN, "T20"),
    (State.ACKNOWLEDGED, Trigger.ACK_EXPIRES): (State.OPEN, "T21"),
    (State.ACKNOWLEDGED, Trigger.RESOLVE): (State.RESOLVED, "T22"),
    (State.RECOVERED, Trigger.BREACH): (State.OPEN, "T23"),
    (State.RECOVERED, Trigger.WORSE): (State.OPEN, "T24"),
    (State.RECOVERED, Trigger.REALARM): (State.OPEN, "T25"),
    (State.RECOVERED, Trigger.LATE_BREACH): (State.RECOVERED, "T26"),
    (State.RECOVERED, Trigger.ACKNOWLEDGE): (State.ACKNOWLEDGED, "T27"),
    (State.RECOVERED, Trigger.RESOLVE): (State.RESOLVED, "T28"),
    (State.RESOLVED, Trigger.REOPEN): (State.OPEN, "T29"),
    (State.OPEN, Trigger.CONTACT): (State.OPEN, "T30"),
    (State.ACKNOWLEDGED, Trigger.CONTACT): (State.ACKNOWLEDGED, "T31"),
    (State.RECOVERED, Trigger.CONTACT): (State.RECOVERED, "T32"),
}
"""(state, trigger) -> (state, transition id). None: no unresolved alert of that family, so a breach opens a
new one."""


class IllegalTransition(Exception):
    """The alert's state does not allow this step."""

    def __init__(self, state: State | None, trigger: Trigger) -> None:
        self.state, self.trigger = state, trigger
        self.legal = tuple(legal for before, legal in TRANSITIONS if before == state)
        super().__init__(f"{trigger} is not possible while {state}; possible: {', '.join(self.legal)}")


class ReopenTooLate(Exception):
    """An alert can be reopened within 24 hours of being resolved, not later."""


def step(state: State | None, trigger: Trigger) -> tuple[State, str]:
    """The next state and the transition's id. Raises IllegalTransition naming what would be possible."""
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalTransition(state, trigger) from None


def acknowledge(episode: Episode, at: datetime, hours: ServiceHours) -> Episode:
    """Somebody takes it: now the contact limit counts. Raises IllegalTransition unless open or recovered."""
    state, _ = step(episode.state, Trigger.ACKNOWLEDGE)
    return replace(
        episode,
        state=state,
        acknowledged_at=at,
        respond_by=None if episode.contacted_at else episode.contact_due_at,
        ack_expires_at=acknowledgement_expires(episode.family, episode.severity, at, hours),
        version=episode.version + 1,
    )


def contact(episode: Episode, at: datetime, *, reached: bool) -> Episode:
    """A contact attempt is recorded: it meets the contact limit, and an acknowledgement no longer expires;
    somebody who could not be reached keeps the limit running. Raises IllegalTransition once resolved."""
    step(episode.state, Trigger.CONTACT)
    if not reached:
        return replace(episode, version=episode.version + 1)
    met = None if episode.state == State.ACKNOWLEDGED else episode.respond_by
    return replace(episode, contacted_at=at, respond_by=met, ack_expires_at=None, version=episode.version + 1)


def unacknowledge(episode: Episode, at: datetime, hours: ServiceHours) -> Episode:
    """Whoever took it gives it back. Raises IllegalTransition unless acknowledged."""
    state, _ = step(episode.state, Trigger.UNACKNOWLEDGE)
    return replace(realarmed(episode, at, hours), state=state, version=episode.version + 1)


def expire(episode: Episode, at: datetime, hours: ServiceHours) -> Episode:
    """Nobody recorded a contact in time: open again, one level up. Raises IllegalTransition unless
    acknowledged."""
    state, _ = step(episode.state, Trigger.ACK_EXPIRES)
    level = episode.escalation_level + 1
    version = episode.version + 1
    return replace(realarmed(episode, at, hours), state=state, escalation_level=level, version=version)


def resolve(episode: Episode, at: datetime) -> Episode:
    """A person closes it: nothing is waited for any more. Raises IllegalTransition once resolved."""
    state, _ = step(episode.state, Trigger.RESOLVE)
    return replace(
        episode,
        state=state,
        resolved_at=at,
        waits=(),
        respond_by=None,
        ack_expires_at=None,
        version=episode.version + 1,
    )


def reopen(episode: Episode, at: datetime, hours: ServiceHours) -> Episode:
    """A wrong resolve is taken back. Raises IllegalTransition unless resolved, ReopenTooLate after 24 h."""
    state, _ = step(episode.state, Trigger.REOPEN)
    if episode.resolved_at is not None and at - episode.resolved_at > REOPEN_WITHIN:
        raise ReopenTooLate
    again = realarmed(episode, at, hours)
    return replace(again, state=state, resolved_at=None, version=episode.version + 1)


def realarmed(episode: Episode, at: datetime, hours: ServiceHours) -> Episode:
    """The human limits begin anew, as if the alert had just come. The state is the caller's to set."""
    return replace(
        episode,
        acknowledged_at=None,
        contacted_at=None,
        ack_expires_at=None,
        respond_by=acknowledge_by(episode.family, episode.severity, at, hours),
        contact_due_at=contact_by(episode.family, episode.severity, at, hours),
    )
