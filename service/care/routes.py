"""HTTP for stays and their plans, and for changes of patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import Response

from service.access.guards import RequiresOnWard
from service.access.principals import Principal
from service.access.trail import trail_of
from service.body import JsonBody
from service.care import admission, course, identity, planning, store, views
from service.care.act import Act
from service.care.guards import OnWard, RequiresOnPatient, RequiresOnStay
from service.care.schemas import (
    ActIn,
    DischargeIn,
    PauseIn,
    PlanPatch,
    PlansOut,
    Status,
    StayDetailOut,
    StayIn,
    StayOut,
    StaysOut,
)
from service.care.store import Stay
from service.clock import real_now
from service.feed.positions import wakeups_of
from service.fields import Id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, page_of
from service.patients.numbers import require_synthetic
from service.patients.schemas import PatientOut, PatientPatch
from service.storage.session import Reads, ReadSession, Writes, WriteSession
from service.versions import seen_version

router = APIRouter(prefix="/v1", tags=["patients"])


@dataclass(frozen=True, slots=True)
class StayChange:
    """A change of a stay that came in: who asks for it, where it is written, and how it is answered."""

    request: Request
    on: OnWard
    session: WriteSession
    response: Response
    after_commit: BackgroundTasks

    def act(self, in_body: int | None) -> Act:
        """The change, with the version that was seen; raises VersionRequired."""
        on, seen = self.on, seen_version(self.request, in_body)
        now = self.request.app.state.clock.now()
        return Act(self.session, on.who, on.ward_id, on.id, seen, now, real_now())

    def done(self, stay: Stay) -> StayOut:
        """The answer: the stay as it now stands."""
        return _changed(self.request, self.response, self.after_commit, stay)


def _change(
    request: Request,
    on: Annotated[OnWard, Depends(RequiresOnStay("patients:write"))],
    session: Writes,  # asks for a connection with its first statement, after the body is there
    response: Response,
    after_commit: BackgroundTasks,
) -> StayChange:
    return StayChange(request, on, session, response, after_commit)


Change = Annotated[StayChange, Depends(_change)]


@router.post("/wards/{ward_id}/stays", status_code=201)
async def admit(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("patients:write"))],
    body: Annotated[StayIn, Depends(JsonBody(StayIn))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> StayOut:
    """Admit a patient to the ward, under a plan."""
    at = request.app.state.clock.now()
    stay = await admission.admit(
        session, who, ward_id, body.patient_id, body.asked(), body.previous_stay_id, at, real_now()
    )
    response.headers["Location"] = f"/v1/stays/{stay.id}"
    return _changed(request, response, after_commit, stay)


@router.get("/wards/{ward_id}/stays")
async def list_stays(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("patients:read"))],
    session: Reads,
    response: Response,
    status: Status | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> StaysOut:
    """The ward's stays, in the order of admission."""
    trail_of(request).polled(who, (ward_id,), "stays.read")
    found = await store.list_stays(session, who, ward_id, status, decode_id_cursor(cursor), limit + 1)
    stays, further = page_of(request, response, found, limit)
    return StaysOut(items=await _details(session, who, ward_id, stays), next_cursor=further)


@router.get("/stays/{stay_id}")
async def get_stay(
    on: Annotated[OnWard, Depends(RequiresOnStay("patients:read"))], session: Reads, response: Response
) -> StayDetailOut:
    """One stay, with its last reading and its unresolved alerts."""
    stay = await store.get_stay(session, on.who, on.ward_id, on.id)
    response.headers["ETag"] = f'"{stay.version}"'
    return (await _details(session, on.who, on.ward_id, [stay]))[0]


@router.get("/stays/{stay_id}/plans")
async def list_plans(on: Annotated[OnWard, Depends(RequiresOnStay("patients:read"))], session: Reads) -> PlansOut:
    """Every version of the stay's plan, newest first."""
    return PlansOut.of(await store.list_plans(session, on.who, on.ward_id, on.id))


@router.patch("/stays/{stay_id}/plan")
async def change_plan(change: Change, body: Annotated[PlanPatch, Depends(JsonBody(PlanPatch))]) -> StayOut:
    """A new version of the plan: what is sent is merged into the one in force."""
    stay = await planning.change_plan(change.act(body.version), body.asked())
    return change.done(stay)


@router.post("/stays/{stay_id}/plan/approve")
async def approve_plan(change: Change, body: Annotated[ActIn, Depends(JsonBody(ActIn))]) -> StayOut:
    """Put a proposed red limit below 88 in force, as another clinician than the one who proposed it."""
    stay = await planning.approve_plan(change.act(body.version))
    return change.done(stay)


@router.post("/stays/{stay_id}/pause")
async def pause(change: Change, body: Annotated[PauseIn, Depends(JsonBody(PauseIn))]) -> StayOut:
    """Pause the reminders of missed readings, for at most 72 hours. Red rules go on."""
    stay = await course.pause(change.act(body.version), body.until, body.reason)
    return change.done(stay)


@router.post("/stays/{stay_id}/resume")
async def resume(change: Change, body: Annotated[ActIn, Depends(JsonBody(ActIn))]) -> StayOut:
    """End a pause."""
    stay = await course.resume(change.act(body.version))
    return change.done(stay)


@router.post("/stays/{stay_id}/discharge")
async def discharge(change: Change, body: Annotated[DischargeIn, Depends(JsonBody(DischargeIn))]) -> StayOut:
    """End the stay. Each unresolved high or critical alert needs an outcome; all are resolved."""
    act = change.act(body.version)
    stay = await course.discharge(act, body.reason, body.outcomes)
    return change.done(stay)


@router.patch("/patients/{patient_id}")
async def change_patient(
    request: Request,
    on: Annotated[OnWard, Depends(RequiresOnPatient("patients:write"))],
    body: Annotated[PatientPatch, Depends(JsonBody(PatientPatch))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> PatientOut:
    """Correct what is known of a patient."""
    seen = seen_version(request, body.version)
    if request.app.state.settings.synthetic_only:
        require_synthetic(body.changes().get("identifiers", ()))
    at = request.app.state.clock.now()
    patient = await identity.change_patient(session, on.who, on.ward_id, on.id, body.changes(), seen, at, real_now())
    response.headers["ETag"] = f'"{patient.version}"'
    after_commit.add_task(wakeups_of(request).wake, [on.ward_id])
    return PatientOut.model_validate(patient)


def _changed(request: Request, response: Response, after_commit: BackgroundTasks, stay: Stay) -> StayOut:
    response.headers["ETag"] = f'"{stay.version}"'
    after_commit.add_task(wakeups_of(request).wake, [stay.ward_id])
    return StayOut.of(stay)


async def _details(session: ReadSession, who: Principal, ward_id: str, stays: Sequence[Stay]) -> list[StayDetailOut]:
    ids = [stay.id for stay in stays]
    last = await views.list_last_readings(session, who.on("readings:read"), ward_id, ids)
    alerts = await views.list_open_alerts(session, who.on("alerts:read"), ward_id, ids)
    amber = await views.list_amber_again(session, who.on("alerts:read"), ward_id, stays)
    sees_alerts = ward_id in who.on("alerts:read").roles
    return [
        StayDetailOut.of_detail(
            stay, last.get(stay.id), alerts[stay.id] if sees_alerts else None, amber_again=stay.id in amber
        )
        for stay in stays
    ]
