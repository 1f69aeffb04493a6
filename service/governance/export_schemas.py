"""The export as the API documents it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.fields import Id, Instant

_EXAMPLE: dict[str, Any] = {
    "format": "wardwatch-patient-export-1",
    "made_at": "2026-11-22T08:00:00Z",
    "ward_id": "0193554e-7c00-7000-8000-000000000001",
    "patient_id": "0193554e-7c00-7000-8000-000000000002",
    "parts": {
        "patient": [{"id": "0193554e-7c00-7000-8000-000000000002", "family_name": "Example", "given_name": "Pat"}],
        "reading": [{"id": "0193554e-7c00-7000-8000-000000000003", "spo2": 93, "quality": "good"}],
    },
    "rule_sets": [],
    "complete": True,
}


class ExportOut(BaseModel):
    """Everything held on a patient of a ward. `parts`: the rows of each table, with the names of its columns; secrets
    and hashes are left out. `rule_sets`: those of the ward by which the readings were judged."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    format: Literal["wardwatch-patient-export-1"]
    made_at: Instant
    ward_id: Id
    patient_id: Id
    parts: dict[str, list[dict[str, Any]]] = Field(description="Rows by table; more tables may come")
    rule_sets: list[dict[str, Any]]
    complete: Literal[True]
