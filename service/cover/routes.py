"""HTTP for who looks after a ward when, and whom an alert goes to next."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import Response

from service.access.guards import RequiresOnWard
from service.access.principals import Principal
from service.body import JsonBody
from service.clock import real_now
from service.cover.changing import Act, change_coverage, change_policy
from service.cover.inforce import shown_coverage, shown_policy
from service.cover.looking import see_cover, see_now
from service.cover.policy_schemas import PolicyIn, PolicyOut
from service.cover.schemas import CoverageIn, CoverageNowOut, CoverageOut
from service.feed.positions import wakeups_of
from service.fields import Id
from service.storage.session import Reads, Writes, WriteSession
from service.versions import seen_version

router = APIRouter(prefix="/v1/wards/{ward_id}", tags=["wards"])

Reader = Annotated[Principal, Depends(RequiresOnWard("wards:read"))]
Manager = Annotated[Principal, Depends(RequiresOnWard("wards:manage"))]


@router.get("/coverage")
async def get_coverage(ward_id: Id, who: Reader, session: Reads, response: Response) -> CoverageOut:
    """The ward's service hours and who is on duty, by weekday and date, in the ward's time zone.

    A ward that has set nothing works 08:00-20:00 every day, and nobody is known to be on duty."""
    cover = await see_cover(session, who, ward_id)
    response.headers["ETag"] = f'"{cover.coverage_version}"'
    return CoverageOut.model_validate(shown_coverage(cover))


@router.put("/coverage")
async def put_coverage(
    request: Request,
    ward_id: Id,
    who: Manager,
    body: Annotated[CoverageIn, Depends(JsonBody(CoverageIn))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> CoverageOut:
    """Set the whole coverage. A date replaces its weekday; a span that ends at or before it starts ends on the next
    day. Limits of alerts that stand are not changed."""
    act = _act(request, session, who, ward_id, body.version)
    cover = await change_coverage(act, body.time_zone, body.hours(), body.duty())
    response.headers["ETag"] = f'"{cover.coverage_version}"'
    after_commit.add_task(wakeups_of(request).wake, [ward_id])
    return CoverageOut.model_validate(shown_coverage(cover))


@router.get("/coverage/now")
async def get_coverage_now(request: Request, ward_id: Id, who: Reader, session: Reads) -> CoverageNowOut:
    """Who is on duty now and until when, whether the ward is in service, whom to ring, and when that changes."""
    return CoverageNowOut.model_validate(await see_now(session, who, ward_id, request.app.state.clock.now()))


@router.get("/escalation-policy")
async def get_policy(ward_id: Id, who: Reader, session: Reads, response: Response) -> PolicyOut:
    """Whom an alert goes to when nobody answers. A ward that has set nothing: whoever is on duty at once, the lead
    after 15 minutes, out of hours after 30, all by the queue alone."""
    cover = await see_cover(session, who, ward_id)
    response.headers["ETag"] = f'"{cover.policy_version}"'
    return PolicyOut.model_validate(shown_policy(cover))


@router.put("/escalation-policy")
async def put_policy(
    request: Request,
    ward_id: Id,
    who: Manager,
    body: Annotated[PolicyIn, Depends(JsonBody(PolicyIn))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> PolicyOut:
    """Set the whole policy. Steps are taken in order, and the last one repeats, until somebody answers."""
    act = _act(request, session, who, ward_id, body.version)
    cover = await change_policy(act, [each.step() for each in body.steps], body.out_of_hours_email)
    response.headers["ETag"] = f'"{cover.policy_version}"'
    after_commit.add_task(wakeups_of(request).wake, [ward_id])
    return PolicyOut.model_validate(shown_policy(cover))


def _act(request: Request, session: WriteSession, who: Principal, ward_id: str, in_body: int | None) -> Act:
    return Act(session, who, ward_id, seen_version(request, in_body), request.app.state.clock.now(), real_now())
