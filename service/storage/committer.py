"""Group commit: everything that waits, from any request, goes into one transaction, and each sender is answered after
the commit that holds their work. Nobody waits for company: a lone item is taken at once.

The transaction is `direct.Groups`, one of the two places that commit what somebody sent (the other is `session.py`)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Generic

from service import metrics
from service.errors import DatabaseUnavailable
from service.logs import get_logger
from service.storage.direct import Groups, Where
from service.storage.engine import Database
from service.storage.faults import is_unavailable, may_be_retried
from service.storage.portable import placement
from service.storage.waiting import FairQueue, Item, Result, Waiting

log = get_logger(__name__)

GROUP_READINGS = 256
"""A group takes no further item once it holds this many readings."""
ROUNDS = QUIET = 8
"""What has come together is taken after so many rounds of the loop in which nothing came, or after so many such times:
a tenth of a millisecond for a lone item."""
TRIES = 5
"""A group that lost a race with others is tried this often."""

HELD_SECONDS, PATIENCE_SECONDS = 0.004, 10.0
"""An item that could not be worked on is tried again after this time. One that has waited longer than that, for
whatever reason, is refused: behind a database that answers nobody its sender has long given up."""

Work = Callable[[Where, Sequence[Item]], Awaitable[Sequence[Result | None]]]
"""What is done with a group inside its transaction: one result for each item, in order; None for one that cannot be
worked on now, because somebody else is at it."""


class GroupCommitter(Generic[Item, Result]):
    """Takes what waits, group after group, and commits up to `committers` of them side by side.

    One group is worked on at a time; the next begins when nothing is left of it but the commit, so that it works while
    the other waits for the disk. Until then what arrives makes the next group larger, which costs less than working
    side by side on one core. Items of one stay are so kept in the order in which they came, except one that had to be
    held: others may go before it."""

    def __init__(
        self,
        database: Database,
        work: Work[Item, Result],
        after_commit: Callable[[Sequence[Result]], None],
        committers: int,
        capacity: int,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._groups = Groups(database)
        self._work = work
        self._after_commit = after_commit
        self._queue = FairQueue[Item, Result](capacity, placement)
        self._patience = patience
        self._free = asyncio.Semaphore(1 if database.is_embedded else committers)
        self._taking: asyncio.Task[None] | None = None
        self._committing: set[asyncio.Task[None]] = set()
        self._held: dict[Waiting[Item, Result], asyncio.TimerHandle] = {}

    async def start(self) -> None:
        """Begin to take what waits."""
        self._taking = asyncio.create_task(self._take(), name="committer")

    async def stop(self) -> None:
        """Commit and answer what is waiting, then stop."""
        self._queue.close()
        while self._taking is not None:
            await asyncio.gather(self._taking, return_exceptions=True)
            await asyncio.gather(*self._committing, return_exceptions=True)
            held, self._held = self._held, {}
            for waiting, timer in held.items():
                timer.cancel()
                self._queue.put_back(waiting)
            # Its time may have come meanwhile as well: then it is in the queue already.
            self._taking = asyncio.create_task(self._take()) if await self._queue.wait() else None

    @property
    def alive(self) -> bool:
        """Whether what waits is taken."""
        return self._taking is not None and not self._taking.done()

    async def submit(self, ward_id: str, item: Item, weight: int = 1) -> Result:
        """`send`, and wait for it."""
        return await self.send(ward_id, item, weight)

    def send(self, ward_id: str, item: Item, weight: int = 1) -> "asyncio.Future[Result]":
        """The result for one item, once the commit that holds it is done; raises Overloaded when the queue is full.
        The future fails with DatabaseUnavailable when the item could not be kept, or with whatever the work raised
        for this item alone."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._queue.put(Waiting(ward_id, item, weight, answer, loop.time()))
        return answer

    async def _take(self) -> None:
        while await self._queue.wait():
            await self._free.acquire()
            await _let_in(self._queue)
            group = self._in_time(self._queue.take(GROUP_READINGS))
            metrics.WAITING.set(self._queue.weight)
            if not group:
                self._free.release()
                continue
            worked = asyncio.Event()
            committing = asyncio.create_task(self._keep(group, worked))
            self._committing.add(committing)
            committing.add_done_callback(self._committing.discard)
            await worked.wait()

    def _in_time(self, group: Sequence[Waiting[Item, Result]]) -> list[Waiting[Item, Result]]:
        """Those of a group whose patience has not ended; the others are refused."""
        since = asyncio.get_running_loop().time() - self._patience
        late = [waiting for waiting in group if waiting.since < since]
        if late:
            log.warning("waited_too_long", items=len(late))
            _refuse(late, DatabaseUnavailable())
        return [waiting for waiting in group if waiting.since >= since]

    async def _keep(self, group: list[Waiting[Item, Result]], worked: asyncio.Event) -> None:
        """Commit a group and answer it, come what may; `worked` is set when the next may begin."""
        try:
            await self._commit(group, worked)
        except BaseException:
            _refuse(group, DatabaseUnavailable())
            raise
        finally:
            worked.set()
            self._free.release()

    async def _commit(self, group: list[Waiting[Item, Result]], worked: asyncio.Event) -> None:
        """Commit a group. A fault halves it until the culprit stands alone, so that nobody else is refused."""
        for attempt in range(1, TRIES + 1):
            try:
                results = await self._transaction([waiting.item for waiting in group], worked)
            except Exception as problem:
                if attempt < TRIES and may_be_retried(problem):
                    await asyncio.sleep(0.005 * attempt)
                    continue
                await self._failed(group, problem, worked)
                return
            self._answer(group, results)
            return

    async def _failed(self, group: list[Waiting[Item, Result]], problem: Exception, worked: asyncio.Event) -> None:
        if is_unavailable(problem) or may_be_retried(problem):
            log.warning("group_not_kept", error=type(problem).__name__, items=len(group))
            _refuse(group, DatabaseUnavailable())
        elif len(group) == 1:
            _refuse(group, problem)
        else:
            log.warning("group_halved", error=type(problem).__name__, items=len(group))
            await self._commit(group[: len(group) // 2], worked)
            await self._commit(group[len(group) // 2 :], worked)

    async def _transaction(self, items: Sequence[Item], worked: asyncio.Event) -> Sequence[Result | None]:
        started = perf_counter()
        async with self._groups.begin() as where:
            results = await self._work(where, items)
            worked.set()
        metrics.GROUP_SECONDS.observe(perf_counter() - started)
        return results

    def _answer(self, group: list[Waiting[Item, Result]], results: Sequence[Result | None]) -> None:
        done = [waiting.weight for waiting, result in zip(group, results, strict=True) if result is not None]
        metrics.GROUP_SIZE.observe(sum(done))
        for waiting, result in zip(group, results, strict=True):
            if result is None:
                self._hold(waiting)
            elif not waiting.answer.done():
                waiting.answer.set_result(result)
        try:
            self._after_commit([result for result in results if result is not None])
        except Exception as problem:
            log.error("after_commit_failed", exc_info=problem)

    def _hold(self, waiting: Waiting[Item, Result]) -> None:
        """Try an item again in a moment: nobody else waits for what it waits for."""
        self._held[waiting] = asyncio.get_running_loop().call_later(HELD_SECONDS, self._again, waiting)

    def _again(self, waiting: Waiting[Item, Result]) -> None:
        del self._held[waiting]
        self._queue.put_back(waiting)


async def _let_in(queue: FairQueue[Item, Result]) -> None:
    """Whoever is about to put something in has their turn first: not a wait, but rounds of the loop, as long as
    they bring something."""
    for _ in range(ROUNDS):
        waiting = queue.weight
        for _ in range(QUIET):
            await asyncio.sleep(0)
        if queue.weight == waiting or queue.weight >= GROUP_READINGS:
            return


def _refuse(group: Sequence[Waiting[Item, Result]], problem: Exception) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(problem)
