"""The queue: who sees which page of it, when it may be served unchanged, and what is on it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.severity import Severity
from service.access.principals import Principal
from service.access.visibility import require_ward
from service.feed.positions import Position, Positions, Wakeups
from service.fields import canonical_id
from service.paging import cursor_instant, decode_cursor, encode_cursor, not_ours
from service.queue import views
from service.queue.views import Shape, ShownAlert

LOOK_AGAIN_SECONDS = 1.0
"""Whoever waits looks this often, bell or no bell: another process's changes ring none here."""

After = tuple[int, bool, str, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page that somebody asks for. `ward_ids` sorted; `named_on` are those of them on which the caller
    may know who the patients are. `states` empty: everything unresolved. `after`: the sort values of the row
    before."""

    ward_ids: tuple[str, ...]
    named_on: frozenset[str]
    limit: int
    states: tuple[str, ...] = ()
    stay_id: str | None = None
    severity_min: int | None = None
    family: str | None = None
    channel: str | None = None
    assigned_to: str | None = None
    after: After | None = None

    @property
    def _listed(self) -> tuple[Any, ...]:
        return (
            self.ward_ids, self.states, self.stay_id, self.severity_min, self.family, self.channel, self.assigned_to,
        )  # fmt: skip

    @property
    def about(self) -> str:
        """What is listed, whatever the page: a cursor leads on in the list it comes from and in no other."""
        return blake2b(repr(self._listed).encode(), digest_size=6).hexdigest()

    def tag(self, who: Principal, positions: Mapping[str, Position], release: str) -> str:
        """The page's strong ETag: the same as long as nothing that could be seen on it has changed."""
        numbers = [(ward_id, positions[ward_id].number, positions[ward_id].epoch) for ward_id in sorted(positions)]
        parts = (
            release, sorted(who.scopes), self._listed, sorted(self.named_on), self.limit, self.after, numbers,
        )  # fmt: skip
        return f'"{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The alerts of a page in queue order, the cursor of the next page, and since when the service is late."""

    alerts: Sequence[ShownAlert]
    next_cursor: str | None
    degraded_since: datetime | None = None


def listing_of(who: Principal, asked: Mapping[str, Any]) -> Listing:
    """The page that a principal asks for, by the API's names: `ward_id` and `state` lists, the others single.

    Raises NotFound for a foreign ward and Invalid for a cursor that is not one of ours."""
    ward_ids = wards_asked_for(who, asked["ward_id"])
    least = asked["severity_min"]
    listing = Listing(
        ward_ids=ward_ids,
        named_on=named_on(who, ward_ids),
        limit=asked["limit"],
        states=tuple(sorted(set(asked["state"]))),
        stay_id=asked["stay_id"],
        severity_min=int(Severity[least.upper()]) if least else None,
        family=asked["family"],
        channel=asked["channel"],
        assigned_to=asked["assigned_to"],
    )
    return replace(listing, after=_after(asked["cursor"], listing.about))


def wards_asked_for(who: Principal, ward_ids: Sequence[str]) -> tuple[str, ...]:
    """The wards of a listing: those named, else all of the principal's. Raises NotFound for a foreign one."""
    for ward_id in ward_ids:
        require_ward(who, ward_id)
    return tuple(sorted(set(ward_ids))) if ward_ids else who.ward_ids


def named_on(who: Principal, ward_ids: Sequence[str]) -> frozenset[str]:
    """The wards on which the principal may know who the patients are."""
    return frozenset(who.on("patients:read").ward_ids).intersection(ward_ids)


def _after(cursor: str | None, about: str) -> After | None:
    """The sort values in a cursor; raises Invalid when it is not one of ours, or of another list."""
    if cursor is None:
        return None
    whose, severity, taken, respond_by, alert_id = decode_cursor(cursor, (str, int, bool, str, str))
    if whose != about or canonical_id(alert_id) is None or not 1 <= severity <= 4:
        raise not_ours()
    cursor_instant(respond_by)
    return severity, taken, respond_by, alert_id


async def read_page(connection: AsyncConnection, listing: Listing) -> QueuePage:
    """The page as it stands now, and whether the wards are told that the service is late: two queries."""
    if not listing.ward_ids:
        return QueuePage((), None)
    filters = {
        name: value
        for name in ("stay_id", "severity_min", "family", "channel", "assigned_to")
        if (value := getattr(listing, name)) is not None
    }
    open_states = [each for each in listing.states if each != "resolved"]
    if open_states:
        filters["states"] = open_states
    resolved = "resolved" in listing.states
    shape = Shape(
        len(listing.ward_ids),
        frozenset(filters),
        listing.after is not None,
        bool(open_states) or not resolved,
        resolved,
    )
    values: dict[str, Any] = {f"ward_{n}": ward_id for n, ward_id in enumerate(listing.ward_ids)}
    if listing.after is not None:
        severity, taken, respond_by, alert_id = listing.after
        values |= {
            "after_severity": severity,
            "after_taken": taken,
            "after_respond_by": datetime.fromisoformat(respond_by),
            "after_id": alert_id,
        }
    found = await views.list_alerts(connection, shape, {**values, **filters, "at_most": listing.limit + 1})
    since = await views.degraded_since(connection, listing.ward_ids)
    if len(found) <= listing.limit:
        return QueuePage(found, None, since)
    last = found[listing.limit - 1]
    cursor = encode_cursor(listing.about, last.severity_rank, last.taken, last.respond_by.isoformat(), last.id)
    return QueuePage(found[: listing.limit], cursor, since)


async def wait_for_change(
    positions: Positions,
    wakeups: Wakeups,
    ward_ids: Sequence[str],
    unchanged: Callable[[Mapping[str, Position]], bool],
    seconds: float,
) -> Mapping[str, Position]:
    """The wards' positions once they are no longer `unchanged`, after so many seconds, or when the service stops."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    with wakeups.listening(ward_ids) as bell:
        while True:
            bell.clear()
            found = await positions.current(ward_ids)
            left = until - clock()
            if left <= 0 or wakeups.closing or not unchanged(found):
                return found
            try:
                async with asyncio.timeout(min(left, LOOK_AGAIN_SECONDS)):
                    await bell.wait()
            except TimeoutError:
                continue
