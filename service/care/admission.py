"""Admitting somebody to the ward: a stay, with the first version of its plan."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.principals import Principal
from service.care import store
from service.care.plans import first_plan
from service.care.store import Stay
from service.errors import ActiveStayExists, NotFound
from service.feed.numbering import append_events
from service.fields import new_id
from service.patients.records import sixteenth_birthday
from service.patients.refusals import PatientErased
from service.patients.store import get_on_ward
from service.queue.happenings import stay_event


async def admit(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    patient_id: str,
    asked: Mapping[str, Any],
    previous_stay_id: str | None,
    at: datetime,
    real_at: datetime,
) -> Stay:
    """A new stay of the patient; `asked` are the fields of the plan that were sent, `at` clinical time.

    Raises NotFound for a patient or a previous stay that is not of this ward, Invalid for a plan that
    contradicts itself, PatientErased, ActiveStayExists with the id of the stay in `stay_id`."""
    # The lock lets one admission of this patient at a time look whether there is a stay.
    patient = await get_on_ward(session, who, ward_id, patient_id, lock=True)
    if patient.erased_at is not None:
        raise PatientErased
    if previous_stay_id is not None:
        previous = await store.get_stay(session, who, ward_id, previous_stay_id)
        if previous.patient_id != patient_id:
            raise NotFound
    plan = first_plan(asked, who.id, at, "/plan")
    current = await store.find_current(session, who, ward_id, patient_id)
    if current is not None:
        raise ActiveStayExists(stay_id=current)
    stay_id = new_id()
    await store.insert_stay(
        session,
        ward_id=ward_id,
        stay_id=stay_id,
        patient_id=patient_id,
        admitted_at=at,
        sixteen_on=sixteenth_birthday(patient.birth_date),
        previous_stay_id=previous_stay_id,
    )
    await store.insert_plan(session, ward_id, stay_id, plan)
    subject = ("stay", stay_id)
    await audit.append(session, who, "stay.admitted", real_at, ward_id=ward_id, subject=subject)
    stay = await store.get_stay(session, who, ward_id, stay_id)
    await append_events(session, ward_id, [stay_event("stay.admitted", at, stay.stands(), who.id)])
    return stay
