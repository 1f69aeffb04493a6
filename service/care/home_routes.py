"""HTTP for people at home."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from service.access.guards import RequiresAtHome
from service.access.principals import Principal
from service.access.trail import trail_of
from service.care.home import see_my_stay
from service.care.home_schemas import MyStayOut
from service.errors import NotFound
from service.storage.session import Reads

router = APIRouter(prefix="/v1", tags=["pairing"])


@router.get("/me/stay")
async def get_my_stay(
    request: Request, who: Annotated[Principal, Depends(RequiresAtHome("readings:read"))], session: Reads
) -> MyStayOut:
    """One's own stay, for patients and carers: limits, when to measure next, whom to ring now, whether somebody is
    watching, and what became of the last readings."""
    if who.home is None:
        raise NotFound
    trail_of(request).read(who, who.home.ward_id, ("stay", who.home.stay_id), "my_stay.read")
    return MyStayOut.of(await see_my_stay(session, who, who.home, request.app.state.clock.now()))
