"""Moving a stay to another ward: it ends here and goes on there, in one transaction.

Nothing clinical is shared between wards, so what is needed there is copied: the plan, and the readings that the
open alerts stand on. Every statement names one ward; the locks go stay, alerts, and last the two wards' feeds in
key order, like everybody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from sqlalchemy import Row

from alerts.carrying import TRANSFERRED, carry
from alerts.decide import Decisions
from alerts.judge import WINDOW
from alerts.plan import Plan
from alerts.record import Record
from alerts.rule_set import RuleSet
from service.access import audit
from service.access.pairing import end_access
from service.access.principals import Principal
from service.care import store, transfer_store
from service.care.act import Act
from service.care.plans import PlanVersion
from service.care.store import Stay
from service.cover.inforce import Cover, load_cover
from service.errors import ActiveStayExists
from service.feed.numbering import append_events
from service.fields import new_id
from service.patients import records
from service.patients import store as patients
from service.patients.records import sixteenth_birthday
from service.patients.store import Patient
from service.queue.closing import resolve_all
from service.queue.happenings import stay_event
from service.queue.raising import StayChanges, write_changes
from service.queue.store import LockedAlert, lock_unresolved
from service.readings.store import insert_readings
from service.readings.windows import reading_of
from service.rules.live import live_on


@dataclass(frozen=True, slots=True)
class Move:
    """From which act (its principal gives), to which ward, and who takes there."""

    act: Act
    ward_id: str
    taker: Principal


async def carry_out(move: Move, stay: Stay) -> tuple[Stay, Stay]:
    """The stay as it ended here, and as it begins there; `stay` is locked and has not ended.

    Raises ActiveStayExists with the id of the person's stay there, IdentifierTaken."""
    act, session = move.act, move.act.session
    await end_access(session, stay.ward_id, stay.id, act.real_at, TRANSFERRED)
    alerts = await lock_unresolved(session, stay.ward_id, stay.id)
    patient = await _patient_there(move, stay)
    new = await _open(move, stay, patient)
    cover = await load_cover(session, move.ward_id)
    decisions = await _bring(move, stay, new, patient, alerts, cover)
    closed = await resolve_all(session, act.who, stay.ward_id, alerts, act.at, TRANSFERRED, {})
    changes = {
        "status": "discharged", "discharged_at": act.at, "discharge_reason": TRANSFERRED,
        "paused_until": None, "pause_reason": None,
    }  # fmt: skip
    ended = stay
    for ward_id in sorted((stay.ward_id, move.ward_id)):
        if ward_id == stay.ward_id:
            ended = await act.record(stay, "stay.transferred", changes, {"to_ward_id": move.ward_id}, closed)
        else:
            await _announce(move, new, decisions, cover)
    return ended, new


async def _patient_there(move: Move, stay: Stay) -> Patient:
    """The person's record on the other ward, found or made, and held."""
    act, session = move.act, move.act.session
    here = await patients.get_on_ward(session, act.who, stay.ward_id, stay.patient_id)
    known = await transfer_store.find_patient_before(session, move.ward_id, stay.previous_stay_id)
    if known is None:
        there, is_new = await records.register(
            session, move.taker, move.ward_id,
            identifiers=here.identifiers, family_name=here.family_name, given_name=here.given_name,
            birth_date=here.birth_date, phone=here.phone, language=here.language,
            today=act.at.date(), at=act.real_at,
        )  # fmt: skip
        if is_new:
            await patients.update_patient(session, there, {"contact_hold": here.contact_hold})
        known = there.id
    held = await patients.get_on_ward(session, move.taker, move.ward_id, known, lock=True)
    current = await store.find_current(session, move.taker, move.ward_id, held.id)
    if current is not None:
        raise ActiveStayExists("This patient already has an active stay on that ward.", stay_id=current)
    return held


async def _open(move: Move, stay: Stay, patient: Patient) -> Stay:
    """The stay on the other ward, under the same plan. A limit that waits for a second clinician comes with all who
    had a hand in it, so that none of them approves it there."""
    act, session, stay_id = move.act, move.act.session, new_id()
    versions = await store.list_plans(session, act.who, stay.ward_id, stay.id)
    plans = _brought(versions)
    await store.insert_stay(
        session,
        ward_id=move.ward_id,
        stay_id=stay_id,
        patient_id=patient.id,
        admitted_at=act.at,
        sixteen_on=sixteenth_birthday(patient.birth_date),
        previous_stay_id=stay.id,
        plan_version=len(plans),
    )
    for plan in plans:
        await store.insert_plan(session, move.ward_id, stay_id, plan)
    subject = ("stay", stay_id)
    await audit.append(session, move.taker, "stay.admitted", act.real_at, ward_id=move.ward_id, subject=subject)
    return await store.get_stay(session, move.taker, move.ward_id, stay_id)


def _brought(versions: Sequence[PlanVersion]) -> list[PlanVersion]:
    newest = versions[0]
    proposal = takewhile(lambda each: not each.red_at_approved and each.red_at == newest.red_at, versions)
    kept = list(proposal) or [newest]
    return [replace(plan, version=number) for number, plan in enumerate(reversed(kept), 1)]


async def _bring(
    move: Move, stay: Stay, new: Stay, patient: Patient, alerts: Sequence[LockedAlert], cover: Cover
) -> Decisions:
    """Copy what the open alerts stand on, and raise them again from it by the rules and hours of the other ward."""
    act, session = move.act, move.act.session
    before = {alert.episode.family: alert.episode for alert in alerts}
    if not before:
        return Decisions((), {})
    since = min(episode.first_breach_at for episode in before.values())
    rows, earlier = await transfer_store.list_readings(session, stay.ward_id, stay.id, since, WINDOW)
    copies = {row.id: new_id() for row in rows}
    rules = await live_on(session, move.ward_id)
    await insert_readings(session, [_copy(row, copies, new, rules) for row in rows])
    start = Record(
        plan=new.plan.as_judged() or Plan(),
        window=tuple(reading_of(dict(row._mapping)) for row in earlier if row.entered_in_error_at is None),
        service_hours=cover.hours,
        sixteen_on=sixteenth_birthday(patient.birth_date),
        rule_set=rules,
    )
    sound = [row for row in rows if row.entered_in_error_at is None]
    copied = [reading_of(dict(row._mapping))._replace(id=copies[row.id]) for row in sound]
    return carry(start, copied, before, copies, act.at)


def _copy(row: Row[Any], copies: Mapping[str, str], new: Stay, rules: RuleSet) -> dict[str, Any]:
    there = {"ward_id": new.ward_id, "id": copies[row.id], "stay_id": new.id, "copied_from": row.id}
    judged_by = {"plan_version": new.plan.version, "rule_set_version": rules.version}
    return {**row._mapping, **there, **judged_by, "answers": copies.get(row.answers)}


async def _announce(move: Move, new: Stay, decisions: Decisions, cover: Cover) -> None:
    """Tell the other ward: the stay first, then what is open."""
    session = move.act.session
    admitted = stay_event("stay.admitted", move.act.at, new.stands(), move.taker.id, reason=TRANSFERRED)
    await append_events(session, new.ward_id, [admitted])
    changes = StayChanges(new.ward_id, new.id, new.patient_id, {}, decisions.changes, decisions.episodes, cover)
    await write_changes(session, [changes])
