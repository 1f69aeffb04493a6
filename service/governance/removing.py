"""Taking away what is held on a patient, in small transactions: what was begun goes on with the next one.

Rows go from the outside in, the patient last. Events keep their number, kind and instant, for a feed has no gaps, and
lose whom they were about; the audit trail holds ids alone, which then lead nowhere, and stays as it was sealed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, or_, select, tuple_, update

from service.access import audit
from service.feed.numbering import NewEvent, append_events
from service.fields import NIL_ID
from service.governance.due import Due, find_due
from service.governance.held import BY_NAME
from service.storage.direct import Where
from service.storage.tables import METADATA

AT_A_TIME = 500
"""Rows of one transaction."""

TABLES = METADATA.tables
PATIENT, STAY, ALERT, READING, EVENT = (TABLES[name] for name in ("patient", "stay", "alert", "reading", "event"))
CARER, TRANSFER = TABLES["carer"], TABLES["transfer"]
KEPT = frozenset({"audit", "event"})
"""What stays: sealed, or numbered without a gap."""
ORDER: Sequence[str] = (
    "alert_note", "alert_response", "notice", "alert", "access_incident", "pairing", "pairing_code", "token_family",
    "access_change", "idempotency", "refusal", "reading", "plan", "transfer", "transfer_to_here", "stay", "carer",
    "erasure", "patient_identifier",
)  # fmt: skip
"""So that nothing refers to what has gone; the patient comes last."""


async def remove_some(
    where: Where,
    ward_id: str,
    patient_id: str,
    now: datetime,
    real_at: datetime,
    years: int,
    most: int = AT_A_TIME,
) -> bool:
    """Remove up to `most` rows of a patient's record; whether it is gone, or is not to go any more.

    Holds the patient: whoever admits the person meanwhile waits, and whoever was first stops the removal."""
    held = select(PATIENT.c.id).where(PATIENT.c.ward_id == ward_id, PATIENT.c.id == patient_id)
    await where.execute(held.with_for_update(key_share=True))
    due = await find_due(where, ward_id, patient_id, now, years)
    if due is None:
        return True
    left = most - await _blank_events(where, ward_id, patient_id, most)
    for name in ORDER:
        if left <= 0:
            return False
        left -= await delete_rows(where, BY_NAME[name].table, rows_of(name, ward_id, patient_id), left)
    if left <= 0:
        return False
    await _finish(where, ward_id, due, now, real_at)
    return True


async def count_held(where: Where, ward_id: str, patient_id: str) -> Mapping[str, int]:
    """How many rows of each table would go."""
    counts = {}
    for name in ORDER:
        table = BY_NAME[name].table
        query = select(func.count()).select_from(table).where(rows_of(name, ward_id, patient_id))
        counts[name] = (await where.execute(query)).scalar_one()
    return {name: count for name, count in counts.items() if count}


def rows_of(name: str, ward_id: str, patient_id: str) -> ColumnElement[bool]:
    """The condition that a row of a part is the patient's."""
    part = BY_NAME[name]
    stays = select(STAY.c.id).where(STAY.c.ward_id == ward_id, STAY.c.patient_id == patient_id)
    alerts = select(ALERT.c.id).where(ALERT.c.ward_id == ward_id, ALERT.c.stay_id.in_(stays))
    carers = select(CARER.c.id).where(CARER.c.ward_id == ward_id, CARER.c.patient_id == patient_id)
    column = part.table.c[part.column]
    if name == "stay":
        mine: ColumnElement[bool] = part.table.c.patient_id == patient_id
    elif part.owner == "patient":
        mine = column == patient_id
    elif part.owner == "at_home":
        mine = or_(column == patient_id, column.in_(carers))
    else:
        mine = column.in_(stays if part.owner == "stay" else alerts)
    return mine if part.ward is None else and_(part.table.c[part.ward] == ward_id, mine)


async def _blank_events(where: Where, ward_id: str, patient_id: str, most: int) -> int:
    stays = select(STAY.c.id).where(STAY.c.ward_id == ward_id, STAY.c.patient_id == patient_id)
    of_the_stays = (READING.c.ward_id == ward_id, READING.c.stay_id.in_(stays))
    subjects: Sequence[Select[Any]] = (
        select(PATIENT.c.id).where(PATIENT.c.ward_id == ward_id, PATIENT.c.id == patient_id),
        stays,
        select(ALERT.c.id).where(ALERT.c.ward_id == ward_id, ALERT.c.stay_id.in_(stays)),
        # An event about a reading says that it was corrected.
        select(READING.c.id).where(*of_the_stays, READING.c.entered_in_error_at.is_not(None)),
        select(TRANSFER.c.id).where(TRANSFER.c.ward_id == ward_id, TRANSFER.c.new_stay_id.in_(stays)),
    )
    blanked = 0
    for subject in subjects:
        about = and_(EVENT.c.ward_id == ward_id, EVENT.c.subject_id.in_(subject))
        found = select(EVENT.c.number).where(about).order_by(EVENT.c.number).limit(most - blanked)
        numbers = (await where.execute(found)).scalars().all()
        if numbers:
            which = (EVENT.c.ward_id == ward_id, EVENT.c.number.in_(numbers))
            await where.execute(update(EVENT).where(*which).values(subject_id=NIL_ID, actor_id=None, data={}))
        blanked += len(numbers)
        if blanked == most:
            break
    return blanked


async def delete_rows(where: Where, table: Table, which: ColumnElement[bool], at_most: int) -> int:
    """Delete rows of a table, at most so many, in order of their keys; how many there were."""
    keys = list(table.primary_key)
    rows = (await where.execute(select(*keys).where(which).order_by(*keys).limit(at_most))).all()
    if rows:
        await where.execute(delete(table).where(tuple_(*keys).in_([tuple(row) for row in rows])))
    return len(rows)


async def _finish(where: Where, ward_id: str, due: Due, now: datetime, real_at: datetime) -> None:
    await where.execute(delete(PATIENT).where(PATIENT.c.ward_id == ward_id, PATIENT.c.id == due.patient_id))
    subject = ("patient", due.patient_id)
    detail = {"ended_on": due.ended_at.date().isoformat(), "kept_until": due.until.isoformat()}
    await audit.append(where, None, "patient.removed", real_at, ward_id=ward_id, subject=subject, detail=detail)
    # Last, for it locks the ward's feed: whoever shows closed alerts shows these no more.
    await append_events(where, ward_id, [NewEvent("patient.removed", now, "patient", due.patient_id, {})])
