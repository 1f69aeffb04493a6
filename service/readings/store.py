"""Queries of the intake: each one serves all stays of a group at once. Core on the tables, no ORM objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, insert, select, update

from service.storage.inline import Where
from service.storage.portable import Given, IdType, dialect_of
from service.storage.tables import METADATA

WINDOW = timedelta(hours=48)
"""How far back a reading is judged against those before it."""

stay_table = METADATA.tables["stay"]
ward_table = METADATA.tables["ward"]
plan_table = METADATA.tables["plan"]
reading_table = METADATA.tables["reading"]
refusal_table = METADATA.tables["refusal"]

StayKey = tuple[str, str]
"""(ward_id, stay_id)"""


@dataclass(frozen=True, slots=True)
class LockedStay:
    """A stay whose row this transaction holds."""

    ward_id: str
    id: str
    patient_id: str
    status: str
    plan_version: int
    sixteen_on: date
    time_zone: str
    due_at: datetime | None


STAY_KEYS = Given(ward_id=IdType, stay_id=IdType)
READING_COLUMNS = Given(**{column.name: column.type for column in reading_table.c})
"""What the statements below are handed; each statement is built once for each kind of database."""


@cache
def _lock_stays(dialect: str) -> Select[Any]:
    given = STAY_KEYS.table(dialect)
    stay = stay_table.c
    return (
        select(
            stay.ward_id,
            stay.id,
            stay.patient_id,
            stay.status,
            stay.plan_version,
            stay.sixteen_on,
            ward_table.c.time_zone,
            stay.due_at,
        )
        .join_from(given, stay_table, and_(stay.ward_id == given.c.ward_id, stay.id == given.c.stay_id))
        .join(ward_table, ward_table.c.id == stay.ward_id)
        .order_by(stay.ward_id, stay.id)
        .with_for_update(key_share=True, of=stay_table)
    )


async def lock_stays(where: Where, keys: Iterable[StayKey]) -> dict[StayKey, LockedStay]:
    """Lock the stays, in key order, and return those that exist."""
    dialect = dialect_of(where)
    found = await where.execute(_lock_stays(dialect), STAY_KEYS.params(dialect, sorted(keys)))
    return {(row[0], row[1]): LockedStay(*row) for row in found}


@dataclass(frozen=True, slots=True)
class Due:
    """When a stay has to be looked at though nothing arrives."""

    ward_id: str
    stay_id: str
    at: datetime


_WRITE_DUE = (
    update(stay_table)
    .where(stay_table.c.ward_id == bindparam("in_ward"), stay_table.c.id == bindparam("stay"))
    .values(due_at=bindparam("at"))
)


async def write_due(where: Where, dues: Sequence[Due]) -> None:
    """Write when these stays, which are locked, are due."""
    if dues:
        await where.execute(_WRITE_DUE, [{"in_ward": due.ward_id, "stay": due.stay_id, "at": due.at} for due in dues])


async def load_readings(where: Where, ward_id: str, reading_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """The whole rows of these readings of a ward, by id."""
    query = select(reading_table).where(reading_table.c.ward_id == ward_id, reading_table.c.id.in_(reading_ids))
    return {row.id: row for row in await where.execute(query)}


@cache
def _load_plans(dialect: str) -> Select[Any]:
    given = STAY_KEYS.table(dialect)
    plan = plan_table.c
    return select(plan_table).join_from(
        given, plan_table, and_(plan.ward_id == given.c.ward_id, plan.stay_id == given.c.stay_id)
    )


async def load_plans(where: Where, keys: Iterable[StayKey]) -> dict[tuple[str, int], Row[Any]]:
    """Every plan version of these stays, by (stay_id, version)."""
    dialect = dialect_of(where)
    found = await where.execute(_load_plans(dialect), STAY_KEYS.params(dialect, sorted(keys)))
    return {(row.stay_id, row.version): row for row in found}


_INSERT_REFUSALS = insert(refusal_table)


@cache
def _insert_readings(dialect: str) -> Any:
    given = READING_COLUMNS.table(dialect)
    names = [column.name for column in reading_table.c]
    return insert(reading_table).from_select(names, select(*(given.c[name] for name in names)))


async def insert_readings(where: Where, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert readings; a column that a row does not name is NULL."""
    if rows:
        dialect = dialect_of(where)
        values = [[row.get(column.name) for column in reading_table.c] for row in rows]
        await where.execute(_insert_readings(dialect), READING_COLUMNS.params(dialect, values))


async def insert_refusals(where: Where, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert refusals."""
    if rows:
        await where.execute(_INSERT_REFUSALS, list(rows))


async def list_refusals(where: Where, key: StayKey, since: datetime) -> list[datetime]:
    """When readings of a stay were refused since an instant, oldest first."""
    query = (
        select(refusal_table.c.at)
        .where(refusal_table.c.ward_id == key[0], refusal_table.c.stay_id == key[1], refusal_table.c.at > since)
        .order_by(refusal_table.c.at)
    )
    return list((await where.execute(query)).scalars())


@cache
def _find_stays(dialect: str) -> Select[Any]:
    given = STAY_KEYS.table(dialect)
    stay = stay_table.c
    of_the_key = and_(stay.ward_id == given.c.ward_id, stay.id == given.c.stay_id)
    return select(stay.ward_id, stay.id).join_from(given, stay_table, of_the_key)


async def find_stays(where: Where, keys: Iterable[StayKey]) -> list[StayKey]:
    """Those of the keys that are stays."""
    dialect = dialect_of(where)
    found = await where.execute(_find_stays(dialect), STAY_KEYS.params(dialect, sorted(keys)))
    return [(row[0], row[1]) for row in found]
