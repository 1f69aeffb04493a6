"""What people, and the limits set for them, do to an episode: the human verbs, pure."""

from datetime import datetime, timedelta

from alerts.episode import Episode, State
from alerts.limits import HumanLimits, acknowledge_by, acknowledgement_expires, contact_by
from alerts.transitions import Trigger, step

REOPEN_WITHIN = timedelta(hours=24)
"""After a wrong resolve (design decision, needs CSO sign-off)."""


class ReopenTooLate(Exception):
    """An alert can be reopened within 24 hours of being resolved, not later."""


def acknowledge(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """Somebody takes it: now the contact limit counts. One that has passed already begins anew, for nobody can make
    contact in the past (design decision, needs CSO sign-off). Raises IllegalTransition unless open or recovered."""
    state, _ = step(episode.state, Trigger.ACKNOWLEDGE)
    due_at = episode.contact_due_at
    if due_at is not None and due_at <= at and episode.contacted_at is None:
        due_at = contact_by(episode.family, episode.severity, at, limits)
    expires_at = acknowledgement_expires(episode.family, episode.severity, at, limits)
    return episode._replace(
        state=state,
        acknowledged_at=at,
        contact_due_at=due_at,
        respond_by=None if episode.contacted_at else due_at,
        ack_expires_at=None if episode.contacted_at else expires_at,
        version=episode.version + 1,
    )


def contact(episode: Episode, at: datetime, *, reached: bool) -> Episode:
    """A contact attempt is recorded: it meets the contact limit, and an acknowledgement no longer expires;
    somebody who could not be reached keeps the limit running. Raises IllegalTransition once resolved."""
    step(episode.state, Trigger.CONTACT)
    if not reached:
        return episode._replace(version=episode.version + 1)
    met = None if episode.state == State.ACKNOWLEDGED else episode.respond_by
    return episode._replace(contacted_at=at, respond_by=met, ack_expires_at=None, version=episode.version + 1)


def unacknowledge(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """Whoever took it gives it back. Raises IllegalTransition unless acknowledged."""
    state, _ = step(episode.state, Trigger.UNACKNOWLEDGE)
    return realarmed(episode, at, limits)._replace(state=state, version=episode.version + 1)


def expire(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """Nobody recorded a contact in time: open again, one level up. Raises IllegalTransition unless
    acknowledged."""
    state, _ = step(episode.state, Trigger.ACK_EXPIRES)
    level = episode.escalation_level + 1
    version = episode.version + 1
    return realarmed(episode, at, limits)._replace(state=state, escalation_level=level, version=version)


def assign(episode: Episode) -> Episode:
    """Somebody is named, or nobody any more. Raises IllegalTransition once resolved."""
    step(episode.state, Trigger.ASSIGN)
    return episode._replace(version=episode.version + 1)


def escalate(episode: Episode) -> Episode:
    """One level up; the severity stays. Raises IllegalTransition once resolved."""
    step(episode.state, Trigger.ESCALATE)
    return episode._replace(escalation_level=episode.escalation_level + 1, version=episode.version + 1)


def resolve(episode: Episode, at: datetime) -> Episode:
    """A person closes it: nothing is due any more; what it waited for is kept for a reopening. Raises
    IllegalTransition once resolved."""
    state, _ = step(episode.state, Trigger.RESOLVE)
    return episode._replace(
        state=state,
        resolved_at=at,
        respond_by=None,
        ack_expires_at=None,
        snoozed_until=None,
        snoozed_spo2=None,
        version=episode.version + 1,
    )


def reopen(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """A wrong resolve is taken back: what was waited for has as long as it had left when it was closed. Raises
    IllegalTransition unless resolved, ReopenTooLate after 24 h."""
    state, _ = step(episode.state, Trigger.REOPEN)
    closed_for = at - (episode.resolved_at or at)
    if closed_for > REOPEN_WITHIN:
        raise ReopenTooLate
    waits = tuple(wait._replace(due_at=wait.due_at + closed_for) for wait in episode.waits)
    again = realarmed(episode, at, limits)
    return again._replace(state=state, resolved_at=None, waits=waits, version=episode.version + 1)


def realarmed(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """The human limits begin anew, as if the alert had just come, and no snooze holds. The state is the caller's to
    set."""
    return episode._replace(
        acknowledged_at=None,
        contacted_at=None,
        ack_expires_at=None,
        snoozed_until=None,
        snoozed_spo2=None,
        respond_by=acknowledge_by(episode.family, episode.severity, at, limits),
        contact_due_at=contact_by(episode.family, episode.severity, at, limits),
    )


def hurried(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """The limits of an episode that nobody has taken begin anew, unless the old ones end sooner: worse, or the ward
    gives people less time."""
    respond_by = acknowledge_by(episode.family, episode.severity, at, limits)
    contact = contact_by(episode.family, episode.severity, at, limits)
    return episode._replace(
        respond_by=min(respond_by, episode.respond_by or respond_by),
        contact_due_at=contact if contact is None else min(contact, episode.contact_due_at or contact),
    )
