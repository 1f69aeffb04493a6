"""Closing what is left of a stay that ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from alerts import lifecycle
from alerts.severity import Severity
from alerts.transitions import Trigger
from service.access.principals import Principal
from service.errors import FieldError, Invalid
from service.feed.numbering import WardEvents, counts_delta
from service.queue import store
from service.queue.actions import Outcome
from service.queue.happenings import standing_of
from service.queue.recording import event_of, row_of, transition_of
from service.queue.store import LockedAlert


async def resolve_for_discharge(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    stay_id: str,
    outcomes: Mapping[str, Outcome],
    at: datetime,
) -> WardEvents:
    """Close all unresolved alerts of a stay that the caller has locked; `outcomes` by alert id.

    As `resolve_all`. Raises Invalid where a high or critical alert has no outcome, or an outcome has no such
    alert."""
    alerts = await store.lock_unresolved(session, ward_id, stay_id)
    _require_outcomes(alerts, outcomes)
    return await resolve_all(session, who, ward_id, alerts, at, "discharged", outcomes)


async def resolve_all(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    alerts: Sequence[LockedAlert],
    at: datetime,
    machine_outcome: str,
    outcomes: Mapping[str, Outcome],
) -> WardEvents:
    """Close these alerts of a stay that ends, with the outcome given by alert id, else the machine's.

    Gives the events and counts: the caller appends them with its own, last in the transaction, and writes the
    audit entry."""
    ward = WardEvents()
    for alert in alerts:
        outcome = str(outcomes.get(alert.alert_id, machine_outcome))
        transition = transition_of(alert.episode, Trigger.RESOLVE)
        after = lifecycle.resolve(alert.episode, at)
        response = {"resolved_by": who.id, "outcome": outcome, "ack_expires_at": None, "snoozed_until": None}
        await store.write_response(session, ward_id, alert.alert_id, response)
        await store.update_alerts(session, [row_of(ward_id, alert, after)])
        more = {"transition": transition, "outcome": outcome, "reason": machine_outcome}
        ward.events.append(event_of(alert, after, at, who, ("resolved", more)))
        ward.counts += counts_delta(standing_of(alert.episode), standing_of(after))
    return ward


def _require_outcomes(alerts: Sequence[LockedAlert], outcomes: Mapping[str, Outcome]) -> None:
    known = {alert.alert_id for alert in alerts}
    problems = [
        FieldError(f"/outcomes/{alert.alert_id}", "missing", "An open high or critical alert needs an outcome.")
        for alert in alerts
        if alert.episode.severity >= Severity.HIGH and alert.alert_id not in outcomes
    ]
    problems += [
        FieldError(f"/outcomes/{alert_id}", "not_found", "The stay has no such unresolved alert.")
        for alert_id in outcomes
        if alert_id not in known
    ]
    if problems:
        raise Invalid(errors=problems)
