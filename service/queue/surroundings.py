"""Queries on what lies around an alert that somebody acts on: its stay, its successors, the ward's people and rules."""

from sqlalchemy import and_, select, update

from alerts.limits import HumanLimits
from service.access.principals import CLINICIAN_ROLES
from service.cover.inforce import Cover
from service.queue.store import ALERT, STAY
from service.rules.live import live_on
from service.storage.direct import Where
from service.storage.tables import METADATA

STAFF = METADATA.tables["staff"]
MEMBERSHIP = METADATA.tables["membership"]


async def is_clinician(where: Where, ward_id: str, staff_id: str) -> bool:
    """Whether somebody is active staff who treats patients on the ward."""
    query = (
        select(STAFF.c.id)
        .join(MEMBERSHIP, MEMBERSHIP.c.staff_id == STAFF.c.id)
        .where(
            MEMBERSHIP.c.ward_id == ward_id,
            MEMBERSHIP.c.staff_id == staff_id,
            MEMBERSHIP.c.role.in_(sorted(CLINICIAN_ROLES)),
            STAFF.c.active,
        )
    )
    return (await where.execute(query)).first() is not None


async def has_ended(where: Where, ward_id: str, stay_id: str) -> bool:
    """Whether a stay, which is locked, is discharged."""
    query = select(STAY.c.status).where(STAY.c.ward_id == ward_id, STAY.c.id == stay_id)
    return bool((await where.execute(query)).scalar_one() == "discharged")


async def look_again(where: Where, ward_id: str, stay_id: str) -> None:
    """Let the timers find out when a stay, which is locked, is due next."""
    await where.execute(update(STAY).where(STAY.c.ward_id == ward_id, STAY.c.id == stay_id).values(due_at=None))


async def find_unresolved_beside(where: Where, ward_id: str, alert_id: str) -> str | None:
    """The unresolved alert of the same subject and family as a resolved one, or None."""
    other = ALERT.alias("other")
    same = and_(
        other.c.ward_id == ALERT.c.ward_id, other.c.subject == ALERT.c.subject, other.c.family == ALERT.c.family
    )
    query = (
        select(ALERT.c.id)
        .join_from(other, ALERT, same)
        .where(other.c.ward_id == ward_id, other.c.id == alert_id, ALERT.c.state != "resolved")
    )
    found: str | None = (await where.execute(query)).scalar_one_or_none()
    return found


async def limits_on(where: Where, cover: Cover) -> HumanLimits:
    """What the limits for people follow from on a ward now, given its cover."""
    return HumanLimits((await live_on(where, cover.ward_id)).responses, cover.hours)
