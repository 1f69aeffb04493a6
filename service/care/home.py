"""What somebody at home is told of their own stay: the plan, when to measure next, whom to ring, and what the team has
seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from alerts.advice import Contact
from alerts.slots import is_filled, slots_between
from alerts.watch import WatchLimits
from service.access.principals import Home, Principal
from service.care.store import Stay, get_stay
from service.cover.inforce import load_cover
from service.readings.windows import JUDGED_COLUMNS, reading_of
from service.rules.live import live_on
from service.storage.session import ReadSession
from service.storage.tables import METADATA

READING = METADATA.tables["reading"]
ALERT = METADATA.tables["alert"]
EVENT = METADATA.tables["event"]

RECENT = timedelta(hours=48)
MOST_RECENT = 50


@dataclass(frozen=True, slots=True)
class Slot:
    """A reading that is asked for `at` an instant, and from when until when it may come."""

    at: datetime
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A reading as it was kept. `seen_at`: when somebody of the team first acted on the stay after it came, or None."""

    reading_id: str
    client_reading_id: str | None
    observed_at: datetime
    received_at: datetime
    spo2: float | None
    pulse_rate: int | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class MyStay:
    """A stay as its patient and their carers see it, at an instant."""

    as_of: datetime
    stay: Stay
    time_zone: str
    next_reading: Slot | None
    watched_now: bool
    ring: Contact
    recent: Sequence[Sent]


async def see_my_stay(session: ReadSession, who: Principal, home: Home, now: datetime) -> MyStay:
    """The stay of somebody at home; raises NotFound when it is not there any more."""
    stay = await get_stay(session, who, home.ward_id, home.stay_id)
    cover = await load_cover(session, home.ward_id)
    rows = await _recent(session, home, now)
    zone, hour, rules = cover.hours.zone, cover.hour(now), await live_on(session, home.ward_id)
    return MyStay(
        as_of=now,
        stay=stay,
        time_zone=zone,
        next_reading=_next_slot(stay, zone, rules.watch, rows, now),
        watched_now=hour.watched_now,
        ring=hour.contact,
        recent=_sent(rows, await _acted_at(session, home)),
    )


async def _recent(session: ReadSession, home: Home, now: datetime) -> Sequence[Any]:
    """The newest readings of the last two days that stand."""
    names = dict.fromkeys((*JUDGED_COLUMNS, "client_reading_id"))
    query = select(*(READING.c[name] for name in names)).where(
        READING.c.ward_id == home.ward_id,
        READING.c.stay_id == home.stay_id,
        READING.c.observed_at > now - RECENT,
        READING.c.entered_in_error_at.is_(None),
    )
    return (await session.execute(query.order_by(READING.c.observed_at.desc()).limit(MOST_RECENT))).all()


def _next_slot(stay: Stay, zone: str, limits: WatchLimits, rows: Sequence[Any], now: datetime) -> Slot | None:
    """The first reading that is asked for and has not come; None while paused, ended, or without reading times."""
    plan = stay.plan.as_judged()
    if stay.status != "active" or plan is None or not plan.reading_times:
        return None
    times = plan.reading_times
    readings = [reading_of(row._mapping) for row in rows]
    since = stay.admitted_at
    for slot in slots_between(times, zone, max(since, now - limits.until), now + timedelta(days=2)):
        if not is_filled(slot, times, zone, since, readings, limits):
            return Slot(slot, slot - limits.before, slot + limits.until)
    return None


async def _acted_at(session: ReadSession, home: Home) -> list[datetime]:
    """When people of the team acted on alerts of the stay, in order."""
    # Nobody at home sees alerts: only the times are taken from them.
    mine = select(ALERT.c.id).where(ALERT.c.ward_id == home.ward_id, ALERT.c.stay_id == home.stay_id)
    query = select(EVENT.c.at).where(
        EVENT.c.ward_id == home.ward_id, EVENT.c.subject_id.in_(mine), EVENT.c.actor_id.is_not(None)
    )
    return list((await session.execute(query.order_by(EVENT.c.at))).scalars())


def _sent(rows: Sequence[Any], acted_at: Sequence[datetime]) -> list[Sent]:
    return [
        Sent(
            row.id, row.client_reading_id, row.observed_at, row.received_at, row.spo2, row.pulse_rate,
            next((at for at in acted_at if at >= row.received_at), None),
        )
        for row in rows
    ]  # fmt: skip
