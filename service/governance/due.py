"""Whose record has been kept for its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from service.governance.terms import IDEMPOTENCY_AFTER, kept_until
from service.patients.records import years_after
from service.storage.direct import Where
from service.storage.tables import METADATA
from service.storage.tables.alerts import UNRESOLVED
from service.storage.tables.patients import GOES_ON

PATIENT = METADATA.tables["patient"]
STAY = METADATA.tables["stay"]
ALERT = METADATA.tables["alert"]
IDEMPOTENCY = METADATA.tables["idempotency"]
AT_A_TIME = 200


@dataclass(frozen=True, slots=True)
class Due:
    """A patient whose care ended `ended_at`, and whose record may go since `until`."""

    patient_id: str
    ended_at: datetime
    until: date


async def wards_with_due(where: Where, now: datetime, years: int) -> Sequence[str]:
    """The wards where somebody's record may have been kept for its time; children's may be kept longer."""
    found = await where.execute(select(PATIENT.c.ward_id).where(*_long_ended(now, years)).distinct())
    return sorted(found.scalars())


async def list_due(where: Where, ward_id: str, now: datetime, years: int, at_most: int | None = None) -> Sequence[Due]:
    """The patients of a ward whose record has been kept for its time, in order of their ids.

    Never one with a stay that goes on or an alert that is not resolved."""
    found: list[Due] = []
    query = _ended(now, years).where(PATIENT.c.ward_id == ward_id).order_by(PATIENT.c.id).limit(AT_A_TIME)
    after: str | None = None
    while True:
        rows = (await where.execute(query if after is None else query.where(PATIENT.c.id > after))).all()
        found += [due for row in rows if (due := _due(row, now, years)) is not None]
        if len(rows) < AT_A_TIME or (at_most is not None and len(found) >= at_most):
            return found[:at_most]
        after = rows[-1].id


async def find_due(where: Where, ward_id: str, patient_id: str, now: datetime, years: int) -> Due | None:
    """What `list_due` says of one patient."""
    query = _ended(now, years).where(PATIENT.c.ward_id == ward_id, PATIENT.c.id == patient_id)
    row = (await where.execute(query)).one_or_none()
    return None if row is None else _due(row, now, years)


async def wards_with_old_keys(where: Where, now: datetime) -> Sequence[str]:
    """The wards with names of readings that nobody will send again."""
    named = exists().where(IDEMPOTENCY.c.ward_id == STAY.c.ward_id, IDEMPOTENCY.c.stay_id == STAY.c.id)
    found = await where.execute(select(STAY.c.ward_id).where(_over(now), named).distinct())
    return sorted(found.scalars())


def old_keys(now: datetime) -> ColumnElement[bool]:
    """The condition that the name of a reading is one that nobody will send again."""
    stays = select(STAY.c.id).where(STAY.c.ward_id == IDEMPOTENCY.c.ward_id, _over(now))
    return IDEMPOTENCY.c.stay_id.in_(stays)


def _over(now: datetime) -> ColumnElement[bool]:
    return and_(STAY.c.status == "discharged", STAY.c.discharged_at < now - IDEMPOTENCY_AFTER)


def _long_ended(now: datetime, years: int) -> tuple[ColumnElement[bool], ...]:
    last = datetime.combine(years_after(now.date(), -years), time.max, tzinfo=UTC)
    later = or_(GOES_ON, STAY.c.discharged_at > last)
    stay = exists().where(STAY.c.ward_id == PATIENT.c.ward_id, STAY.c.patient_id == PATIENT.c.id, later)
    # By its stays, for those have an index.
    alert = exists().where(
        STAY.c.ward_id == PATIENT.c.ward_id, STAY.c.patient_id == PATIENT.c.id,
        ALERT.c.ward_id == STAY.c.ward_id, ALERT.c.stay_id == STAY.c.id, UNRESOLVED,
    )  # fmt: skip
    return PATIENT.c.created_at <= last, ~stay, ~alert


def _ended(now: datetime, years: int) -> Select[Any]:
    of_the_patient = and_(STAY.c.ward_id == PATIENT.c.ward_id, STAY.c.patient_id == PATIENT.c.id)
    last = select(func.max(STAY.c.discharged_at)).where(of_the_patient).correlate(PATIENT).scalar_subquery()
    columns = (PATIENT.c.id, PATIENT.c.birth_date, PATIENT.c.created_at, last.label("ended_at"))
    return select(*columns).where(*_long_ended(now, years))


def _due(row: Any, now: datetime, years: int) -> Due | None:
    ended_at = row.ended_at or row.created_at
    until = kept_until(ended_at, row.birth_date, years)
    return Due(row.id, ended_at, until) if until <= now.date() else None
