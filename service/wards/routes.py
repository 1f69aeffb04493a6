"""HTTP for wards, and for who one is on them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.guards import Requires, RequiresOnWard
from service.access.principals import Principal
from service.body import JsonBody
from service.clock import real_now
from service.fields import Id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, page_of
from service.storage.session import Reads, Writes
from service.versions import seen_version
from service.wards import setup, store
from service.wards.schemas import (
    MemberOut,
    MembersOut,
    MeOut,
    MyWardOut,
    PrincipalOut,
    WardIn,
    WardOut,
    WardPatch,
    WardsOut,
)

router = APIRouter(prefix="/v1", tags=["wards"])


@router.get("/me")
async def get_me(who: Annotated[Principal, Depends(Requires())], session: Reads) -> MeOut:
    """Who the token stands for, what it may do and where."""
    names = await store.list_ward_names(session, who)
    wards = [MyWardOut(id=id_, name=name, role=who.kind if who.home else who.roles[id_]) for id_, name in names.items()]
    return MeOut(principal=PrincipalOut.model_validate(who), scopes=sorted(who.scopes), wards=wards)


@router.post("/wards", status_code=201)
async def post_ward(
    who: Annotated[Principal, Depends(Requires("system:admin"))],
    body: Annotated[WardIn, Depends(JsonBody(WardIn))],
    session: Writes,
    response: Response,
) -> WardOut:
    """Open a ward."""
    ward = await setup.open_ward(session, who, real_now(), **body.model_dump())
    response.headers.update({"Location": f"/v1/wards/{ward.id}", "ETag": f'"{ward.version}"'})
    return WardOut.model_validate(ward)


@router.get("/wards")
async def get_wards(
    request: Request,
    who: Annotated[Principal, Depends(Requires("wards:read"))],
    session: Reads,
    response: Response,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> WardsOut:
    """The wards one works on; for an administrator all."""
    found = await store.list_wards(session, who, decode_id_cursor(cursor), limit + 1)
    wards, further = page_of(request, response, found, limit)
    return WardsOut(items=[WardOut.model_validate(each) for each in wards], next_cursor=further)


@router.get("/wards/{ward_id}")
async def get_ward(
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("wards:read"))],
    session: Reads,
    response: Response,
) -> WardOut:
    """One ward."""
    ward = await store.get_ward(session, who, ward_id)
    response.headers["ETag"] = f'"{ward.version}"'
    return WardOut.model_validate(ward)


@router.patch("/wards/{ward_id}")
async def patch_ward(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("wards:manage", "system:admin"))],
    body: Annotated[WardPatch, Depends(JsonBody(WardPatch))],
    session: Writes,
    response: Response,
) -> WardOut:
    """Change a ward."""
    seen = seen_version(request, body.version)
    ward = await setup.change_ward(session, who, ward_id, body.changes(), seen, real_now())
    response.headers["ETag"] = f'"{ward.version}"'
    return WardOut.model_validate(ward)


@router.get("/wards/{ward_id}/staff")
async def get_ward_staff(
    ward_id: Id, who: Annotated[Principal, Depends(RequiresOnWard("wards:read"))], session: Reads
) -> MembersOut:
    """Who works on the ward, for assigning alerts."""
    await store.get_ward(session, who, ward_id)
    members = await store.list_members(session, who, ward_id)
    return MembersOut(items=[MemberOut.model_validate(each) for each in members])
