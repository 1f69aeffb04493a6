"""What people do about alerts, over HTTP. Every verb answers with the alert as it now stands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.guards import Requires
from service.access.principals import Principal
from service.body import JsonBody
from service.clock import real_now
from service.errors import NotFound
from service.feed.positions import wakeups_of
from service.feed.schemas import OPTIONS
from service.fields import canonical_id
from service.queue import actions, bulk, handing_on, listing, rendering, views
from service.queue.answering import JSON, shown
from service.queue.passing_time import pass_first
from service.queue.recording import Act
from service.queue.schemas import (
    AcknowledgedManyOut,
    AcknowledgeIn,
    AcknowledgeManyIn,
    AlertOut,
    AssignIn,
    ContactIn,
    NoteIn,
    ReasonIn,
    ResolveIn,
    SnoozeIn,
    VerbIn,
)
from service.queue.views import Place
from service.storage.session import database_of, reading, writing
from service.versions import seen_version

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])


Actor = Annotated[Principal, Depends(Requires("alerts:act"))]


@dataclass(frozen=True, slots=True)
class OnAlert:
    """A verb that came in: who asks, about which alert."""

    request: Request
    who: Principal
    place: Place

    async def do(self, verb: Callable[[Act], Awaitable[None]]) -> Response:
        """Carry the verb out, commit, wake who waits for this ward; the answer was read under the same locks."""
        now = self.request.app.state.clock.now()
        await pass_first(self.request.app.state.look_at, self.place, now)
        async with writing(database_of(self.request)) as session:

            async def current() -> object:
                row = await views.get_alert(session, self.place)
                return rendering.alert_fragment(row, listing.named_on(self.who, [self.place.ward_id]))

            await verb(Act(session, self.who, self.place, now, real_now(), current))
            answer = shown(await views.get_alert(session, self.place), self.who)
        wakeups_of(self.request).wake([self.place.ward_id])
        return answer


async def find(request: Request, who: Actor, alert_id: str) -> OnAlert:
    """Where the alert of the path is; its own short session, so that no transaction waits for a body."""
    known = canonical_id(alert_id)
    async with reading(database_of(request)) as session:
        place = await views.find_place(session, who, known) if known else None
    if place is None:
        raise NotFound
    return OnAlert(request, who, place)


On = Annotated[OnAlert, Depends(find)]


@router.post("/acknowledge", response_model=AcknowledgedManyOut, operation_id="acknowledge_alerts")
async def acknowledge_many(
    request: Request, who: Actor, body: Annotated[AcknowledgeManyIn, Depends(JsonBody(AcknowledgeManyIn))]
) -> Response:
    """Take several alerts, each by itself: one that is refused, as high and critical ones are, stops no other.

    After a 503 some may have been taken: read them again."""

    async def one(alert_id: str, seen: int) -> orjson.Fragment:
        on = await find(request, who, alert_id)
        answer = await on.do(lambda act: actions.acknowledge(act, seen, most=bulk.MOST))
        return orjson.Fragment(bytes(answer.body))

    results = await bulk.one_by_one([(item.id, item.version) for item in body.items], one)
    return Response(orjson.dumps(bulk.summary(results), option=OPTIONS), media_type=JSON)


@router.post("/{alert_id}/acknowledge", response_model=AlertOut, operation_id="acknowledge_alert")
async def acknowledge(on: On, body: Annotated[AcknowledgeIn, Depends(JsonBody(AcknowledgeIn))]) -> Response:
    """Take an open or recovered alert. 409 when somebody else has it."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: actions.acknowledge(act, seen, body.note))


@router.post("/{alert_id}/unacknowledge", response_model=AlertOut, operation_id="unacknowledge_alert")
async def unacknowledge(on: On, body: Annotated[VerbIn, Depends(JsonBody(VerbIn))]) -> Response:
    """Give an acknowledged alert back; its limits begin anew."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: handing_on.unacknowledge(act, seen))


@router.post("/{alert_id}/contact", response_model=AlertOut, operation_id="record_contact")
async def contact(on: On, body: Annotated[ContactIn, Depends(JsonBody(ContactIn))]) -> Response:
    """Record an attempt to reach the person. Reaching them meets the contact limit; unreachable escalates."""
    return await on.do(lambda act: actions.contact(act, body.method, body.result, body.note))


@router.post("/{alert_id}/assign", response_model=AlertOut, operation_id="assign_alert")
async def assign(on: On, body: Annotated[AssignIn, Depends(JsonBody(AssignIn))]) -> Response:
    """Name a clinician of the ward to look after the alert; null: nobody any more."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: handing_on.assign(act, seen, body.staff_id))


@router.post("/{alert_id}/snooze", response_model=AlertOut, operation_id="snooze_alert")
async def snooze(on: On, body: Annotated[SnoozeIn, Depends(JsonBody(SnoozeIn))]) -> Response:
    """Be left alone with the alert for a while, until something new comes. It stays in the queue, in its place."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: handing_on.snooze(act, seen, body.minutes, body.reason))


@router.post("/{alert_id}/escalate", response_model=AlertOut, operation_id="escalate_alert")
async def escalate(on: On, body: Annotated[ReasonIn, Depends(JsonBody(ReasonIn))]) -> Response:
    """Call for the next step of the ward's escalation policy now."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: handing_on.escalate(act, seen, body.reason))


@router.post("/{alert_id}/resolve", response_model=AlertOut, operation_id="resolve_alert")
async def resolve(on: On, body: Annotated[ResolveIn, Depends(JsonBody(ResolveIn))]) -> Response:
    """Close an alert with an outcome."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: actions.resolve(act, seen, body.outcome, body.note))


@router.post("/{alert_id}/reopen", response_model=AlertOut, operation_id="reopen_alert")
async def reopen(on: On, body: Annotated[ReasonIn, Depends(JsonBody(ReasonIn))]) -> Response:
    """Take a wrong resolve back, within 24 hours. 409 when a newer alert of that family is unresolved."""
    seen = seen_version(on.request, body.version)
    return await on.do(lambda act: handing_on.reopen(act, seen, body.reason))


@router.post("/{alert_id}/note", response_model=AlertOut, operation_id="note_alert")
async def note(on: On, body: Annotated[NoteIn, Depends(JsonBody(NoteIn))]) -> Response:
    """Leave a note, whatever the alert's state. Its text is only in the alert's story."""
    return await on.do(lambda act: actions.add_note(act, body.text))
