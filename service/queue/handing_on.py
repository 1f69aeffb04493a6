"""Who is to look at an alert, and when: assigned, given back, snoozed, called for from further up, or opened again.

Each leaves an event and an audit entry; the reasons people write are notes, and stay out of the feed."""

from datetime import timedelta
from typing import Any

from alerts import lifecycle, snoozing
from alerts.transitions import Trigger
from service.errors import (
    FieldError,
    Invalid,
    NewerAlertUnresolved,
    NotFound,
    ReopenTooLate,
    SnoozeForbidden,
    StayDischarged,
)
from service.fields import utc_text
from service.queue import surroundings
from service.queue.recording import Act, locked, record, transition_of

NOT_TAKEN: dict[str, Any] = {
    "acknowledged_at": None,
    "acknowledged_by": None,
    "ack_expires_at": None,
    "contacted_at": None,
}
"""What people's part says of an alert that nobody has."""


async def assign(act: Act, seen: int, staff_id: str | None) -> None:
    """Name somebody of the ward's clinicians to look after it; None: nobody any more.

    Raises StaleVersion, IllegalTransition, and NotFound for anybody else."""
    alert = await locked(act, seen)
    transition = transition_of(alert.episode, Trigger.ASSIGN)
    if staff_id is not None and not await surroundings.is_clinician(act.session, act.place.ward_id, staff_id):
        raise NotFound
    after = lifecycle.assign(alert.episode)
    more = {"transition": transition, "assigned_to": staff_id}
    await record(act, alert, after, [("assigned", more)], {"assigned_to": staff_id})


async def unacknowledge(act: Act, seen: int) -> None:
    """Give an acknowledged alert back: it is open, and its limits begin anew.

    Raises StaleVersion or IllegalTransition."""
    alert = await locked(act, seen)
    transition = transition_of(alert.episode, Trigger.UNACKNOWLEDGE)
    after = lifecycle.unacknowledge(alert.episode, act.at, alert.limits)
    await record(act, alert, after, [("unacknowledged", {"transition": transition})], NOT_TAKEN)


async def snooze(act: Act, seen: int, minutes: int, reason: str) -> None:
    """Ask to be left alone with the alert for some minutes. It stays in its place, and its limits go on.

    Raises StaleVersion, IllegalTransition, SnoozeForbidden for a critical alert and silent hypoxia, Invalid for more
    minutes than its severity allows."""
    alert = await locked(act, seen)
    transition = transition_of(alert.episode, Trigger.SNOOZE)
    until = act.at + timedelta(minutes=minutes)
    try:
        after = snoozing.snooze(alert.episode, act.at, until)
    except snoozing.SnoozeForbidden:
        raise SnoozeForbidden from None
    except snoozing.SnoozeTooLong as problem:
        longest = problem.longest // timedelta(minutes=1)
        message = f"must be at most {longest} for a {alert.episode.severity.word} alert"
        raise Invalid(errors=[FieldError("/minutes", "out_of_range", message)]) from None
    more = {"transition": transition, "snoozed_until": utc_text(until)}
    await record(act, alert, after, [("snoozed", more)], {"snoozed_until": until}, reason)


async def escalate(act: Act, seen: int, reason: str) -> None:
    """Call for the next step of the ward's policy: one level up, whatever the limits say. The severity stays.

    Raises StaleVersion or IllegalTransition."""
    alert = await locked(act, seen)
    transition = transition_of(alert.episode, Trigger.ESCALATE)
    after = lifecycle.escalate(alert.episode)
    await record(act, alert, after, [("escalated", {"transition": transition, "reason": "by_hand"})], note=reason)


async def reopen(act: Act, seen: int, reason: str) -> None:
    """Take a wrong resolve back: the alert is open, its limits begin anew, and what it waited for is waited for again.

    Raises StaleVersion, IllegalTransition, ReopenTooLate after 24 hours, StayDischarged, and NewerAlertUnresolved
    where the same has been found again since."""
    alert = await locked(act, seen)
    transition = transition_of(alert.episode, Trigger.REOPEN)
    if act.place.stay_id is not None and await surroundings.has_ended(
        act.session, act.place.ward_id, act.place.stay_id
    ):
        raise StayDischarged("The stay has ended; its alerts stay closed.")
    newer = await surroundings.find_unresolved_beside(act.session, act.place.ward_id, alert.alert_id)
    if newer is not None:
        raise NewerAlertUnresolved(alert_id=newer)
    try:
        after = lifecycle.reopen(alert.episode, act.at, alert.limits)
    except lifecycle.ReopenTooLate:
        raise ReopenTooLate from None
    if act.place.stay_id is not None:
        await surroundings.look_again(act.session, act.place.ward_id, act.place.stay_id)
    response = {**NOT_TAKEN, "resolved_by": None, "outcome": None}
    await record(act, alert, after, [("reopened", {"transition": transition, "reason": "by_hand"})], response, reason)
