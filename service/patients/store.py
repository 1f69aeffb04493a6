"""Queries on patients."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound
from service.patients.numbers import Identifier
from service.storage.portable import insert_or_skip
from service.storage.tables import METADATA

PATIENT = METADATA.tables["patient"]
IDENTIFIER = METADATA.tables["patient_identifier"]


@dataclass(frozen=True, slots=True)
class Patient:
    """A person on one ward, as the API shows it. `identifiers` are in order of system and value. `erased_at`: since
    when there is no identity any more."""

    id: str
    ward_id: str
    identifiers: tuple[Identifier, ...]
    nhs_number: str | None
    family_name: str
    given_name: str
    birth_date: date
    phone: str | None
    language: str | None
    contact_hold: bool
    deceased: bool
    version: int
    erased_at: datetime | None = None


def shown_patient(patient: Patient) -> dict[str, Any]:
    """The patient as plain JSON values."""
    shown = {name: getattr(patient, name) for name in Patient.__dataclass_fields__}
    return {**shown, "identifiers": [each._asdict() for each in patient.identifiers]}


STORED = (
    "id",
    "ward_id",
    "family_name",
    "given_name",
    "birth_date",
    "phone",
    "language",
    "contact_hold",
    "deceased",
    "version",
    "erased_at",
)
_COLUMNS = tuple(PATIENT.c[name] for name in STORED)


async def get_patient(session: AsyncSession, who: Principal, patient_id: str | None) -> Patient:
    """A patient the principal may see; raises NotFound."""
    query = select(*_COLUMNS).where(visible(who, PATIENT), PATIENT.c.id == patient_id)
    return await _one(session, query)


async def get_on_ward(
    session: AsyncSession, who: Principal, ward_id: str, patient_id: str, *, lock: bool = False
) -> Patient:
    """A patient of one ward; raises NotFound. `lock` holds the patient until the transaction ends."""
    query = select(*_COLUMNS).where(PATIENT.c.ward_id == ward_id, PATIENT.c.id == patient_id, visible(who, PATIENT))
    # NO KEY UPDATE: stays and identifiers that refer to the patient can still be inserted meanwhile.
    return await _one(session, query.with_for_update(key_share=True) if lock else query)


async def list_by_identifiers(
    session: AsyncSession, who: Principal, ward_id: str, wanted: Sequence[Identifier]
) -> list[Patient]:
    """The patients of a ward who have any of these identifiers."""
    pairs = tuple_(IDENTIFIER.c.system, IDENTIFIER.c.value).in_(wanted)
    holders = select(IDENTIFIER.c.patient_id).where(IDENTIFIER.c.ward_id == ward_id, pairs)
    query = (
        select(*_COLUMNS)
        .where(PATIENT.c.ward_id == ward_id, PATIENT.c.id.in_(holders), visible(who, PATIENT))
        .order_by(PATIENT.c.id)
    )
    return await _many(session, query)


async def insert_patient(session: AsyncSession, patient: Patient, at: datetime) -> None:
    """The patient, without the identifiers."""
    row = {name: getattr(patient, name) for name in STORED}
    await session.execute(insert(PATIENT).values(**row, created_at=at))


async def insert_identifiers(session: AsyncSession, patient: Patient) -> bool:
    """Give the patient its identifiers; False when one of them belongs to somebody: then undo what was done.

    Waits for whoever is giving out the same one just now; in one order, so that two never wait for each
    other."""
    for given in patient.identifiers:
        row = {"ward_id": patient.ward_id, "system": given.system, "value": given.value}
        statement = insert_or_skip(session, IDENTIFIER, ["ward_id", "system", "value"]).values(
            **row, patient_id=patient.id
        )
        if (await session.execute(statement.returning(IDENTIFIER.c.patient_id))).first() is None:
            return False
    return True


async def delete_identifiers(session: AsyncSession, patient: Patient) -> None:
    """Take the patient's identifiers away."""
    await session.execute(
        delete(IDENTIFIER).where(IDENTIFIER.c.ward_id == patient.ward_id, IDENTIFIER.c.patient_id == patient.id)
    )


async def delete_patient(session: AsyncSession, patient: Patient) -> None:
    """Take back a patient that was inserted in this transaction."""
    await session.execute(delete(PATIENT).where(PATIENT.c.ward_id == patient.ward_id, PATIENT.c.id == patient.id))


async def update_patient(session: AsyncSession, patient: Patient, changes: Mapping[str, Any]) -> None:
    """Write the changed columns."""
    await session.execute(
        update(PATIENT).where(PATIENT.c.ward_id == patient.ward_id, PATIENT.c.id == patient.id).values(**changes)
    )


def with_identifiers(values: Mapping[str, Any], identifiers: Iterable[Identifier]) -> Patient:
    """A patient from its columns and its identifiers."""
    ordered = tuple(sorted(identifiers))
    nhs = next((each.value for each in ordered if each.system == "nhs_number"), None)
    return Patient(identifiers=ordered, nhs_number=nhs, **values)


async def _one(session: AsyncSession, query: Any) -> Patient:
    found = await _many(session, query)
    if not found:
        raise NotFound
    return found[0]


async def _many(session: AsyncSession, query: Any) -> list[Patient]:
    rows = (await session.execute(query)).mappings().all()
    known: dict[tuple[str, str], list[Identifier]] = {}
    for row in rows:
        known[row["ward_id"], row["id"]] = []
    if known:
        columns = (IDENTIFIER.c.ward_id, IDENTIFIER.c.patient_id, IDENTIFIER.c.system, IDENTIFIER.c.value)
        pairs = tuple_(IDENTIFIER.c.ward_id, IDENTIFIER.c.patient_id).in_(list(known))
        for ward_id, patient_id, system, value in await session.execute(select(*columns).where(pairs)):
            known[ward_id, patient_id].append(Identifier(system, value))
    return [with_identifiers(dict(row), known[row["ward_id"], row["id"]]) for row in rows]
