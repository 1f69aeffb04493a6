"""The alert queue over HTTP."""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.guards import Requires, authenticate, require_scope, self_guarded
from service.access.principals import Principal
from service.access.trail import trail_of
from service.errors import NotFound
from service.feed import positions
from service.feed.positions import Position
from service.fields import canonical_id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, next_link
from service.queue import listing, rendering, snapshots, story, views
from service.queue.answering import shown
from service.queue.asking import asked, documented_query
from service.queue.schemas import AlertOut, QueueOut, StoryOut
from service.queue.snapshots import Snapshot
from service.storage.session import Reads, database_of

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

LONGEST_WAIT_SECONDS = 25
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])", re.ASCII)
_JSON = "application/json"

Reader = Annotated[Principal, Depends(Requires("alerts:read"))]


@router.get(
    "",
    response_model=QueueOut,
    operation_id="list_alerts",
    responses={304: {"description": "Unchanged."}},
    openapi_extra={"parameters": documented_query()},
)
@self_guarded("alerts:read")
async def list_alerts(request: Request) -> Response:
    """The queue of the caller's wards, most urgent first; by default everything unresolved.

    Send the `ETag` back as `If-None-Match`: 304 while nothing has changed. With `Prefer: wait=25` as well,
    the answer is held until something changes, at most that many seconds."""
    who = require_scope(await authenticate(request), "alerts:read")
    wanted = listing.listing_of(who, asked(request.scope["query_string"].decode("latin-1")))
    shared, release = positions.of(request), request.app.version
    trail_of(request).polled(who, wanted.ward_ids)
    known = request.headers.get("if-none-match")
    # One look at the feeds is for all who wait, as a role that sees every ward's: so it is asked for one's own alone.
    own = tuple(filter(who.roles.__contains__, wanted.ward_ids))
    found: Mapping[str, Position] = await shared.current(own)
    tag = wanted.tag(who, found, release)
    waited = _wait(request) if known is not None else 0
    if waited and _matches(known, tag):
        found = await listing.wait_for_change(
            shared,
            positions.wakeups_of(request),
            own,
            lambda now: _matches(known, wanted.tag(who, now, release)),
            waited,
        )
        tag = wanted.tag(who, found, release)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if waited:
        headers["Preference-Applied"] = f"wait={waited}"
    if _matches(known, tag):
        return Response(status_code=304, headers=headers)

    async def make() -> Snapshot:
        async with database_of(request).reads.connect() as connection:
            page = await listing.read_page(connection, wanted)
        return Snapshot(rendering.queue_bytes(page, wanted.named_on, found), page.next_cursor)

    snapshot = await snapshots.of(request).get(tag, make)
    return Response(snapshot.body, headers={**headers, **next_link(request, snapshot.next_cursor)}, media_type=_JSON)


@router.get("/{alert_id}", response_model=AlertOut, operation_id="get_alert")
async def get_alert(request: Request, who: Reader, session: Reads, alert_id: str) -> Response:
    """One alert. Its `ETag` is its version, for `If-Match`."""
    known = canonical_id(alert_id)
    row = await views.find_alert(session, who, known) if known else None
    if row is None:
        raise NotFound
    trail_of(request).read(who, row.ward_id, ("alert", row.id))
    return shown(row, who)


@router.get("/{alert_id}/events", response_model=StoryOut, operation_id="list_alert_events")
async def list_alert_events(
    request: Request,
    who: Reader,
    session: Reads,
    alert_id: str,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """The alert's whole story, machine and people, oldest first, with the notes that were left."""
    known = canonical_id(alert_id)
    place = await views.find_place(session, who, known) if known else None
    if place is None:
        raise NotFound
    trail_of(request).read(who, place.ward_id, ("alert", place.alert_id), "story.read")
    page = await story.read_story(session, place, cursor, limit)
    body = rendering.story_bytes(page.events, page.notes, page.next_cursor)
    return Response(body, headers=next_link(request, page.next_cursor), media_type=_JSON)


def _matches(known: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names the tag."""
    if known is None:
        return False
    return known == tag or any(each.strip().removeprefix("W/") in (tag, "*") for each in known.split(","))


def _wait(request: Request) -> int:
    """The seconds that `Prefer: wait=…` asks for, as far as we grant them; 0 without it."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(found.group(1)), LONGEST_WAIT_SECONDS) if found else 0
