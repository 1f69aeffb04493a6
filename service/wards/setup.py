"""Opening a ward, and changing what is written about it."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.principals import Principal
from service.fields import new_id
from service.versions import require_version
from service.wards import store
from service.wards.store import Ward

DEFAULT_TIME_ZONE = "Europe/London"


async def open_ward(
    session: AsyncSession,
    who: Principal | None,
    at: datetime,
    *,
    name: str,
    ods_code: str | None = None,
    time_zone: str = DEFAULT_TIME_ZONE,
    phone: str | None = None,
    out_of_hours_text: str | None = None,
) -> Ward:
    """A new ward with an empty feed. `who` None is the command line; `at` is real time."""
    ward = Ward(new_id(), name, ods_code, time_zone, phone, out_of_hours_text, 1)
    await store.insert_ward(session, ward, new_id(), at)
    await audit.append(session, who, "ward.opened", at, ward_id=ward.id, subject=("ward", ward.id))
    return ward


async def change_ward(
    session: AsyncSession, who: Principal, ward_id: str, changes: Mapping[str, Any], seen: int, at: datetime
) -> Ward:
    """The ward with some fields changed; raises NotFound, StaleVersion. `at` is real time."""
    ward = await store.get_ward(session, who, ward_id, lock=True)
    require_version(seen, ward.version, ward)
    if not changes:
        return ward
    changed = dataclasses.replace(ward, **changes, version=ward.version + 1)
    await store.update_ward(session, ward_id, {**changes, "version": changed.version})
    detail = {"fields": sorted(changes)}
    await audit.append(session, who, "ward.changed", at, ward_id=ward_id, subject=("ward", ward_id), detail=detail)
    return changed
