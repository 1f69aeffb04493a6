"""The feed as the API shows it. The models describe it; the bytes are made without them, for speed."""

from typing import Any

import orjson
from pydantic import BaseModel

from service.feed.following import EventPage
from service.feed.store import StoredEvent
from service.fields import Id, Instant

OPTIONS = orjson.OPT_UTC_Z


class SubjectOut(BaseModel):
    """What an event is about."""

    type: str
    id: Id


class EventOut(BaseModel):
    """One numbered change on a ward, as it stood then, without identity."""

    number: int
    type: str
    at: Instant
    subject: SubjectOut
    actor_id: Id | None
    data: dict[str, Any]


class EventPageOut(BaseModel):
    """Events in order without a gap. Ask again with `after=last_number`."""

    items: list[EventOut]
    last_number: int
    feed_epoch: str


def event_json(event: StoredEvent) -> dict[str, Any]:
    """An event, ready for orjson."""
    return {
        "number": event.number,
        "type": event.type,
        "at": event.at,
        "subject": {"type": event.subject_type, "id": event.subject_id},
        "actor_id": event.actor_id,
        "data": orjson.Fragment(event.data),
    }


def page_bytes(page: EventPage) -> bytes:
    """An EventPageOut as JSON."""
    return orjson.dumps(
        {
            "items": [event_json(event) for event in page.events],
            "last_number": page.last_number,
            "feed_epoch": page.epoch,
        },
        option=OPTIONS,
    )
