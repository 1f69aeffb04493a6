"""Correcting a patient, of which the ward has to hear: the queue shows names, and limits depend on age."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import Principal
from service.care import store
from service.feed.numbering import NewEvent, append_events
from service.patients import records
from service.patients.records import sixteenth_birthday
from service.patients.refusals import PatientErased
from service.patients.store import Patient, get_on_ward, shown_patient
from service.versions import require_version

SHOWN = frozenset({"family_name", "given_name", "birth_date", "identifiers", "contact_hold", "deceased"})
"""What stands in the queue, or changes what one does about it."""


async def change_patient(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    patient_id: str,
    changes: Mapping[str, Any],
    seen: int,
    at: datetime,
    real_at: datetime,
) -> Patient:
    """The patient with some fields changed; `at` is clinical time.

    Another birth date moves the sixteenth birthday of every stay. What shows in the queue is an event
    `patient.changed`, which names the fields and no values. Raises NotFound, StaleVersion, PatientErased,
    IdentifierTaken, Invalid."""
    patient = await get_on_ward(session, who, ward_id, patient_id, lock=True)
    if patient.erased_at is not None:
        raise PatientErased
    require_version(seen, patient.version, shown_patient(patient))
    if not changes:
        return patient
    changed = await records.change(session, who, patient, changes, at.date(), real_at)
    if changed.birth_date != patient.birth_date:
        day = sixteenth_birthday(changed.birth_date)
        await store.update_sixteen_on(session, ward_id, patient_id, day)
    if shown := sorted(SHOWN.intersection(changes)):
        data = {"fields": shown, "version": changed.version}
        await append_events(session, ward_id, [NewEvent("patient.changed", at, "patient", patient_id, data, who.id)])
    return changed
