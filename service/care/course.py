"""The course of a stay: pause, resume, discharge."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from service.access.pairing import end_access
from service.care.act import Act
from service.care.store import Stay
from service.errors import Conflict, FieldError, Invalid
from service.queue.actions import Outcome
from service.queue.closing import resolve_for_discharge

LONGEST_PAUSE = timedelta(hours=72)
"""CLINICAL.md §11. A pause stops the reminders of missed readings, and nothing else."""


async def pause(act: Act, until: datetime, reason: str) -> Stay:
    """The stay paused until an instant, from active or from another pause.

    Raises NotFound, StaleVersion, StayDischarged, Invalid for an instant that is past or beyond 72 hours."""
    stay = await act.lock()
    if not act.at < until <= act.at + LONGEST_PAUSE:
        message = "must be ahead, by at most 72 hours"
        raise Invalid(errors=[FieldError("/until", "out_of_range", message)])
    changes = {"status": "paused", "paused_until": until, "pause_reason": reason}
    return await act.record(stay, "stay.paused", changes)


async def resume(act: Act) -> Stay:
    """The stay active again; raises NotFound, StaleVersion, StayDischarged, Conflict if it is not paused."""
    stay = await act.lock()
    if stay.status != "paused":
        raise Conflict("The stay is not paused.")
    changes = {"status": "active", "paused_until": None, "pause_reason": None}
    return await act.record(stay, "stay.resumed", changes)


async def discharge(act: Act, reason: str, outcomes: Mapping[str, Outcome]) -> Stay:
    """The stay ended and all its alerts resolved: with the outcome given by alert id, else `discharged`.

    Raises NotFound, StaleVersion, StayDischarged; Invalid if an unresolved high or critical alert has no
    outcome."""
    stay = await act.lock()
    await end_access(act.session, act.ward_id, act.stay_id, act.real_at, "discharged")
    closed = await resolve_for_discharge(act.session, act.who, act.ward_id, act.stay_id, outcomes, act.at)
    changes = {
        "status": "discharged",
        "discharged_at": act.at,
        "discharge_reason": reason,
        "paused_until": None,
        "pause_reason": None,
    }
    return await act.record(stay, "stay.discharged", changes, before=closed)
