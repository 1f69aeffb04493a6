"""Time-driven work, in every replica: a loop for each kind of it, which finds the wards that have something due,
claims them one by one and has the work done.

Looking is the guarantee, at bounded intervals; being told that something nearer is due is only a hint. What makes
each due thing happen once is that the work looks again under the row's lock: a replica that is killed, an hour of
downtime or two replicas at once change nothing about that."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service import metrics
from service.clock import Clock, real_now
from service.fields import new_id
from service.logs import get_logger
from service.storage import heartbeats, leases
from service.storage.engine import Database

log = get_logger(__name__)

POLL_SECONDS = 5.0
"""At least this often everybody looks: another replica's news rings no bell here."""
LEAST_SECONDS = 0.5
"""And never more often: bells may ring all the time."""
BEAT_SECONDS = 20.0
"""A round that was carried out is written down at most this often."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """The wards with something due, longest overdue first, and when the next thing becomes due."""

    wards: Sequence[str]
    next_at: datetime | None


class Work(Protocol):
    """One kind of time-driven work."""

    @property
    def kind(self) -> str:
        """Its name, in leases, heartbeats and metrics."""

    async def find_due(self, now: datetime) -> Agenda:
        """Which wards have something due; a read without a lock."""

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Do a bounded part of what is due on a ward. True: there may be more of it."""


def agenda(found: Iterable[tuple[str, datetime | None]], now: datetime) -> Agenda:
    """The agenda that follows from each ward's earliest due instant (None: nothing is due there)."""
    known = sorted((at, ward_id) for ward_id, at in found if at is not None)
    due = [ward_id for at, ward_id in known if at <= now]
    return Agenda(due, known[len(due)][0] if len(known) > len(due) else None)


class Timekeeper:
    """One for each process."""

    def __init__(self, database: Database, clock: Clock, works: Sequence[Work]) -> None:
        self.replica_id = new_id()
        self._database = database
        self._clock = clock
        self._works = works
        self._bells = {work.kind: asyncio.Event() for work in works}
        self._looks_at: dict[str, float] = {}
        self._beaten: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the loops."""
        self._tasks = [asyncio.create_task(self._run(work), name=f"timer {work.kind}") for work in self._works]

    async def stop(self) -> None:
        """Stop the loops where they stand; what a transaction had not finished is done by the next one."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def kinds(self) -> list[str]:
        """The kinds of work that are done."""
        return [work.kind for work in self._works]

    def nearer(self, kind: str, at: datetime) -> None:
        """Something becomes due at a clinical instant that was not known: look then at the latest."""
        now = asyncio.get_running_loop().time()
        if now + self._clock.seconds_until(at) < self._looks_at.get(kind, float("-inf")):
            self._bells[kind].set()

    async def catch_up(self) -> None:
        """Do everything that is due now, whatever becomes due by it included; raises what the work raises."""
        while True:
            done = [await self._round(work, strict=True) for work in self._works]
            if not any(agenda.wards for agenda in done):
                return

    async def _run(self, work: Work) -> None:
        bell = self._bells[work.kind]
        while True:
            bell.clear()
            wait = POLL_SECONDS
            try:
                done = await self._round(work)
                if done.next_at is not None:
                    wait = min(wait, self._clock.seconds_until(done.next_at))
                await self._beat(work)
            except Exception as problem:
                metrics.TIMER_FAILURES.labels(work.kind).inc()
                log.error("timer_failed", kind=work.kind, exc_info=problem)
            now = asyncio.get_running_loop().time()
            self._looks_at[work.kind] = now + max(wait, LEAST_SECONDS)
            try:
                async with asyncio.timeout_at(self._looks_at[work.kind]):
                    await bell.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(max(0.0, now + LEAST_SECONDS - asyncio.get_running_loop().time()))

    async def _round(self, work: Work, *, strict: bool = False) -> Agenda:
        """Everything of one kind that is due, ward by ward. One ward's fault keeps no other waiting, but the round
        fails by it in the end."""
        now = self._clock.now()
        found = await work.find_due(now)
        failures: list[Exception] = []
        for ward_id in found.wards:
            try:
                more = True
                while more and await self._claim(work, ward_id):
                    more = await work.carry_out(ward_id, now)
            except Exception as problem:
                if strict:
                    raise
                failures.append(problem)
            finally:
                await leases.release(self._database, ward_id, work.kind, self.replica_id)
        if failures:
            raise ExceptionGroup(f"{work.kind}: {len(failures)} of {len(found.wards)} wards", failures)
        return found

    async def _claim(self, work: Work, ward_id: str) -> bool:
        return await leases.claim(self._database, ward_id, work.kind, self.replica_id, real_now())

    async def _beat(self, work: Work) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._beaten.get(work.kind, float("-inf")) >= BEAT_SECONDS:
            await heartbeats.beat(self._database, self.replica_id, work.kind, real_now())
            self._beaten[work.kind] = now
