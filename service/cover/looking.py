"""Who looks after a ward, for those who ask: the calendar, the policy, and how things stand at an instant."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import Principal
from service.cover import store
from service.cover.inforce import Cover, load_cover
from service.wards.store import get_ward


async def see_cover(session: AsyncSession, who: Principal, ward_id: str) -> Cover:
    """What is in force on a ward the principal may see; raises NotFound."""
    await get_ward(session, who, ward_id)
    return await load_cover(session, ward_id)


async def see_now(session: AsyncSession, who: Principal, ward_id: str, at: datetime) -> dict[str, Any]:
    """How a ward is covered at an instant, as `schemas.CoverageNowOut` shows it; raises NotFound."""
    cover = await see_cover(session, who, ward_id)
    coverage = cover.coverage
    now = coverage.on_duty(at)
    members = await store.list_members(session, ward_id, {each.staff_id for each in now})
    contact = cover.contact(at)
    here = coverage.hours.open_at(at)
    return {
        "at": at,
        "time_zone": coverage.hours.zone,
        "within_service_hours": here,
        "watched_now": bool(now),
        "on_duty": [
            {"staff_id": each.staff_id, "name": members[each.staff_id].name, "until": each.until}
            for each in now
            if each.staff_id in members
        ],
        "ring": {"phone": contact.phone, "text": contact.text},
        "next_change_at": coverage.next_change(at),
    }
