"""Queries on a ward's coverage and escalation policy: the versions, of which the highest is in force."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, insert, select, update

from service.access.principals import CLINICIAN_ROLES
from service.storage.direct import Where
from service.storage.tables import METADATA

WARD = METADATA.tables["ward"]
COVERAGE = METADATA.tables["coverage"]
POLICY = METADATA.tables["escalation_policy"]
STAFF = METADATA.tables["staff"]
MEMBERSHIP = METADATA.tables["membership"]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who treats patients on a ward."""

    id: str
    name: str
    email: str
    role: str


def _newest(table: Any) -> Any:
    """The version in force: of the ward in the outer query."""
    other = table.alias()
    return select(func.max(other.c.version)).where(other.c.ward_id == WARD.c.id).scalar_subquery()


_LOAD = (
    select(
        WARD.c.id,
        WARD.c.name,
        WARD.c.cover_version,
        WARD.c.time_zone,
        WARD.c.phone,
        WARD.c.out_of_hours_text,
        COVERAGE.c.version.label("coverage_version"),
        COVERAGE.c.service_hours,
        COVERAGE.c.on_duty,
        POLICY.c.version.label("policy_version"),
        POLICY.c.steps,
        POLICY.c.out_of_hours_email,
    )
    .select_from(WARD)
    .outerjoin(COVERAGE, and_(COVERAGE.c.ward_id == WARD.c.id, COVERAGE.c.version == _newest(COVERAGE)))
    .outerjoin(POLICY, and_(POLICY.c.ward_id == WARD.c.id, POLICY.c.version == _newest(POLICY)))
    .where(WARD.c.id == bindparam("ward"))
)


def hours_in_force() -> Any:
    """The service hours of the ward in a statement (NULL: the default), as a column of it."""
    of_the_ward = select(COVERAGE.c.service_hours).where(COVERAGE.c.ward_id == WARD.c.id)
    return of_the_ward.order_by(COVERAGE.c.version.desc()).limit(1).correlate(WARD).scalar_subquery()


async def load(where: Where, ward_id: str) -> Row[Any] | None:
    """The ward with its coverage and its policy (NULL: the default); None when there is no such ward."""
    found: Row[Any] | None = (await where.execute(_LOAD, {"ward": ward_id})).one_or_none()
    return found


async def insert_version(where: Where, table: str, row: Mapping[str, Any]) -> None:
    """A new version, in force from now on: whoever keeps the ward's cover in memory reads it again."""
    await where.execute(insert(METADATA.tables[table]).values(**row))
    newer = {"cover_version": WARD.c.cover_version + 1}
    await where.execute(update(WARD).where(WARD.c.id == row["ward_id"]).values(newer))


async def list_members(where: Where, ward_id: str, staff_ids: Collection[str] | None = None) -> dict[str, Member]:
    """The active clinicians and leads of a ward, or those of them with these ids, by id."""
    query = (
        select(STAFF.c.id, STAFF.c.name, STAFF.c.email, MEMBERSHIP.c.role)
        .join(MEMBERSHIP, MEMBERSHIP.c.staff_id == STAFF.c.id)
        .where(MEMBERSHIP.c.ward_id == ward_id, MEMBERSHIP.c.role.in_(sorted(CLINICIAN_ROLES)), STAFF.c.active)
        .order_by(STAFF.c.name, STAFF.c.id)
    )
    if staff_ids is not None:
        query = query.where(STAFF.c.id.in_(sorted(staff_ids)))
    return {row[0]: Member(*row) for row in await where.execute(query)}
