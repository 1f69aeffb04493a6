"""Queries for those who look at stays: the last reading and the unresolved alerts of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from alerts.plan import Problem
from alerts.rules.oxygen import AMBER
from alerts.severity import Family, Severity
from service.access.principals import Principal
from service.access.visibility import visible
from service.care.store import Stay
from service.fields import END_OF_TIME
from service.storage.tables import METADATA
from service.storage.tables.alerts import UNRESOLVED

STAY = METADATA.tables["stay"]
READING = METADATA.tables["reading"]
ALERT = METADATA.tables["alert"]

AMBER_EPISODES = 2
AMBER_AGAIN = Problem("profile", "amber_again", "Amber again: are these limits right for this person?")
"""CLINICAL.md §11: a clinician is asked to review the limits; they are never changed by themselves."""


@dataclass(frozen=True, slots=True)
class LastReading:
    """The latest reading of a stay by time of observation."""

    reading_id: str
    observed_at: datetime
    received_at: datetime
    spo2: float | None
    pulse_rate: int | None
    respiratory_rate: int | None
    temperature: float | None
    context: str
    quality: str
    late: bool


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not resolved. `respond_by` is the limit of the next human step; None: nothing is due."""

    id: str
    family: str
    channel: str
    title: str
    severity: str
    state: str
    opened_at: datetime
    respond_by: datetime | None
    version: int


async def list_last_readings(
    session: AsyncSession, who: Principal, ward_id: str, stay_ids: Sequence[str]
) -> dict[str, LastReading]:
    """The last reading of each of the stays that has one, by stay id."""
    # One index probe for each stay: a long stay costs as much as a short one.
    latest = (
        select(READING.c.id)
        .where(READING.c.ward_id == STAY.c.ward_id, READING.c.stay_id == STAY.c.id)
        .where(READING.c.entered_in_error_at.is_(None))
        .order_by(READING.c.observed_at.desc(), READING.c.id.desc())
        .limit(1)
        .correlate(STAY)
        .scalar_subquery()
    )
    columns = (READING.c[name] for name in LastReading.__dataclass_fields__ if name != "reading_id")
    query = (
        select(READING.c.stay_id, READING.c.id, *columns)
        .join_from(STAY, READING, and_(READING.c.ward_id == STAY.c.ward_id, READING.c.id == latest))
        .where(STAY.c.ward_id == ward_id, STAY.c.id.in_(stay_ids), visible(who, READING))
    )
    return {row[0]: LastReading(*row[1:]) for row in await session.execute(query)}


async def list_amber_again(session: AsyncSession, who: Principal, ward_id: str, stays: Sequence[Stay]) -> set[str]:
    """The stays with a second amber episode since a clinician last changed their plan, by id."""
    if not stays:
        return set()
    reviewed = {each.id: each.plan.created_at if each.plan.author_id else each.admitted_at for each in stays}
    query = select(ALERT.c.stay_id, ALERT.c.opened_at, ALERT.c.explanation).where(
        ALERT.c.ward_id == ward_id,
        ALERT.c.stay_id.in_(reviewed),
        ALERT.c.family == Family.OXYGEN.value,
        ALERT.c.opened_at >= min(reviewed.values()),
        visible(who, ALERT),
    )
    amber = Counter(
        row.stay_id
        for row in await session.execute(query)
        if row.opened_at >= reviewed[row.stay_id] and AMBER.id in row.explanation["rule_ids"]
    )
    return {stay_id for stay_id, episodes in amber.items() if episodes >= AMBER_EPISODES}


async def list_open_alerts(
    session: AsyncSession, who: Principal, ward_id: str, stay_ids: Sequence[str]
) -> dict[str, list[OpenAlert]]:
    """The unresolved alerts of the stays, the most severe first, by stay id."""
    columns = (ALERT.c[name] for name in OpenAlert.__dataclass_fields__)
    query = (
        select(ALERT.c.stay_id, *columns)
        .where(ALERT.c.ward_id == ward_id, ALERT.c.stay_id.in_(stay_ids), UNRESOLVED, visible(who, ALERT))
        .order_by(ALERT.c.severity.desc(), ALERT.c.id)
    )
    found: dict[str, list[OpenAlert]] = {stay_id: [] for stay_id in stay_ids}
    for row in (await session.execute(query)).mappings():
        values = {name: row[name] for name in OpenAlert.__dataclass_fields__}
        values["severity"] = Severity(row["severity"]).word
        if values["respond_by"] == END_OF_TIME:
            values["respond_by"] = None
        found[row["stay_id"]].append(OpenAlert(**values))
    return found
