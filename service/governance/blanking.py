"""Which columns say who somebody is, and their removal. A test walks every column that can hold a text: one that is
neither here nor said to hold none fails it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update

from service.governance.held import BY_NAME
from service.governance.removing import rows_of
from service.patients.records import years_after
from service.storage.direct import Where
from service.storage.tables import METADATA

ERASED = "(erased)"
NO_BIRTH_DATE = date(1900, 1, 1)
"""Stands for a birth date that was removed; the column needs one."""

STAY = METADATA.tables["stay"]

BLANKS: Mapping[str, Mapping[str, Any]] = {
    "patient": {
        "family_name": ERASED,
        "given_name": ERASED,
        "birth_date": NO_BIRTH_DATE,
        "phone": None,
        "language": None,
    },
    "carer": {"name": ERASED, "relationship": None},
    "stay": {"pause_reason": None, "discharge_reason": None},
    "plan": {"patient_text": None, "reason": None},
    "reading": {
        "client_reading_id": None,
        "device_id": None,
        "entered_by": None,
        "entered_in_error_reason": None,
    },
    "alert_note": {"text": ""},
    "pairing_code": {"code_hash": "", "birth_date_hash": ""},
}
"""What takes the place of what was there, by table and column."""

DELETED = ("patient_identifier", "idempotency", "token_family")
"""Tables whose rows on the patient go."""


async def blank(where: Where, ward_id: str, patient_id: str) -> None:
    """Remove whatever says who the patient and the carers are. The caller holds the patient and the stays."""
    await _blank_sixteen(where, ward_id, patient_id)
    for name, values in BLANKS.items():
        table = BY_NAME[name].table
        await where.execute(update(table).where(rows_of(name, ward_id, patient_id)).values(**values))
    for name in DELETED:
        await where.execute(delete(BY_NAME[name].table).where(rows_of(name, ward_id, patient_id)))


async def hold_stays(where: Where, ward_id: str, patient_id: str) -> Sequence[Any]:
    """The patient's stays (id, status), held until the transaction ends; in key order."""
    query = select(STAY.c.id, STAY.c.status).where(_stays_of(ward_id, patient_id)).order_by(STAY.c.id)
    found: Sequence[Any] = (await where.execute(query.with_for_update(key_share=True))).all()
    return found


async def _blank_sixteen(where: Where, ward_id: str, patient_id: str) -> None:
    """The sixteenth birthday tells the birth date. What stays is on which side of it somebody was."""
    query = select(STAY.c.id, STAY.c.sixteen_on, STAY.c.admitted_at, STAY.c.discharged_at)
    for stay in (await where.execute(query.where(_stays_of(ward_id, patient_id)))).all():
        day = side_of_sixteen(stay.sixteen_on, stay.admitted_at, stay.discharged_at)
        which = (STAY.c.ward_id == ward_id, STAY.c.id == stay.id)
        await where.execute(update(STAY).where(*which).values(sixteen_on=day))


def side_of_sixteen(sixteen_on: date, admitted_at: datetime, discharged_at: datetime) -> date:
    """A day in place of the sixteenth birthday: one by which somebody is as old at the end of the stay as before, under
    sixteen or not, and that tells nothing else."""
    if sixteen_on > discharged_at.date():
        return years_after(discharged_at.date(), 1).replace(month=12, day=31)
    return NO_BIRTH_DATE if sixteen_on <= admitted_at.date() else admitted_at.date()


def _stays_of(ward_id: str, patient_id: str) -> ColumnElement[bool]:
    return and_(STAY.c.ward_id == ward_id, STAY.c.patient_id == patient_id)
