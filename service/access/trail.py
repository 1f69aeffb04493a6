"""What the audit trail holds of reads and refusals. They happen where nothing is written, and often: they are noted in
memory and written together each second, so a process that is killed loses those of its last second."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from service import metrics
from service.access import audit
from service.access.principals import Principal
from service.clock import real_now
from service.edge import Visit, address
from service.fields import canonical_id
from service.logs import get_logger
from service.stopping import rest
from service.storage.direct import insert_rows
from service.storage.engine import Database
from service.storage.session import writing

log = get_logger(__name__)

EVERY_SECONDS = 1.0
POLLS_SECONDS, REFUSALS_SECONDS = 3600, 60
MAX_WAITING = 10_000
"""Entries that may wait while the database cannot be written to; what is lost beyond that is counted."""
AT_A_TIME = 500


class _Tally:
    """Things that happen again and again: whether one is the first within a window, and how many there were before."""

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        self._seconds = seconds
        self._now = now
        self._known: dict[Any, list[float]] = {}

    def first(self, key: Any) -> int | None:
        """None within a window that is open; else how often it happened in the window before, beyond the first."""
        now = self._now()
        found = self._known.get(key)
        if found is not None and found[0] > now:
            found[1] += 1
            return None
        if len(self._known) >= MAX_WAITING:
            self._known = {each: window for each, window in self._known.items() if window[0] > now}
            if len(self._known) >= MAX_WAITING:
                self._known.clear()
        self._known[key] = [now + self._seconds, 0]
        return int(found[1]) if found is not None else 0


class Trail:
    """One for each process."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._waiting: list[dict[str, Any]] = []
        self._polls = _Tally(POLLS_SECONDS, now)
        self._refusals = _Tally(REFUSALS_SECONDS, now)
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def read(
        self, who: Principal, ward_id: str, subject: tuple[str, str], action: str | None = None, **detail: Any
    ) -> None:
        """Somebody read what is known of one patient. An app at home does so over and over of its own stay: one entry
        for each session and hour, with how often it was the hour before (`before`)."""
        action = action or f"{subject[0]}.read"
        if who.home is not None:
            before = self._polls.first((who.family_id or who.id, subject, action))
            if before is None:
                return
            detail = {**detail, "before": before}
        self._note(audit.entry(who, action, real_now(), ward_id=ward_id, subject=subject, detail=detail))

    def polled(self, who: Principal, ward_ids: tuple[str, ...], action: str = "queue.read") -> None:
        """Somebody looked at the wards' lists: one entry for each session and hour, with how often it was the hour
        before (`before`). Costs half a microsecond."""
        before = self._polls.first((who.family_id or who.id, ward_ids, action))
        if before is None:
            return
        detail = {"session": who.family_id or None, "before": before}
        for ward_id in ward_ids:
            self._note(audit.entry(who, action, real_now(), ward_id=ward_id, detail=detail))

    def refused(self, scope: Any, visit: Visit, status: int) -> None:
        """A request was refused. What nobody known asked of an address that is none is no entry: anybody could fill
        the trail with it. The same again within a minute is counted and told with the next entry (`before`)."""
        who: Principal | None = visit.who
        if who is None and status == 404:
            return
        path = getattr(scope.get("route"), "path", None) or ""
        before = self._refusals.first((who.id if who else address.get(), status, path))
        if before is None:
            return
        ids = [(name, canonical_id(text)) for name, text in (scope.get("path_params") or {}).items()]
        known = [(name.removesuffix("_id")[:20], found) for name, found in ids if found is not None]
        detail = {"status": status, "route": f"{scope['method'][:10]} {path}", "before": before}
        self._note(
            audit.entry(
                who, "refused", real_now(), subject=known[-1] if known else None, outcome="refused", detail=detail
            )
        )

    def _note(self, row: dict[str, Any]) -> None:
        if len(self._waiting) >= MAX_WAITING:
            metrics.AUDIT_LOST.inc()
            return
        self._waiting.append(row)

    async def write(self, database: Database) -> None:
        """Write what waits."""
        while rows := self._waiting[:AT_A_TIME]:
            async with writing(database) as session:
                await insert_rows(session, audit.AUDIT, rows)
            del self._waiting[: len(rows)]

    def start(self, database: Database) -> None:
        """Write by itself, each second."""
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(database), name="audit trail")

    async def stop(self, database: Database) -> None:
        """Write what is left, and end. What is being written is not cut short, nor begun a second time beside it."""
        if self._task is not None:
            self._stopping.set()
            await self._task
            self._task = None
            await self._try(database)

    async def _run(self, database: Database) -> None:
        while not self._stopping.is_set():
            await rest(self._stopping, EVERY_SECONDS)
            await self._try(database)

    async def _try(self, database: Database) -> None:
        try:
            await self.write(database)
        except Exception as problem:
            log.error("audit_not_written", waiting=len(self._waiting), exc_info=problem)


def trail_of(request: Any) -> Trail:
    """The application's trail."""
    found: Trail = request.app.state.trail
    return found
