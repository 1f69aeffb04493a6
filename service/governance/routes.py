"""HTTP for information governance: everything held on a patient, and the removal of an identity."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from service.access.tokens import Tokens
from service.access.trail import trail_of
from service.body import JsonBody
from service.care.guards import OnWard, RequiresOnPatient
from service.clock import real_now
from service.feed.positions import wakeups_of
from service.governance import erasing, erasure_store, export
from service.governance.erasing import Asking
from service.governance.erasure_schemas import ErasureIn, ErasureOut, ErasuresOut
from service.governance.export_schemas import ExportOut
from service.governance.guards import RequiresWholeRecord
from service.storage.session import Reads, Writes, WriteSession, database_of, writing

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


OnPatient = Annotated[OnWard, Depends(RequiresOnPatient("wards:manage"))]


@router.get("/patients/{patient_id}/erasures", operation_id="list_erasures")
async def list_erasures(
    request: Request, on: Annotated[OnWard, Depends(RequiresOnPatient("wards:manage", "audit:read"))], session: Reads
) -> ErasuresOut:
    """Whether somebody asked for the patient's identity to be removed, and what was decided."""
    trail_of(request).read(on.who, on.ward_id, ("patient", on.id), "erasures.read")
    found = await erasure_store.list_erasures(session, on.who, on.ward_id, on.id)
    return ErasuresOut(items=[ErasureOut.model_validate(each) for each in found])


@router.post("/patients/{patient_id}/erasures", status_code=201, operation_id="propose_erasure")
async def propose_erasure(
    request: Request, on: OnPatient, body: Annotated[ErasureIn, Depends(JsonBody(ErasureIn))], session: Writes
) -> ErasureOut:
    """Ask for a patient's identity to be removed for good, as a lead of the ward. Nothing changes until another lead
    approves. Refused while a stay goes on or an alert is not resolved."""
    return ErasureOut.model_validate(await erasing.propose(_asking(request, on, session), body.reason, body.reference))


@router.post("/patients/{patient_id}/erasures/withdraw", operation_id="withdraw_erasure")
async def withdraw_erasure(request: Request, on: OnPatient, session: Writes) -> ErasureOut:
    """Take back what was asked for."""
    return ErasureOut.model_validate(await erasing.withdraw(_asking(request, on, session)))


@router.post("/patients/{patient_id}/erasures/approve", operation_id="approve_erasure")
async def approve_erasure(request: Request, on: OnPatient) -> ErasureOut:
    """Remove the identity, as another lead than the one who asked. Names, numbers, birth date, contact, carers and what
    people wrote are gone for good; readings and alerts stay under the patient's id."""
    async with writing(database_of(request)) as session:
        done = await erasing.approve(_asking(request, on, session))
    wakeups_of(request).wake([on.ward_id])
    # This replica feels it at once; the others look every two seconds.
    tokens: Tokens = request.app.state.tokens
    await tokens.catch_up()
    return ErasureOut.model_validate(done)


def _asking(request: Request, on: OnWard, session: WriteSession) -> Asking:
    return Asking(session, on.who, on.ward_id, on.id, request.app.state.clock.now(), real_now())
