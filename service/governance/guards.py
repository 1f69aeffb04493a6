"""Who may have everything on a patient: the ward's auditors."""

from fastapi import Request

from service.access.guards import PathId
from service.care.guards import OnWard, RequiresOnPatient
from service.errors import ScopeMissing

WHOLE_RECORD = ("audit:read", "patients:read", "readings:read", "alerts:read")
"""What an export shows; whoever asks needs the scope for each."""


class RequiresWholeRecord(RequiresOnPatient):
    """`RequiresOnPatient`, for what shows a patient's whole record: raises ScopeMissing unless the token carries every
    scope that this takes."""

    async def __call__(self, request: Request, patient_id: PathId) -> OnWard:  # type: ignore[override]
        on = await super().__call__(request, patient_id)
        missing = [scope for scope in WHOLE_RECORD if scope not in on.who.scopes]
        if missing:
            raise ScopeMissing(required_scopes=list(WHOLE_RECORD), granted_scopes=sorted(on.who.scopes))
        return on
