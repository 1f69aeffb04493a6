"""Where each ward's feed stands now: one shared check for everybody who asks, and a bell for those who wait.

A 304 or a shared page is honest only if the feed numbers behind it were read after the request arrived. So a
read serves exactly the callers that were waiting when it began; who comes while it runs shares the next
one."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy import Select, select

from service.errors import Overloaded
from service.feed.numbering import COUNTED, FEED, WARDS
from service.storage.direct import Statement, Where, fetch, looking
from service.storage.engine import Database
from service.storage.portable import dialect_of, for_each

CLOSE_SECONDS = 5
MAX_WAITING = 10_000
"""Callers that may wait for one read; more than this many connections is an overload."""


def _read(dialect: str) -> Select[Any]:
    given = WARDS.table(dialect)
    feed = FEED.c
    columns = (feed.ward_id, feed.last_number, feed.epoch, feed.last_at, *(feed[name] for name in COUNTED))
    return for_each(dialect, given, select(*columns).where(feed.ward_id == given.c.ward_id), feed.ward_id)


READ = Statement(_read)


@dataclass(frozen=True, slots=True)
class Position:
    """A ward's feed at one moment: the last number, in which epoch, when that event was, and the counts then.

    `counts` has a number of unresolved alerts for each state and each severity word."""

    number: int
    epoch: str
    at: datetime | None
    counts: Mapping[str, int]


def epoch_of(positions: Iterable[Position]) -> str:
    """The epoch of several feeds as one opaque word; a ward's own epoch is one of its dot-separated parts."""
    return ".".join(sorted({position.epoch for position in positions}))


class _Caller:
    __slots__ = ("answer", "ward_ids")

    def __init__(self, ward_ids: Collection[str]) -> None:
        self.ward_ids = ward_ids
        self.answer: asyncio.Future[dict[str, Position]] = asyncio.get_running_loop().create_future()


class Positions:
    """The shared check. One read runs at a time, on a connection kept for it; a caller that gives up disturbs nobody
    else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Caller] = []
        self._asked = asyncio.Event()
        self._closing = False
        self._reader: asyncio.Task[None] | None = None

    async def current(self, ward_ids: Collection[str]) -> dict[str, Position]:
        """The position of each of these wards, by a read begun after this call; wards without a feed are left
        out.

        Raises Overloaded when too many wait, and what the database raises."""
        if not ward_ids:
            return {}
        if self._closing or len(self._waiting) >= MAX_WAITING:
            raise Overloaded
        caller = _Caller(ward_ids)
        self._waiting.append(caller)
        self._asked.set()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._serve())
        return await caller.answer

    async def close(self) -> None:
        """Stop reading, once the read under way is done; whoever still waits is told that the service is going away."""
        self._closing = True
        self._asked.set()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=CLOSE_SECONDS)
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _serve(self) -> None:
        try:
            while not self._closing:
                await self._asked.wait()
                try:
                    async with looking(self._database) as where:
                        await self._read_for_all(where)
                except Exception as problem:  # nobody can be answered now; the next ones are tried anew
                    self._tell(problem)
        finally:
            self._tell(Overloaded())

    async def _read_for_all(self, where: Where) -> None:
        """Read again and again on one connection. Ends when it does not work any more; who waited then goes on waiting,
        for a new connection. Raises when it never worked."""
        worked = False
        while not self._closing:
            await self._asked.wait()
            await asyncio.sleep(0)  # requests that are already at the door share this read
            self._asked.clear()
            callers, self._waiting = self._waiting, []
            if not callers:
                continue
            try:
                found = await _positions(where, {ward_id for caller in callers for ward_id in caller.ward_ids})
            except BaseException as problem:
                self._waiting = callers + self._waiting
                self._asked.set()
                if worked and isinstance(problem, Exception):
                    return
                raise
            _answer(callers, found)
            worked = True

    def _tell(self, problem: Exception) -> None:
        """Whoever waits is told what went wrong."""
        callers, self._waiting = self._waiting, []
        self._asked.clear()
        for caller in callers:
            if not caller.answer.done():
                caller.answer.set_exception(problem)


def _answer(callers: list[_Caller], found: Mapping[str, Position]) -> None:
    for caller in callers:
        if not caller.answer.done():
            caller.answer.set_result({each: found[each] for each in caller.ward_ids if each in found})


async def _positions(where: Where, ward_ids: Collection[str]) -> dict[str, Position]:
    rows = await fetch(where, READ, WARDS.params(dialect_of(where), [(ward_id,) for ward_id in ward_ids]))
    return {row[0]: Position(row[1], row[2], row[3], dict(zip(COUNTED, row[4:], strict=True))) for row in rows}


class Wakeups:
    """Bells inside this process: who commits to a ward's feed rings, who waits for that ward looks again.

    Only a hint. Another process's commits ring nothing here, so whoever waits also looks once a second."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = {}
        self.closing = False

    def close(self) -> None:
        """The service is stopping: everybody who waits is answered now."""
        self.closing = True
        self.wake(list(self._bells))

    def wake(self, ward_ids: Iterable[str]) -> None:
        """Ring for these wards; call it after the commit."""
        for ward_id in ward_ids:
            for bell in self._bells.get(ward_id, ()):
                bell.set()

    @contextmanager
    def listening(self, ward_ids: Collection[str]) -> Iterator[asyncio.Event]:
        """A bell that rings for these wards. Listen first, then look, so that nothing falls in between."""
        bell = asyncio.Event()
        for ward_id in ward_ids:
            self._bells.setdefault(ward_id, set()).add(bell)
        try:
            yield bell
        finally:
            for ward_id in ward_ids:
                others = self._bells[ward_id]
                others.discard(bell)
                if not others:
                    del self._bells[ward_id]


def of(request: Request) -> Positions:
    """The application's shared check."""
    positions: Positions = request.app.state.positions
    return positions


def wakeups_of(request: Request) -> Wakeups:
    """The application's bells."""
    wakeups: Wakeups = request.app.state.wakeups
    return wakeups


def install(state: Any, database: Database) -> None:
    """Put the shared check and the bells where `of` and `wakeups_of` find them."""
    state.positions = Positions(database)
    state.wakeups = Wakeups()
