"""Looking at the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.audit import AUDIT
from service.access.principals import Principal
from service.access.store import CLIENT_WARD, MEMBERSHIP
from service.access.visibility import visible
from service.fields import NIL_ID


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are wanted; None: all. `after`: the id of the last entry of the page before."""

    ward_id: str | None = None
    actor_id: str | None = None
    subject_id: str | None = None
    action: str | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None
    after: str | None = None


async def list_entries(session: AsyncSession, who: Principal, asked: Asked, limit: int) -> Sequence[Row[Any]]:
    """The entries that somebody may see, newest first."""
    people = select(MEMBERSHIP.c.staff_id).where(visible(who, MEMBERSHIP))
    systems = select(CLIENT_WARD.c.client_id).where(visible(who, CLIENT_WARD))
    ours = [column.in_(each) for column in (AUDIT.c.actor_id, AUDIT.c.subject_id) for each in (people, systems)]
    query = select(AUDIT).where(or_(visible(who, AUDIT), and_(AUDIT.c.ward_id == NIL_ID, or_(*ours))))
    for name in ("ward_id", "actor_id", "subject_id", "action"):
        if (value := getattr(asked, name)) is not None:
            query = query.where(AUDIT.c[name] == value)
    if asked.at_from is not None:
        query = query.where(AUDIT.c.at >= asked.at_from)
    if asked.at_to is not None:
        query = query.where(AUDIT.c.at < asked.at_to)
    if asked.after is not None:
        query = query.where(AUDIT.c.id < asked.after)
    return (await session.execute(query.order_by(AUDIT.c.id.desc()).limit(limit))).all()
