"""Registering patients and correcting what is known about them."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.principals import Principal
from service.errors import FieldError, IdentifierTaken, Invalid
from service.fields import new_id
from service.patients import store
from service.patients.numbers import Identifier
from service.patients.store import Patient

MAX_AGE_YEARS = 130


async def register(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    *,
    identifiers: Sequence[Identifier],
    family_name: str,
    given_name: str,
    birth_date: date,
    phone: str | None,
    language: str | None,
    today: date,
    at: datetime,
) -> tuple[Patient, bool]:
    """A patient of the ward, and whether it is a new one. `today` is the clinical day, `at` real time.

    Somebody with one of the identifiers and the same birth date is the same person: the record is given back
    as it stands, and nothing is added to it. Raises Invalid; IdentifierTaken for another birth date, or when
    the identifiers belong to different people."""
    _check_birth_date(birth_date, today)
    known = await store.list_by_identifiers(session, who, ward_id, identifiers) if identifiers else []
    if known:
        return _same(known, birth_date, identifiers), False
    values = {
        "id": new_id(),
        "ward_id": ward_id,
        "family_name": family_name,
        "given_name": given_name,
        "birth_date": birth_date,
        "phone": phone,
        "language": language,
        "contact_hold": False,
        "deceased": False,
        "version": 1,
    }
    patient = store.with_identifiers(values, set(identifiers))
    await store.insert_patient(session, patient, at)
    if not await store.insert_identifiers(session, patient):
        # Somebody else registered the same person between our look and our insert.
        await store.delete_identifiers(session, patient)
        await store.delete_patient(session, patient)
        known = await store.list_by_identifiers(session, who, ward_id, identifiers)
        return _same(known, birth_date, identifiers), False
    subject = ("patient", patient.id)
    await audit.append(session, who, "patient.registered", at, ward_id=ward_id, subject=subject)
    return patient, True


async def change(
    session: AsyncSession,
    who: Principal,
    patient: Patient,
    changes: Mapping[str, Any],
    today: date,
    at: datetime,
) -> Patient:
    """The locked patient with some fields changed; `identifiers` are replaced as a whole.

    Raises IdentifierTaken, Invalid. What shows in the queue has to be told to the feed by the caller."""
    if "birth_date" in changes:
        _check_birth_date(changes["birth_date"], today)
    columns = {name: value for name, value in changes.items() if name != "identifiers"}
    columns["version"] = patient.version + 1
    changed = dataclasses.replace(patient, **columns)
    if "identifiers" in changes:
        values = {name: getattr(changed, name) for name in store.STORED}
        changed = store.with_identifiers(values, set(changes["identifiers"]))
        await store.delete_identifiers(session, patient)
        if not await store.insert_identifiers(session, changed):
            raise IdentifierTaken("One of the identifiers belongs to another person on this ward.")
    await store.update_patient(session, patient, columns)
    detail = {"fields": sorted(changes)}
    subject = ("patient", patient.id)
    await audit.append(session, who, "patient.changed", at, ward_id=patient.ward_id, subject=subject, detail=detail)
    return changed


def sixteenth_birthday(birth_date: date) -> date:
    """The day somebody becomes sixteen."""
    return years_after(birth_date, 16)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; the first of March for a 29 February without one. `years` may be negative."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _same(known: Sequence[Patient], birth_date: date, identifiers: Sequence[Identifier]) -> Patient:
    numbers = {each.value for each in identifiers if each.system == "nhs_number"}
    if len(known) != 1 or known[0].birth_date != birth_date:
        raise IdentifierTaken
    if known[0].nhs_number is not None and numbers - {known[0].nhs_number}:
        raise IdentifierTaken("This person has another NHS number here; a person has one.")
    return known[0]


def _check_birth_date(birth_date: date, today: date) -> None:
    if not 0 <= today.year - birth_date.year <= MAX_AGE_YEARS or birth_date > today:
        message = f"must be a day that has been, at most {MAX_AGE_YEARS} years ago"
        raise Invalid(errors=[FieldError("/birth_date", "out_of_range", message)])
