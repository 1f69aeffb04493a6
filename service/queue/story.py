"""The whole story of one alert: every event about it in order, with what people wrote about it."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from service.feed.numbering import MAX_NUMBER
from service.feed.store import StoredEvent, list_events_of
from service.paging import decode_cursor, encode_cursor, not_ours
from service.queue.notes import list_notes
from service.queue.views import Place
from service.storage.session import ReadSession


@dataclass(frozen=True, slots=True)
class StoryPage:
    """Events of one alert in order, and the note that was left with some of them, by event number."""

    events: list[StoredEvent]
    notes: Mapping[int, str]
    next_cursor: str | None


async def read_story(session: ReadSession, place: Place, cursor: str | None, limit: int) -> StoryPage:
    """A page of an alert's story, oldest first. Raises Invalid for a cursor that is not one of ours."""
    after: int = decode_cursor(cursor, (int,))[0] if cursor is not None else 0
    if not 0 <= after <= MAX_NUMBER:
        raise not_ours()
    events = await list_events_of(session, place.ward_id, place.alert_id, after, limit + 1)
    shown, more = events[:limit], len(events) > limit
    left_with = {event.number: note_id for event in shown if (note_id := orjson.loads(event.data).get("note_id"))}
    texts = await list_notes(session, place.ward_id, left_with.values())
    notes = {number: texts[note_id] for number, note_id in left_with.items() if note_id in texts}
    return StoryPage(shown, notes, encode_cursor(shown[-1].number) if more else None)
