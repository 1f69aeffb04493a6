"""The audit trail: who did what to what, when, with which request. Ids only: no name, no clinical value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from service.access.principals import Principal
from service.edge import address
from service.fields import NIL_ID, new_id
from service.logs import request_id
from service.storage.direct import Where
from service.storage.tables import METADATA

AUDIT = METADATA.tables["audit"]


async def append(
    where: Where,
    who: Principal | None,
    action: str,
    at: datetime,
    *,
    ward_id: str = NIL_ID,
    subject: tuple[str, str] | None = None,
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry. `at` is real time; `who` None is the command line or nobody known; `subject` (type, id);
    without a ward it concerns the whole system."""
    row = entry(who, action, at, ward_id=ward_id, subject=subject, outcome=outcome, detail=detail)
    await where.execute(insert(AUDIT).values(row))


def entry(
    who: Principal | None,
    action: str,
    at: datetime,
    *,
    ward_id: str = NIL_ID,
    subject: tuple[str, str] | None = None,
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The row of an entry, for those who add many at once."""
    kind, subject_id = subject or (None, None)
    return {
        "ward_id": ward_id,
        "id": new_id(),
        "at": at,
        "actor_kind": who.kind if who else "system",
        "actor_id": who.id if who else None,
        "action": action,
        "outcome": outcome,
        "subject_type": kind,
        "subject_id": subject_id,
        "request_id": request_id.get(),
        "address": address.get() or None,
        "detail": dict(detail or {}),
    }
