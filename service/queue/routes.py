"""The alert queue over HTTP."""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.guards import Requires, authenticate, require_scope, self_guarded
from service.access.principals import Principal
from service.body import JsonBody
from service.clock import real_now
from service.errors import NotFound
from service.feed import positions
from service.feed.positions import Position
from service.fields import canonical_id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, next_link
from service.queue import actions, listing, rendering, snapshots, story, views
from service.queue.asking import asked, documented_header, documented_query
from service.queue.recording import Act
from service.queue.schemas import (
    AcknowledgeIn,
    AlertOut,
    ContactIn,
    NoteIn,
    QueueOut,
    ResolveIn,
    StoryOut,
)
from service.queue.snapshots import Snapshot
from service.queue.views import Place
from service.storage.session import Reads, WriteSession, database_of, reading, writing
from service.versions import seen_version

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

LONGEST_WAIT_SECONDS = 25
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])", re.ASCII)
_JSON = "application/json"

IF_MATCH = {"parameters": [documented_header("If-Match", "The version that was seen, unless the body says it.")]}

Reader = Annotated[Principal, Depends(Requires("alerts:read"))]
Actor = Annotated[Principal, Depends(Requires("alerts:act"))]


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
    known = request.headers.get("if-none-match")
    found: Mapping[str, Position] = await shared.current(wanted.ward_ids)
    tag = wanted.tag(who, found, release)
    waited = _wait(request) if known is not None else 0
    if waited and _matches(known, tag):
        found = await listing.wait_for_change(
            shared,
            positions.wakeups_of(request),
            wanted.ward_ids,
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


async def _place(request: Request, who: Principal, alert_id: str) -> Place:
    """Where the alert of the path is; its own short session, so that no transaction waits for a body."""
    known = canonical_id(alert_id)
    async with reading(database_of(request)) as session:
        place = await views.find_place(session, who, known) if known else None
    if place is None:
        raise NotFound
    return place


async def _read_place(request: Request, who: Reader, alert_id: str) -> Place:
    return await _place(request, who, alert_id)


async def _act_place(request: Request, who: Actor, alert_id: str) -> Place:
    return await _place(request, who, alert_id)


ActPlace = Annotated[Place, Depends(_act_place)]


@router.get("/{alert_id}", response_model=AlertOut, operation_id="get_alert")
async def get_alert(who: Reader, session: Reads, alert_id: str) -> Response:
    """One alert. Its `ETag` is its version, for `If-Match`."""
    known = canonical_id(alert_id)
    row = await views.find_alert(session, who, known) if known else None
    if row is None:
        raise NotFound
    return _alert(row, who)


@router.get("/{alert_id}/events", response_model=StoryOut, operation_id="list_alert_events")
async def list_alert_events(
    request: Request,
    place: Annotated[Place, Depends(_read_place)],
    session: Reads,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """The alert's whole story, machine and people, oldest first, with the notes that were left."""
    page = await story.read_story(session, place, cursor, limit)
    body = rendering.story_bytes(page.events, page.notes, page.next_cursor)
    return Response(body, headers=next_link(request, page.next_cursor), media_type=_JSON)


@router.post(
    "/{alert_id}/acknowledge",
    response_model=AlertOut,
    operation_id="acknowledge_alert",
    openapi_extra=IF_MATCH,
)
async def acknowledge(
    request: Request,
    who: Actor,
    place: ActPlace,
    body: Annotated[AcknowledgeIn, Depends(JsonBody(AcknowledgeIn))],
) -> Response:
    """Take an open or recovered alert. 409 when somebody else has it."""
    seen = seen_version(request, body.version)
    async with writing(database_of(request)) as session:
        await actions.acknowledge(_act(request, session, who, place), seen, body.note)
        answer = await _now(session, who, place)
    return _done(request, place, answer)


@router.post("/{alert_id}/contact", response_model=AlertOut, operation_id="record_contact")
async def contact(
    request: Request, who: Actor, place: ActPlace, body: Annotated[ContactIn, Depends(JsonBody(ContactIn))]
) -> Response:
    """Record an attempt to reach the person. Reaching them meets the contact limit; unreachable escalates."""
    async with writing(database_of(request)) as session:
        await actions.contact(_act(request, session, who, place), body.method, body.result, body.note)
        answer = await _now(session, who, place)
    return _done(request, place, answer)


@router.post("/{alert_id}/resolve", response_model=AlertOut, operation_id="resolve_alert", openapi_extra=IF_MATCH)
async def resolve(
    request: Request, who: Actor, place: ActPlace, body: Annotated[ResolveIn, Depends(JsonBody(ResolveIn))]
) -> Response:
    """Close an alert with an outcome."""
    seen = seen_version(request, body.version)
    async with writing(database_of(request)) as session:
        await actions.resolve(_act(request, session, who, place), seen, body.outcome, body.note)
        answer = await _now(session, who, place)
    return _done(request, place, answer)


@router.post("/{alert_id}/note", response_model=AlertOut, operation_id="note_alert")
async def note(
    request: Request, who: Actor, place: ActPlace, body: Annotated[NoteIn, Depends(JsonBody(NoteIn))]
) -> Response:
    """Leave a note, whatever the alert's state. Its text is only in the alert's story."""
    async with writing(database_of(request)) as session:
        await actions.add_note(_act(request, session, who, place), body.text)
        answer = await _now(session, who, place)
    return _done(request, place, answer)


def _act(request: Request, session: WriteSession, who: Principal, place: Place) -> Act:
    async def current() -> object:
        row = await views.get_alert(session, place)
        return rendering.alert_fragment(row, listing.named_on(who, [place.ward_id]))

    return Act(session, who, place, request.app.state.clock.now(), real_now(), current)


async def _now(session: WriteSession, who: Principal, place: Place) -> Response:
    """The answer to a verb: the alert as it now stands, read before the commit under the same locks."""
    return _alert(await views.get_alert(session, place), who)


def _done(request: Request, place: Place, answer: Response) -> Response:
    """After the commit: wake who waits for this ward, then answer."""
    positions.wakeups_of(request).wake([place.ward_id])
    return answer


def _alert(row: views.ShownAlert, who: Principal) -> Response:
    body = rendering.alert_bytes(row, listing.named_on(who, [row.ward_id]))
    return Response(body, headers={"ETag": f'"{row.version}"'}, media_type=_JSON)


def _matches(known: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names the tag."""
    if known is None:
        return False
    return known == tag or any(each.strip().removeprefix("W/") in (tag, "*") for each in known.split(","))


def _wait(request: Request) -> int:
    """The seconds that `Prefer: wait=…` asks for, as far as we grant them; 0 without it."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(found.group(1)), LONGEST_WAIT_SECONDS) if found else 0
