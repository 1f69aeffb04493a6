"""Erasures as the API takes and gives them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.body import Schema
from service.fields import Id, Instant

Reason = Literal["request_granted", "registered_in_error", "unlawful_processing", "court_order"]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9/-]{1,40}$")]


class ErasureIn(Schema):
    """Why an identity is to be removed: a word, and the number under which the hospital's own register has the case. No
    free text, which could hold a name."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "request_granted", "reference": "SAR-2026/117"}]}
    )

    reason: Reason
    reference: Reference | None = Field(None, description="Capital letters, digits, / and -")


class ErasureOut(BaseModel):
    """That somebody asked for an identity to be removed, and what another lead decided."""

    model_config = ConfigDict(from_attributes=True)

    id: Id
    ward_id: Id
    patient_id: Id
    status: str = Field(description="proposed, withdrawn or carried_out")
    reason: str
    reference: str | None
    proposed_at: Instant
    proposed_by: Id
    decided_at: Instant | None
    decided_by: Id | None


class ErasuresOut(BaseModel):
    """What was asked for and decided, newest first."""

    items: list[ErasureOut]
    next_cursor: str | None = None
