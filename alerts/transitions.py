"""The life cycle of an alert after ISA-18.2, reduced: every allowed step and its number."""

from enum import StrEnum

from alerts.episode import State


class Trigger(StrEnum):
    """What can happen to an episode. The first nine are the engine's, the others people's and their
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
    HURRY = "hurry"
    """The ward gives people less time, and nobody has taken it yet."""
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    ACK_EXPIRES = "ack_expires"
    CONTACT = "contact"
    ASSIGN = "assign"
    ESCALATE = "escalate"
    """A person asks for the next step, or a limit passed."""
    SNOOZE = "snooze"
    SNOOZE_ENDS = "snooze_ends"
    """By its time, or because something is new."""
    RESOLVE = "resolve"
    REOPEN = "reopen"


TRANSITIONS: dict[tuple[State | None, Trigger], tuple[State, str]] = {
    (None, Trigger.BREACH): (State.OPEN, "T1"),
    (State.OPEN, Trigger.BREACH): (State.OPEN, "T2"),
    (State.OPEN, Trigger.WORSE): (State.OPEN, "T3"),
    (State.OPEN, Trigger.LATE_BREACH): (State.OPEN, "T4"),
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
    (State.RECOVERED, Trigger.LATE_BREACH): (State.RECOVERED, "T26"),
    (State.RECOVERED, Trigger.ACKNOWLEDGE): (State.ACKNOWLEDGED, "T27"),
    (State.RECOVERED, Trigger.RESOLVE): (State.RESOLVED, "T28"),
    (State.RESOLVED, Trigger.REOPEN): (State.OPEN, "T29"),
    (State.OPEN, Trigger.CONTACT): (State.OPEN, "T30"),
    (State.ACKNOWLEDGED, Trigger.CONTACT): (State.ACKNOWLEDGED, "T31"),
    (State.RECOVERED, Trigger.CONTACT): (State.RECOVERED, "T32"),
    (State.OPEN, Trigger.ESCALATE): (State.OPEN, "T33"),
    (State.ACKNOWLEDGED, Trigger.ESCALATE): (State.ACKNOWLEDGED, "T34"),
    (State.RECOVERED, Trigger.ESCALATE): (State.RECOVERED, "T35"),
    (State.OPEN, Trigger.ASSIGN): (State.OPEN, "T36"),
    (State.ACKNOWLEDGED, Trigger.ASSIGN): (State.ACKNOWLEDGED, "T37"),
    (State.RECOVERED, Trigger.ASSIGN): (State.RECOVERED, "T38"),
    (State.OPEN, Trigger.SNOOZE): (State.OPEN, "T39"),
    (State.ACKNOWLEDGED, Trigger.SNOOZE): (State.ACKNOWLEDGED, "T40"),
    (State.RECOVERED, Trigger.SNOOZE): (State.RECOVERED, "T41"),
    (State.OPEN, Trigger.SNOOZE_ENDS): (State.OPEN, "T42"),
    (State.ACKNOWLEDGED, Trigger.SNOOZE_ENDS): (State.ACKNOWLEDGED, "T43"),
    (State.RECOVERED, Trigger.SNOOZE_ENDS): (State.RECOVERED, "T44"),
    (State.OPEN, Trigger.HURRY): (State.OPEN, "T45"),
    (State.RECOVERED, Trigger.HURRY): (State.RECOVERED, "T46"),
}
"""(state, trigger) -> (state, transition id). None: no unresolved alert of that family, so a breach opens a
new one."""


class IllegalTransition(Exception):
    """The alert's state does not allow this step."""

    def __init__(self, state: State | None, trigger: Trigger) -> None:
        self.state, self.trigger = state, trigger
        self.legal = tuple(legal for before, legal in TRANSITIONS if before == state)
        super().__init__(f"{trigger} is not possible while {state}; possible: {', '.join(self.legal)}")


def step(state: State | None, trigger: Trigger) -> tuple[State, str]:
    """The next state and the transition's id. Raises IllegalTransition naming what would be possible."""
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalTransition(state, trigger) from None
