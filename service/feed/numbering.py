"""The ward's feed: every change gets the next number of its ward, in the transaction that makes the change.

The ward's row in `ward_feed` is the last lock every writer takes, so numbers have no gaps and become visible in order:
whoever has seen number n has everything up to n."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from alerts.severity import Severity
from service import metrics
from service.storage.direct import Insert, Row, Statement, Update, Where, fetch, write
from service.storage.portable import Given, IdType, dialect_of, for_each, placement
from service.storage.tables import METADATA

FEED = METADATA.tables["ward_feed"]
EVENT = METADATA.tables["event"]

SEVERITY_WORDS = tuple(severity.word for severity in Severity)
"""By rank: rank 1 is the first."""


MAX_NUMBER = 2**53 - 1
"""The largest whole number every JSON reader keeps exactly."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A change of something on a ward that has no number yet.

    `type` as in the API ("alert.opened"), `at` the clinical instant, `data` JSON as it stood then: no
    identity, no note, no vital sign. `actor_id` is the person, None for the machine."""

    type: str
    at: datetime
    subject_type: str
    subject_id: str
    data: dict[str, Any]
    actor_id: str | None = None


class Standing(NamedTuple):
    """What the counts need of an alert: its state, and its severity as a rank from 1 (low) to 4
    (critical)."""

    state: str
    severity: int


@dataclass(frozen=True, slots=True)
class CountsDelta:
    """By how much the numbers of unresolved alerts of a ward change, by state and by severity."""

    open: int = 0
    acknowledged: int = 0
    recovered: int = 0
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0

    def __add__(self, other: "CountsDelta") -> "CountsDelta":
        return CountsDelta(*(getattr(self, name) + getattr(other, name) for name in COUNTED))


COUNTED = tuple(each.name for each in fields(CountsDelta))
NO_CHANGE = CountsDelta()


def counts_delta(before: Standing | None, after: Standing | None) -> CountsDelta:
    """What one alert's change does to the counts. None: there was, or is, no such alert; resolved ones count
    nowhere."""
    if before == after:
        return NO_CHANGE
    changes = dict.fromkeys(COUNTED, 0)
    for standing, step in ((before, -1), (after, 1)):
        if standing is not None and standing.state != "resolved":
            changes[standing.state] += step
            changes[SEVERITY_WORDS[standing.severity - 1]] += step
    return CountsDelta(**changes)


def total(deltas: Iterable[CountsDelta]) -> CountsDelta:
    """The sum of several changes."""
    return sum(deltas, NO_CHANGE)


@dataclass(slots=True)
class WardEvents:
    """What is to be appended to one ward's feed: the events in order, and what they do to the counts."""

    events: list[NewEvent] = field(default_factory=list)
    counts: CountsDelta = NO_CHANGE


WARDS = Given(ward_id=IdType)


def _hold_feeds(dialect: str) -> Any:
    given, feed = WARDS.table(dialect), FEED.c
    columns = (feed.ward_id, feed.last_number, *(feed[name] for name in COUNTED))
    held = select(*columns).where(feed.ward_id == given.c.ward_id).with_for_update(key_share=True, of=FEED)
    return for_each(dialect, given, held, feed.ward_id)


HOLD_FEEDS = Statement(_hold_feeds)


async def append_events(
    where: Where,
    ward_id: str,
    events: Sequence[NewEvent],
    counts: CountsDelta = NO_CHANGE,
) -> int:
    """Number the events, store them and change the ward's counts; gives the number of the last one.

    Locks the ward's feed until the transaction ends: call it last. Raises LookupError for a ward without a
    feed."""
    if not events:
        raise ValueError("counts change only with an event")
    return (await append_for_wards(where, {ward_id: WardEvents(list(events), counts)}))[ward_id]


async def append_for_wards(where: Where, wards: Mapping[str, WardEvents]) -> dict[str, int]:
    """`append_events` for several wards, in key order so that two writers never wait for each other in a
    circle.

    Gives the last number of each ward that had events."""
    told = {ward_id: wards[ward_id] for ward_id in sorted(wards) if wards[ward_id].events}
    if not told:
        return {}
    feeds: list[dict[str, Any]] = []
    for place in sorted({placement(ward_id) for ward_id in told}):
        here = [(ward_id,) for ward_id in told if placement(ward_id) == place]
        held = await fetch(where, HOLD_FEEDS, WARDS.params(dialect_of(where), here))
        feeds += [_moved_on(row, told[row[0]]) for row in held]
    numbers: dict[str, int] = {feed["ward_id"]: feed["last_number"] for feed in feeds}
    if missing := told.keys() - numbers.keys():
        raise LookupError(f"wards {sorted(missing)} have no feed")
    events = [row for ward_id, new in told.items() for row in _rows(ward_id, numbers[ward_id], new.events)]
    await write(where, Update(FEED, feeds), Insert(EVENT, events))
    _count(events)
    return numbers


def _moved_on(held: Row, new: WardEvents) -> dict[str, Any]:
    """A ward's feed after these events; `held` as HOLD_FEEDS gives it."""
    ward_id, last, *counts = held
    added = [before + getattr(new.counts, name) for name, before in zip(COUNTED, counts, strict=True)]
    moved = {"ward_id": ward_id, "last_number": last + len(new.events), "last_at": new.events[-1].at}
    return {**moved, **dict(zip(COUNTED, added, strict=True))}


def _count(rows: Iterable[Mapping[str, Any]]) -> None:
    """Count the changes of alerts. A transaction that is tried again counts again: every change passes here, and few
    are tried twice."""
    for row in rows:
        if row["subject_type"] == "alert":
            metrics.ALERT_CHANGES.labels(row["data"]["family"], row["type"].removeprefix("alert.")).inc()


def _rows(ward_id: str, last: int, events: Sequence[NewEvent]) -> Iterator[dict[str, Any]]:
    for number, event in enumerate(events, last - len(events) + 1):
        yield {
            "ward_id": ward_id,
            "number": number,
            "type": event.type,
            "at": event.at,
            "subject_type": event.subject_type,
            "subject_id": event.subject_id,
            "actor_id": event.actor_id,
            "data": event.data,
        }
