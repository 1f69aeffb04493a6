"""Queries of the intake: each one serves all stays of a group at once. Core on the tables, no ORM objects."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select

from service.storage.direct import Insert, Statement, Update, Where, fetch, insert_rows
from service.storage.portable import Given, IdType, dialect_of, for_each
from service.storage.tables import METADATA

stay_table = METADATA.tables["stay"]
ward_table = METADATA.tables["ward"]
plan_table = METADATA.tables["plan"]
reading_table = METADATA.tables["reading"]
idempotency_table = METADATA.tables["idempotency"]
refusal_table = METADATA.tables["refusal"]

StayKey = tuple[str, str]
"""(ward_id, stay_id)"""


class LockedStay(NamedTuple):
    """A stay whose row this transaction holds."""

    ward_id: str
    id: str
    patient_id: str
    status: str
    plan_version: int
    sixteen_on: date
    time_zone: str
    cover_version: int
    due_at: datetime | None
    admitted_at: datetime
    rule_set_number: int = 0
    shadow_number: int | None = None
    version: int = 1
    paused_until: datetime | None = None
    watch: str | None = None


STAY_KEYS = Given(ward_id=IdType, stay_id=IdType)
READING_KEYS = Given(ward_id=IdType, id=IdType)
"""What the statements below are handed."""


def _lock_stays(dialect: str) -> Select[Any]:
    given = STAY_KEYS.table(dialect)
    stay = stay_table.c
    held = (
        select(
            stay.ward_id,
            stay.id,
            stay.patient_id,
            stay.status,
            stay.plan_version,
            stay.sixteen_on,
            ward_table.c.time_zone,
            ward_table.c.cover_version,
            stay.due_at,
            stay.admitted_at,
            ward_table.c.rule_set_number,
            ward_table.c.shadow_number,
            stay.version,
            stay.paused_until,
            stay.watch,
        )
        .join_from(stay_table, ward_table, ward_table.c.id == stay.ward_id)
        .where(stay.ward_id == given.c.ward_id, stay.id == given.c.stay_id)
        .with_for_update(key_share=True, of=stay_table, skip_locked=True)
    )
    return for_each(dialect, given, held, stay.id)


LOCK_STAYS = Statement(_lock_stays)


async def lock_stays(where: Where, keys: Iterable[StayKey]) -> dict[StayKey, LockedStay]:
    """Lock the stays, in key order, and return them; without those that somebody else holds, or that do not exist."""
    found = await fetch(where, LOCK_STAYS, STAY_KEYS.params(dialect_of(where), sorted(keys)))
    stays = {(row[0], row[1]): LockedStay(*row) for row in found}
    unseen = {key: stay for key, stay in stays.items() if stay.due_at is None}
    return stays | await _by_the_rules_of_now(where, unseen) if unseen else stays


async def _by_the_rules_of_now(where: Where, stays: Mapping[StayKey, LockedStay]) -> dict[StayKey, LockedStay]:
    """The stays, which nobody has looked at since something changed, with what their wards say now. PostgreSQL reads a
    row that it locks as it is, and what it is joined with as it was when the statement began: whoever came while rules
    went live held a stay that is to be looked at by the new ones, and would have looked by the old ones."""
    ward = ward_table.c
    query = select(ward.id, ward.time_zone, ward.cover_version, ward.rule_set_number, ward.shadow_number)
    rows = await where.execute(query.where(ward.id.in_(sorted({ward_id for ward_id, _ in stays}))))
    said = {row[0]: row[1:] for row in rows}
    fields = ("time_zone", "cover_version", "rule_set_number", "shadow_number")
    return {key: stay._replace(**dict(zip(fields, said[key[0]], strict=True))) for key, stay in stays.items()}


@dataclass(frozen=True, slots=True)
class Due:
    """When a stay has to be looked at though nothing arrives, and what the watch over it remembers."""

    ward_id: str
    stay_id: str
    at: datetime
    watch: str | None


def additions(
    readings: Sequence[Mapping[str, Any]],
    names: Sequence[Mapping[str, Any]],
    refusals: Sequence[Mapping[str, Any]],
    dues: Sequence[Due],
) -> tuple[Insert | Update, ...]:
    """What a group writes beside alerts: rows of readings, of the names they have, and of what was refused; and when
    its stays, which are locked, are due."""
    due_rows = [{"ward_id": due.ward_id, "id": due.stay_id, "due_at": due.at, "watch": due.watch} for due in dues]
    return (
        Update(stay_table, due_rows),
        Insert(reading_table, readings),
        Insert(idempotency_table, names),
        Insert(refusal_table, refusals),
    )


def _load_readings(dialect: str) -> Select[Any]:
    given = READING_KEYS.table(dialect)
    reading = reading_table.c
    of_the_key = and_(reading.ward_id == given.c.ward_id, reading.id == given.c.id)
    return for_each(dialect, given, select(reading_table).where(of_the_key), reading.id)


LOAD_READINGS = Statement(_load_readings)


async def load_readings(where: Where, keys: Collection[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """The whole rows of these readings, named by ward and id, by id."""
    if not keys:
        return {}
    found = await fetch(where, LOAD_READINGS, READING_KEYS.params(dialect_of(where), sorted(keys)))
    names = [column.name for column in reading_table.c]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return {row["id"]: row for row in rows}


def _load_plans(dialect: str) -> Select[Any]:
    given = STAY_KEYS.table(dialect)
    plan = plan_table.c
    of_the_stay = and_(plan.ward_id == given.c.ward_id, plan.stay_id == given.c.stay_id)
    return for_each(dialect, given, select(plan_table).where(of_the_stay), plan.version)


LOAD_PLANS = Statement(_load_plans)


async def load_plans(where: Where, keys: Iterable[StayKey]) -> dict[tuple[str, int], dict[str, Any]]:
    """Every plan version of these stays, by (stay_id, version)."""
    found = await fetch(where, LOAD_PLANS, STAY_KEYS.params(dialect_of(where), sorted(keys)))
    names = [column.name for column in plan_table.c]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return {(row["stay_id"], row["version"]): row for row in rows}


async def insert_readings(where: Where, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert readings; each row has every column."""
    await insert_rows(where, reading_table, rows)


async def list_refusals(where: Where, key: StayKey, since: datetime) -> list[datetime]:
    """When readings of a stay were refused since an instant, oldest first."""
    query = (
        select(refusal_table.c.at)
        .where(refusal_table.c.ward_id == key[0], refusal_table.c.stay_id == key[1], refusal_table.c.at >= since)
        .order_by(refusal_table.c.at)
    )
    return list((await where.execute(query)).scalars())


def _find_stays(dialect: str) -> Select[Any]:
    given = STAY_KEYS.table(dialect)
    stay = stay_table.c
    of_the_key = and_(stay.ward_id == given.c.ward_id, stay.id == given.c.stay_id)
    return for_each(dialect, given, select(stay.ward_id, stay.id).where(of_the_key), stay.id)


FIND_STAYS = Statement(_find_stays)


async def find_stays(where: Where, keys: Iterable[StayKey]) -> list[StayKey]:
    """Those of the keys that are stays."""
    found = await fetch(where, FIND_STAYS, STAY_KEYS.params(dialect_of(where), sorted(keys)))
    return [(row[0], row[1]) for row in found]
