"""HTTP for patients. Their changes are in `care`, because the feed has to be told of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.guards import Requires, RequiresOnWard
from service.access.principals import Principal
from service.access.trail import trail_of
from service.body import JsonBody
from service.clock import real_now
from service.fields import Id, canonical_id
from service.patients import records, store
from service.patients.numbers import require_synthetic
from service.patients.schemas import LookupIn, PatientIn, PatientOut, PatientsOut
from service.storage.session import Reads, Writes

router = APIRouter(prefix="/v1", tags=["patients"])


@router.post("/wards/{ward_id}/patients", status_code=201, responses={200: {"model": PatientOut}})
async def post_patient(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("patients:write"))],
    body: Annotated[PatientIn, Depends(JsonBody(PatientIn))],
    session: Writes,
    response: Response,
) -> PatientOut:
    """Register a person. The same identifier and birth date again: 200, with the record as it stands."""
    if request.app.state.settings.synthetic_only:
        require_synthetic(body.values()["identifiers"])
    today = request.app.state.clock.now().date()
    patient, is_new = await records.register(session, who, ward_id, **body.values(), today=today, at=real_now())
    if not is_new:
        trail_of(request).read(who, ward_id, ("patient", patient.id))
        response.status_code = 200
    response.headers.update({"Location": f"/v1/patients/{patient.id}", "ETag": f'"{patient.version}"'})
    return PatientOut.model_validate(patient)


@router.post("/wards/{ward_id}/patients/lookup")
async def look_up_patients(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("patients:read"))],
    body: Annotated[LookupIn, Depends(JsonBody(LookupIn))],
    session: Reads,
) -> PatientsOut:
    """The ward's patients with a number: a POST, so that the number is in no URL and no log."""
    found = await store.list_by_identifiers(session, who, ward_id, [body.identifier()])
    for each in found:
        trail_of(request).read(who, ward_id, ("patient", each.id), "patient.looked_up")
    return PatientsOut(items=[PatientOut.model_validate(each) for each in found])


@router.get("/patients/{patient_id}")
async def get_patient(
    request: Request,
    patient_id: str,
    who: Annotated[Principal, Depends(Requires("patients:read"))],
    session: Reads,
    response: Response,
) -> PatientOut:
    """One patient."""
    patient = await store.get_patient(session, who, canonical_id(patient_id))
    trail_of(request).read(who, patient.ward_id, ("patient", patient.id))
    response.headers["ETag"] = f'"{patient.version}"'
    return PatientOut.model_validate(patient)
