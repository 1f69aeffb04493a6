"""Queries of the intake: each one serves all stays of a group at once. Core on the tables, no ORM objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.reading import Reading, Symptom
from service.readings.submission import Arrival
from service.storage.portable import IdType, InstantType, insert_or_skip, rows_of
from service.storage.session import ReadSession
from service.storage.tables import METADATA

WINDOW = timedelta(hours=48)
"""How far back a reading is judged against those before it."""
WINDOW_READINGS = 200
"""At most this many before it."""

stay_table = METADATA.tables["stay"]
ward_table = METADATA.tables["ward"]
plan_table = METADATA.tables["plan"]
reading_table = METADATA.tables["reading"]
idempotency_table = METADATA.tables["idempotency"]
refusal_table = METADATA.tables["refusal"]

StayKey = tuple[str, str]
"""(ward_id, stay_id)"""

JUDGED_COLUMNS = (
    "id",
    "observed_at",
    "received_at",
    "spo2",
    "pulse_rate",
    "respiratory_rate",
    "systolic_bp",
    "diastolic_bp",
    "temperature",
    "consciousness",
    "oxygen_flow",
    "context",
    "breathlessness",
    "feeling",
    "symptoms",
    "quality",
    "claimed_at",
)
"""What the engine needs of a stored reading, in the order `to_reading` takes it."""


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


async def lock_stays(connection: AsyncConnection, keys: Iterable[StayKey]) -> dict[StayKey, LockedStay]:
    """Lock the stays, in key order, and return those that exist."""
    given = rows_of(connection, {"ward_id": IdType, "stay_id": IdType}, sorted(keys))
    query = (
        select(
            stay_table.c.ward_id,
            stay_table.c.id,
            stay_table.c.patient_id,
            stay_table.c.status,
            stay_table.c.plan_version,
            stay_table.c.sixteen_on,
            ward_table.c.time_zone,
        )
        .join_from(
            given, stay_table, and_(stay_table.c.ward_id == given.c.ward_id, stay_table.c.id == given.c.stay_id)
        )
        .join(ward_table, ward_table.c.id == stay_table.c.ward_id)
        .order_by(stay_table.c.ward_id, stay_table.c.id)
        .with_for_update(key_share=True, of=stay_table)
    )
    return {(row[0], row[1]): LockedStay(*row) for row in await connection.execute(query)}


async def win_keys(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert the idempotency rows; the ids of those readings whose key was not taken before."""
    statement = insert_or_skip(connection, idempotency_table, ("ward_id", "stay_id", "sender_id", "key"))
    won = await connection.execute(statement.values(list(rows)).returning(idempotency_table.c.reading_id))
    return set(won.scalars())


async def taken_keys(
    connection: AsyncConnection, arrival: Arrival, keys: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """For keys that were taken before: key -> (content digest, reading id)."""
    table = idempotency_table
    query = select(table.c.key, table.c.content, table.c.reading_id).where(
        table.c.ward_id == arrival.ward_id,
        table.c.stay_id == arrival.stay_id,
        table.c.sender_id == arrival.sender_id,
        table.c.key.in_(keys),
    )
    return {row.key: (row.content, row.reading_id) for row in await connection.execute(query)}


async def load_windows(
    connection: AsyncConnection, since: Mapping[StayKey, datetime]
) -> dict[StayKey, list[Reading]]:
    """The readings of each stay observed since its instant, oldest first."""
    given = rows_of(
        connection,
        {"ward_id": IdType, "stay_id": IdType, "since": InstantType},
        [(ward_id, stay_id, instant) for (ward_id, stay_id), instant in since.items()],
    )
    columns = [reading_table.c[name] for name in JUDGED_COLUMNS]
    query = (
        select(reading_table.c.ward_id, reading_table.c.stay_id, *columns)
        .join_from(
            given,
            reading_table,
            and_(
                reading_table.c.ward_id == given.c.ward_id,
                reading_table.c.stay_id == given.c.stay_id,
                reading_table.c.observed_at > given.c.since,
            ),
        )
        .order_by(reading_table.c.observed_at, reading_table.c.received_at, reading_table.c.id)
    )
    windows: dict[StayKey, list[Reading]] = {key: [] for key in since}
    for row in await connection.execute(query):
        windows[row[0], row[1]].append(to_reading(row[2:]))
    return windows


def to_reading(values: Sequence[Any]) -> Reading:
    """A stored reading as the engine takes it; `values` in the order of JUDGED_COLUMNS."""
    return Reading(
        id=values[0],
        observed_at=values[1],
        received_at=values[2],
        spo2=values[3],
        pulse_rate=values[4],
        respiratory_rate=values[5],
        systolic_bp=values[6],
        diastolic_bp=values[7],
        temperature=values[8],
        consciousness=values[9],
        oxygen_flow=values[10],
        context=values[11],
        breathlessness=values[12],
        feeling=values[13],
        symptoms=to_symptoms(values[14]),
        quality=values[15],
        time_corrected=values[16] is not None,
    )


def to_symptoms(stored: str | None) -> tuple[Symptom, ...] | None:
    """Symptoms from their column: None was not asked, empty is asked and none."""
    if not stored:
        return None if stored is None else ()
    return tuple(Symptom(word) for word in stored.split(","))


async def get_reading(connection: AsyncConnection, ward_id: str, reading_id: str) -> Row[Any]:
    """The whole row of one reading; raises NoResultFound when it is gone."""
    query = select(reading_table).where(reading_table.c.ward_id == ward_id, reading_table.c.id == reading_id)
    return (await connection.execute(query)).one()


async def load_plans(connection: AsyncConnection, keys: Iterable[StayKey]) -> dict[tuple[str, int], Row[Any]]:
    """Every plan version of these stays, by (stay_id, version)."""
    given = rows_of(connection, {"ward_id": IdType, "stay_id": IdType}, sorted(keys))
    query = select(plan_table).join_from(
        given, plan_table, and_(plan_table.c.ward_id == given.c.ward_id, plan_table.c.stay_id == given.c.stay_id)
    )
    return {(row.stay_id, row.version): row for row in await connection.execute(query)}


async def insert_readings(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert readings; all rows have the same columns."""
    if rows:
        await connection.execute(insert(reading_table), list(rows))


async def insert_refusals(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert refusals."""
    if rows:
        await connection.execute(insert(refusal_table), list(rows))


async def list_refusals(connection: AsyncConnection, key: StayKey, since: datetime) -> list[datetime]:
    """When readings of a stay were refused since an instant, oldest first."""
    query = (
        select(refusal_table.c.at)
        .where(refusal_table.c.ward_id == key[0], refusal_table.c.stay_id == key[1], refusal_table.c.at > since)
        .order_by(refusal_table.c.at)
    )
    return list((await connection.execute(query)).scalars())


async def find_ward_of_stay(session: ReadSession, ward_ids: Sequence[str], stay_id: str) -> str | None:
    """The ward of a stay, if it is one of these wards."""
    query = select(stay_table.c.ward_id).where(stay_table.c.ward_id.in_(ward_ids), stay_table.c.id == stay_id)
    return (await session.execute(query)).scalar()
