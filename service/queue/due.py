"""Queries on alerts whose limits for people pass: found without a lock, then held, stays first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update

from service.queue.checkpoints import readable
from service.queue.store import ALERT, LOCK_ALERTS, STAY, WARD, LockedAlert, locked_of
from service.storage.direct import Where
from service.storage.portable import insert_or_skip
from service.storage.tables import METADATA
from service.storage.tables.alerts import UNRESOLVED

WARD_WATCH = METADATA.tables["ward_watch"]

TRY_AGAIN = timedelta(hours=1)
"""An alert that cannot be read is looked at again after this time."""

_FIRST = select(func.min(ALERT.c.limit_at)).where(ALERT.c.ward_id == WARD.c.id, UNRESOLVED).scalar_subquery()
_UNSEEN = select(ALERT.c.id).where(ALERT.c.ward_id == WARD.c.id, UNRESOLVED, ALERT.c.limit_at.is_(None)).exists()
_WARDS = select(WARD.c.id, _FIRST, _UNSEEN)

_DUE = (
    select(ALERT.c.id, ALERT.c.stay_id)
    .where(
        ALERT.c.ward_id == bindparam("in_ward"),
        UNRESOLVED,
        or_(ALERT.c.limit_at.is_(None), ALERT.c.limit_at <= bindparam("now", type_=ALERT.c.limit_at.type)),
    )
    .order_by(ALERT.c.limit_at, ALERT.c.id)
    .limit(bindparam("at_most"))
)


@dataclass(frozen=True, slots=True)
class DueAlert:
    """An alert of a ward that has to be looked at."""

    alert_id: str
    stay_id: str | None


async def first_limits(where: Where, now: datetime) -> list[tuple[str, datetime | None]]:
    """For each ward when its first limit passes; `now` where an alert has not been looked at yet."""
    found = await where.execute(_WARDS)
    return [(ward_id, now if unseen else first) for ward_id, first, unseen in found]


async def list_due(where: Where, ward_id: str, now: datetime, at_most: int) -> list[DueAlert]:
    """The ward's alerts with a limit that has passed, the oldest limit first. No lock."""
    found = await where.execute(_DUE, {"in_ward": ward_id, "now": now, "at_most": at_most})
    return [DueAlert(*row) for row in found]


async def hold(where: Where, ward_id: str, alerts: Sequence[DueAlert]) -> list[LockedAlert]:
    """These alerts under their locks, in the one order: the ward's watch, stays, alerts. One that cannot be read is
    left out and put off."""
    stays = sorted({alert.stay_id for alert in alerts if alert.stay_id is not None})
    if any(alert.stay_id is None for alert in alerts):
        await lock_ward_watch(where, ward_id)
    if stays:
        held = select(STAY.c.id).where(STAY.c.ward_id == ward_id, STAY.c.id.in_(stays)).order_by(STAY.c.id)
        await where.execute(held.with_for_update(key_share=True))
    query = LOCK_ALERTS.where(ALERT.c.id.in_(sorted(alert.alert_id for alert in alerts)))
    found = (await where.execute(query, {"in_ward": ward_id})).all()
    return [locked_of(row) for row in found if readable(row[0], row[3]) is not None]


async def lock_ward_watch(where: Where, ward_id: str) -> None:
    """Lock what stands for the ward itself, in place of a stay."""
    await where.execute(insert_or_skip(where, WARD_WATCH, ("ward_id",)).values(ward_id=ward_id))
    held = select(WARD_WATCH.c.ward_id).where(WARD_WATCH.c.ward_id == ward_id)
    await where.execute(held.with_for_update(key_share=True))


async def put_off(where: Where, ward_id: str, alert_ids: Sequence[str], until: datetime) -> None:
    """Look at these alerts, which cannot be read now, at a later time."""
    values: Mapping[str, Any] = {"limit_at": until}
    mine = and_(ALERT.c.ward_id == ward_id, ALERT.c.id.in_(alert_ids))
    await where.execute(update(ALERT).where(mine).values(values))
