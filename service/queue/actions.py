"""What a person does about an alert: acknowledge, contact, note, resolve.

What they set lies in `alert_response`, which intake never writes; each leaves an event and an audit entry."""

from enum import StrEnum
from typing import Any

from alerts import lifecycle
from alerts.episode import State
from alerts.severity import Severity
from alerts.transitions import Trigger
from service.errors import AcknowledgedBySomebodyElse, TooSevereForBulk
from service.queue.recording import Act, What, locked, record, transition_of, verbs_of


class Outcome(StrEnum):
    """How a person closes an alert. The machine's own words are recovered, discharged and transferred."""

    ADMITTED_TO_HOSPITAL = "admitted_to_hospital"
    EMERGENCY_SERVICES = "emergency_services"
    TREATED_AT_HOME = "treated_at_home"
    ADVICE_GIVEN = "advice_given"
    EXPECTED_FOR_PATIENT = "expected_for_patient"
    ARTEFACT = "artefact"
    DEVICE_FAULT = "device_fault"
    DATA_ENTRY_ERROR = "data_entry_error"
    NO_ACTION_NEEDED = "no_action_needed"
    OTHER = "other"


class ContactMethod(StrEnum):
    """How somebody tried to reach the person."""

    PHONE = "phone"
    VIDEO = "video"
    VISIT = "visit"
    MESSAGE = "message"


class ContactResult(StrEnum):
    """What came of it. Who was reached meets the contact limit; a message left does not; unreachable
    escalates."""

    REACHED = "reached"
    CARER_REACHED = "carer_reached"
    MESSAGE_LEFT = "message_left"
    UNREACHABLE = "unreachable"


_REACHED = (ContactResult.REACHED, ContactResult.CARER_REACHED)


async def acknowledge(act: Act, seen: int, note: str | None = None, *, most: Severity = Severity.CRITICAL) -> None:
    """Take the alert, unless it is more severe than `most`. Taking again what one has already taken changes nothing.

    Raises StaleVersion, TooSevereForBulk, AcknowledgedBySomebodyElse or IllegalTransition."""
    alert = await locked(act, seen)
    before = alert.episode
    if before.severity > most:
        raise TooSevereForBulk
    if before.state == State.ACKNOWLEDGED:
        if alert.acknowledged_by != act.who.id:
            raise AcknowledgedBySomebodyElse(state=before.state.value, allowed=verbs_of(before))
        if note is not None:
            await record(act, alert, before, [("noted", {})], note=note)
        return
    transition = transition_of(before, Trigger.ACKNOWLEDGE)
    after = lifecycle.acknowledge(before, act.at, alert.limits)
    response = {
        "acknowledged_at": act.at,
        "acknowledged_by": act.who.id,
        "ack_expires_at": after.ack_expires_at,
    }
    await record(act, alert, after, [("acknowledged", {"transition": transition})], response, note)


async def contact(act: Act, method: ContactMethod, result: ContactResult, note: str | None) -> None:
    """Record an attempt to reach the person. Raises IllegalTransition once the alert is resolved."""
    alert = await locked(act)
    transition = transition_of(alert.episode, Trigger.CONTACT)
    reached = result in _REACHED
    after = lifecycle.contact(alert.episode, act.at, reached=reached)
    whats: list[What] = [("contacted", {"transition": transition, "method": method.value, "result": result.value})]
    response: dict[str, Any] = {}
    if reached:
        response = {"contacted_at": act.at, "ack_expires_at": after.ack_expires_at}
    elif result == ContactResult.UNREACHABLE:
        escalated = transition_of(after, Trigger.ESCALATE)
        after = lifecycle.escalate(after)
        whats.append(("escalated", {"transition": escalated, "reason": result.value}))
    await record(act, alert, after, whats, response, note)


async def resolve(act: Act, seen: int, outcome: Outcome, note: str | None) -> None:
    """Close the alert with an outcome. Raises StaleVersion or IllegalTransition."""
    alert = await locked(act, seen)
    transition = transition_of(alert.episode, Trigger.RESOLVE)
    after = lifecycle.resolve(alert.episode, act.at)
    response = {"resolved_by": act.who.id, "outcome": outcome.value, "ack_expires_at": None}
    await record(
        act,
        alert,
        after,
        [("resolved", {"transition": transition, "outcome": outcome.value})],
        response,
        note,
    )


async def add_note(act: Act, text: str) -> None:
    """Leave a note, in any state. The text stays out of the feed."""
    alert = await locked(act)
    await record(act, alert, alert.episode, [("noted", {})], note=text)
