"""Changing a stay's plan: every change is a new version, and the old ones stay readable."""

from collections.abc import Mapping
from typing import Any

from service.access.principals import CLINICIAN_ROLES
from service.care import store
from service.care.act import Act
from service.care.plans import PlanVersion, approved_plan, next_plan, proposers
from service.care.store import Stay
from service.errors import Conflict, NotAllowed, SecondClinicianNeeded


async def change_plan(act: Act, asked: Mapping[str, Any]) -> Stay:
    """The stay under a new plan version: the fields that were sent, merged into the plan in force.

    Raises NotFound, StaleVersion, StayDischarged, Invalid."""
    stay = await act.lock()
    if not asked:
        return stay
    return await _write(act, stay, next_plan(stay.plan, asked, act.who.id, act.at), sorted(asked))


async def approve_plan(act: Act) -> Stay:
    """The stay with its proposed red limit in force: below 88 it needs a second clinician (CLINICAL.md §11).

    Raises NotAllowed for whoever is no clinician of the ward, SecondClinicianNeeded for whoever proposed it,
    Conflict when nothing waits; NotFound, StaleVersion, StayDischarged."""
    if act.who.kind != "staff" or act.who.roles.get(act.ward_id) not in CLINICIAN_ROLES:
        raise NotAllowed("Only a clinician of the ward approves a limit.")
    stay = await act.lock()
    if stay.plan.red_at_approved:
        raise Conflict("No limit is waiting to be approved.")
    versions = await store.list_plans(act.session, act.who, act.ward_id, act.stay_id)
    if act.who.id in proposers(versions):
        raise SecondClinicianNeeded
    return await _write(act, stay, approved_plan(stay.plan, act.who.id, act.at), ["red_at_approved"])


async def _write(act: Act, stay: Stay, plan: PlanVersion, changed: list[str]) -> Stay:
    await store.insert_plan(act.session, act.ward_id, act.stay_id, plan)
    return await act.record(stay, "plan.changed", {"plan_version": plan.version}, {"fields": changed})
