"""Following a ward's feed: the events after a number, or a refusal when they can no longer be had."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from service.errors import Gone, NotFound
from service.feed import store
from service.feed.store import StoredEvent


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order without a gap; `last_number` is the last one here, else where the reader was."""

    events: list[StoredEvent]
    last_number: int
    epoch: str


async def events_after(session: AsyncSession, ward_id: str, after: int, epoch: str | None, limit: int) -> EventPage:
    """The events that follow number `after` (0: from the beginning), at most `limit`.

    Raises NotFound for a ward without a feed, and Gone when the reader has to take a new snapshot: its
    numbers are of another epoch (a restored database), lie beyond the last one, or the next event is no
    longer kept."""
    feed = await store.find_feed(session, ward_id)
    if feed is None:
        raise NotFound
    current, last = feed
    # A queue over several wards names the epochs of all of them, with dots between.
    if epoch is not None and current not in epoch.split("."):
        raise Gone(feed_epoch=current)
    events = await store.list_events(session, ward_id, after, limit)
    follows = events[0].number == after + 1 if events else after == last
    if not follows:
        raise Gone(feed_epoch=current)
    return EventPage(events, events[-1].number if events else after, current)
