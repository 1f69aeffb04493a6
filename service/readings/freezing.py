"""The machine's own plan version: the usual SpO2 frozen from the first good readings (CLINICAL.md §7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.freezing import frozen_plan
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from service.access import audit
from service.clock import real_now
from service.feed.numbering import NewEvent
from service.queue.happenings import StayStands, stay_event
from service.readings.store import LockedStay, load_plans, plan_table, stay_table
from service.storage.direct import Where, insert_rows, update_rows
from service.storage.tables import METADATA

AUDIT = METADATA.tables["audit"]

REASON = "Usual SpO2: median of the first three valid resting readings, set by the machine."
CHANGED = {"fields": ["baseline_spo2"]}
FROM_THE_NEXT = timedelta(microseconds=1)
"""The readings that complete it were judged without it; the next receipt of the stay is later than theirs."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A plan version that the machine wrote for a stay, and since when it is in force."""

    stay: LockedStay
    plan: Plan
    at: datetime


def freeze(stay: LockedStay, before: Record, arrived: Sequence[Reading]) -> Frozen | None:
    """What the readings of one request, judged on `before`, complete; None if nothing."""
    plan = frozen_plan(before.window, arrived, before.plan, stay.admitted_at, before.rule_set)
    return None if plan is None else Frozen(stay, plan, arrived[-1].received_at + FROM_THE_NEXT)


async def write_frozen(where: Where, frozen: Sequence[Frozen]) -> dict[str, NewEvent]:
    """Store the plan versions, and give the event that tells of each, by stay. The caller holds the stays."""
    if not frozen:
        return {}
    before = await load_plans(where, [(each.stay.ward_id, each.stay.id) for each in frozen])
    now = real_now()
    await insert_rows(where, plan_table, [_plan_row(each, before) for each in frozen])
    await update_rows(where, stay_table, [_stay_row(each) for each in frozen])
    await insert_rows(where, AUDIT, [_entry(each, now) for each in frozen])
    return {each.stay.id: _event(each) for each in frozen}


def _plan_row(frozen: Frozen, before: Mapping[tuple[str, int], Mapping[str, Any]]) -> dict[str, Any]:
    """The version before, with the usual SpO2. Nobody wrote it: the author is the machine."""
    plan = frozen.plan
    return {
        **before[frozen.stay.id, plan.version - 1],
        "version": plan.version,
        "baseline_spo2": plan.baseline_spo2,
        "reason": REASON if plan.reason is None else f"{plan.reason} {REASON}",
        "author_id": None,
        "created_at": frozen.at,
    }


def _stay_row(frozen: Frozen) -> dict[str, Any]:
    stay = frozen.stay
    return {
        "ward_id": stay.ward_id,
        "id": stay.id,
        "plan_version": frozen.plan.version,
        "version": stay.version + 1,
    }


def _entry(frozen: Frozen, now: datetime) -> dict[str, Any]:
    stay = frozen.stay
    return audit.entry(None, "plan.changed", now, ward_id=stay.ward_id, subject=("stay", stay.id), detail=CHANGED)


def _event(frozen: Frozen) -> NewEvent:
    stay = frozen.stay
    stands = StayStands(stay.id, stay.patient_id, stay.status, stay.paused_until, frozen.plan.version, stay.version + 1)
    return stay_event("plan.changed", frozen.at, stands, None, **CHANGED)
