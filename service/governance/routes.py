"""HTTP for information governance: everything held on a patient, and the removal of an identity."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from service.care.guards import OnWard
from service.clock import real_now
from service.governance import export
from service.governance.export_schemas import ExportOut
from service.governance.guards import RequiresWholeRecord
from service.storage.session import database_of

router = APIRouter(prefix="/v1", tags=["data protection"])


@router.get("/patients/{patient_id}/export", operation_id="export_patient", response_model=ExportOut)
async def export_patient(
    request: Request, on: Annotated[OnWard, Depends(RequiresWholeRecord("audit:read"))]
) -> StreamingResponse:
    """Everything held on a patient of the ward, for a subject access request: identity, stays, plans, readings, alerts,
    notes, messages, paired apps, and who looked at it. Needs every scope for reading; auditors have them.

    The answer is sent as it is read. It is whole when it ends with `"complete": true`; one that was cut off is no
    JSON."""
    database = database_of(request)
    await export.note_export(database, on.who, on.ward_id, on.id)
    pieces = export.document(database, on.ward_id, on.id, real_now())
    headers = {"Content-Disposition": f'attachment; filename="patient-{on.id}.json"'}
    return StreamingResponse(pieces, headers=headers, media_type="application/json")
