"""The ward's feed over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from service.access.guards import RequiresOnWard
from service.access.principals import Principal
from service.access.trail import trail_of
from service.feed.following import events_after
from service.feed.numbering import MAX_NUMBER
from service.feed.schemas import EventPageOut, page_bytes
from service.fields import canonical_id
from service.paging import DEFAULT_LIMIT, Limit
from service.storage.session import Reads

router = APIRouter(prefix="/v1", tags=["alerts"])


@router.get("/wards/{ward_id}/events", response_model=EventPageOut, operation_id="list_ward_events")
async def list_ward_events(
    request: Request,
    ward_id: str,
    who: Annotated[Principal, Depends(RequiresOnWard("alerts:read"))],
    session: Reads,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER, description="The last number you have; 0 from the start")] = 0,
    feed_epoch: Annotated[str | None, Query(max_length=4000, description="From the answer before")] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """The ward's numbered events after a number, in order and without a gap.

    410 means that this position is no longer served: take a new snapshot of the queue and go on from
    there."""
    known = canonical_id(ward_id) or ""  # the guard has let it through: it is one
    trail_of(request).polled(who, (known,), "feed.read")
    page = await events_after(session, known, after, feed_epoch, limit)
    return Response(page_bytes(page), media_type="application/json")
