"""R17: the alarm system watches itself. It depends on nothing that it watches: a thread of its own, with a loop and
connections of its own, that reads the signs of life of all replicas and tells every ward when work is late."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.ward import SYSTEM_DEGRADED, degraded
from service import metrics
from service.clock import Clock, real_now
from service.logs import get_logger
from service.queue.ward_alerts import clear_for_ward, list_wards_with, raise_for_ward
from service.storage import heartbeats, lateness
from service.storage.engine import Database, open_database
from service.storage.faults import is_unavailable
from service.storage.roles import Role

log = get_logger(__name__)

CHECK_SECONDS = 20.0
"""How often it looks."""


class Watchdog:
    """One for each process. `shared` are the kinds of work that any replica does for all."""

    def __init__(self, url: str, clock: Clock, replica_id: str, shared: Sequence[str]) -> None:
        self._url = url
        self._clock = clock
        self._replica_id = replica_id
        self._shared = tuple(shared)
        self._since = real_now()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.late: tuple[str, ...] = ()
        """What was late when it last looked."""

    def start(self) -> None:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; a replica that stops by itself is missed by nobody."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    async def look(self, database: Database, now: datetime) -> tuple[str, ...]:
        """Look once, as of `now` (real time): raise or clear R17 on every ward that needs it. Gives what is late."""
        await heartbeats.beat(database, self._replica_id, lateness.WATCHDOG, now)
        beats = await heartbeats.list_beats(database)
        late = lateness.late_work(beats, self._shared, self._since, now)
        async with database.reads.connect() as connection:
            standing = await list_wards_with(connection, SYSTEM_DEGRADED)
        done_again = not late and lateness.recovered(beats, self._shared, now)
        if late != self.late:
            log.error("work_is_late", kinds=list(late)) if late else log.warning("work_is_done_again")
        self.late = late
        for kind in (*self._shared, lateness.INTAKE):
            metrics.LATE.labels(kind).set(kind in late)
        await self._tell(database, standing, late, done_again)
        return late

    async def _tell(
        self, database: Database, standing: Mapping[str, bool], late: tuple[str, ...], done_again: bool
    ) -> None:
        """Raise or clear R17 on every ward. One ward's fault keeps no other waiting, but is raised in the end."""
        failures: list[Exception] = []
        for ward_id, stands in sorted(standing.items()):
            at = self._clock.now()
            try:
                if late and not stands:
                    await raise_for_ward(database, ward_id, degraded(late, at), at)
                elif done_again and stands:
                    await clear_for_ward(database, ward_id, SYSTEM_DEGRADED, at)
            except Exception as problem:
                if is_unavailable(problem):
                    raise
                log.error("ward_not_told", ward_id=ward_id, exc_info=problem)
                failures.append(problem)
        if failures:
            raise failures[0]

    def _run(self) -> None:
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        database = open_database(self._url, 1, served=True).acting(Role.TIMERS)
        try:
            while not self._stopping.is_set():
                await self._try(database)
                # Waits outside the loop, which has nothing else to do.
                self._stopping.wait(CHECK_SECONDS)
            await heartbeats.forget(database, self._replica_id, real_now())
        except Exception as problem:
            log.error("watchdog_ended", exc_info=problem)
        finally:
            await database.close()

    async def _try(self, database: Database) -> None:
        try:
            await self.look(database, real_now())
        except Exception as problem:
            metrics.TIMER_FAILURES.labels(lateness.WATCHDOG).inc()
            log.error("watchdog_failed", exc_info=problem)
