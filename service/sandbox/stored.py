"""Stays as they are stored, to try a rule set on. Reads only; the database refuses everything else."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.plan import Plan
from alerts.replay import Arrival
from service.errors import NotFound, WardwatchError
from service.fields import canonical_id
from service.readings.plans import plan_of
from service.readings.store import plan_table, reading_table, refusal_table, stay_table, ward_table
from service.readings.windows import reading_of
from service.sandbox.stays import Recorded
from service.storage.engine import open_database


class NoReadings(WardwatchError):
    """There are no readings to replay."""

    code = "no_readings"


async def load_stays(database_url: str, *, stay_id: str | None = None, ward_id: str | None = None) -> list[Recorded]:
    """The stays of a ward, or the one stay, oldest first. Raises NotFound, and NoReadings when none was ever sent."""
    wanted = canonical_id(stay_id or ward_id or "")
    if wanted is None:
        raise NotFound("That is not an id.")
    database = open_database(database_url)
    try:
        async with database.reads.connect() as connection:
            column = stay_table.c.id if stay_id is not None else stay_table.c.ward_id
            query = (
                select(stay_table, ward_table.c.time_zone)
                .join(ward_table, ward_table.c.id == stay_table.c.ward_id)
                .where(column == wanted)
                .order_by(stay_table.c.admitted_at, stay_table.c.id)
            )
            rows = (await connection.execute(query)).all()
            stays = [await _load(connection, row) for row in rows]
    finally:
        await database.close()
    if not rows:
        raise NotFound("There is no stay by that id." if stay_id else "There is no stay on a ward by that id.")
    if not any(stay.arrivals for stay in stays):
        raise NoReadings
    return [stay for stay in stays if stay.until > stay.from_at]


async def _load(connection: AsyncConnection, stay: Row[Any]) -> Recorded:
    """One stay: its plan versions, readings and refusals in the order in which they came."""
    of_the_stay = {"ward_id": stay.ward_id, "stay_id": stay.id}
    plans = await _rows(connection, plan_table, of_the_stay, plan_table.c.version)
    readings = await _rows(connection, reading_table, of_the_stay, reading_table.c.received_at, reading_table.c.id)
    refusals = await _rows(connection, refusal_table, of_the_stay, refusal_table.c.at)
    first, *later = [(row.created_at, plan_of(dict(row._mapping)) or Plan()) for row in plans] or [
        (stay.admitted_at, Plan())
    ]
    arrivals = [
        *(Arrival(at, plan=plan) for at, plan in later),
        *_received(readings),
        *(Arrival(row.at, refused=1) for row in refusals),
    ]
    arrivals.sort(key=lambda each: each.at)
    until = stay.discharged_at or max((each.at for each in arrivals), default=stay.admitted_at)
    # The instant itself still belongs to the stay.
    return Recorded(
        stay.id, first[1], _begins(stay, arrivals), until + timedelta(microseconds=1), tuple(arrivals),
        zone=stay.time_zone, sixteen_on=stay.sixteen_on,
    )  # fmt: skip


def _begins(stay: Row[Any], arrivals: Sequence[Arrival]) -> datetime:
    admitted_at: datetime = stay.admitted_at
    return min([admitted_at, *(each.at for each in arrivals[:1])])


def _received(rows: Sequence[Row[Any]]) -> list[Arrival]:
    """Readings of one receipt came in one request."""
    groups = groupby(rows, key=lambda row: row.received_at)
    return [Arrival(at, tuple(reading_of(dict(row._mapping)) for row in together)) for at, together in groups]


async def _rows(
    connection: AsyncConnection, table: Any, of_the_stay: dict[str, str], *order: Any
) -> Sequence[Row[Any]]:
    query = select(table).where(*(table.c[name] == value for name, value in of_the_stay.items())).order_by(*order)
    return (await connection.execute(query)).all()
