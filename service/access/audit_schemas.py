"""The audit trail as the API shows it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from service.fields import NIL_ID


class WhoOut(BaseModel):
    """Who did it: `system` without an id is the service itself, or somebody who was not known."""

    kind: str
    id: str | None


class EntrySubjectOut(BaseModel):
    """What it was done to."""

    type: str
    id: str | None


class EntryOut(BaseModel):
    """One entry. `number` counts on the ward, and is null for the moment until it is sealed."""

    id: str
    ward_id: str | None = Field(description="null: it concerns the whole service")
    number: int | None
    at: datetime
    actor: WhoOut
    action: str
    outcome: str
    subject: EntrySubjectOut | None
    address: str | None
    request_id: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, row: Any) -> "EntryOut":
        """From a row of the trail."""
        return cls(
            id=row.id,
            ward_id=None if row.ward_id == NIL_ID else row.ward_id,
            number=row.number,
            at=row.at,
            actor=WhoOut(kind=row.actor_kind, id=row.actor_id),
            action=row.action,
            outcome=row.outcome,
            subject=EntrySubjectOut(type=row.subject_type, id=row.subject_id) if row.subject_type else None,
            address=row.address,
            request_id=row.request_id,
            detail=row.detail,
        )


class AuditOut(BaseModel):
    """A page of the trail."""

    items: list[EntryOut]
    next_cursor: str | None
