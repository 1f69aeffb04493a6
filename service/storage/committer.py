"""Group commit: everything that waits, from any request, goes into one transaction, and each sender is answered after
the commit that holds their work. Nobody waits for company: a lone item is taken at once.

One of the two places that commit (the other is `session.py`)."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Generic

from service import metrics
from service.errors import DatabaseUnavailable
from service.fields import NIL_ID
from service.logs import get_logger
from service.storage.direct import Groups, Where
from service.storage.engine import Database
from service.storage.faults import is_unavailable, may_be_retried
from service.storage.portable import placement
from service.storage.waiting import FairQueue, Item, Result, Waiting

log = get_logger(__name__)

GROUP_READINGS = 256
"""A group takes no further item once it holds this many readings."""
ROUNDS = 8
"""So often the loop goes round, at most, before what has come together is taken."""
TRIES = 5
"""A group that lost a race with others is tried this often."""

Work = Callable[[Where, Sequence[Item]], Awaitable[Sequence[Result]]]
"""What is done with a group inside its transaction: one result for each item, in order."""


class GroupCommitter(Generic[Item, Result]):
    """Several committers side by side; the same stay always goes to the same one, so that groups in one process
    never wait for each other's rows."""

    def __init__(
        self,
        database: Database,
        work: Work[Item, Result],
        after_commit: Callable[[Sequence[Result]], None],
        committers: int,
        capacity: int,
    ) -> None:
        count = 1 if database.is_embedded else committers
        self._groups = Groups(database)
        self._work = work
        self._after_commit = after_commit
        self._queues = [FairQueue[Item, Result](max(1, capacity // count), placement) for _ in range(count)]
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the committers."""
        self._tasks = [asyncio.create_task(self._run(queue), name="committer") for queue in self._queues]

    async def stop(self) -> None:
        """Commit and answer what is waiting, then stop."""
        for queue in self._queues:
            queue.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def alive(self) -> bool:
        """Whether every committer is running."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def submit(self, ward_id: str, stay_id: str, item: Item, weight: int = 1) -> Result:
        """`send`, and wait for it."""
        return await self.send(ward_id, stay_id, item, weight)

    def send(self, ward_id: str, stay_id: str, item: Item, weight: int = 1) -> "asyncio.Future[Result]":
        """The result for one item, once the commit that holds it is done; raises Overloaded when the queue is full.
        The future fails with DatabaseUnavailable when the item could not be kept, or with whatever the work raised
        for this item alone."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        queue = self._queues[zlib.crc32(stay_id.encode()) % len(self._queues)]
        queue.put(Waiting(ward_id, item, weight, answer))
        return answer

    async def through_each(self, make: Callable[[], Item]) -> None:
        """Send an item through every committer, whichever its stay belongs to; raises like `submit`."""
        answers = []
        for queue in self._queues:
            answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            queue.put(Waiting(NIL_ID, make(), 0, answer))
            answers.append(answer)
        await asyncio.gather(*answers)

    async def _run(self, queue: FairQueue[Item, Result]) -> None:
        while await queue.wait():
            await self._turn.acquire()
            turn = _Turn(self._turn)
            group: list[Waiting[Item, Result]] = []
            try:
                await _let_in(queue)
                group = queue.take(GROUP_READINGS)
                metrics.WAITING.set(sum(each.weight for each in self._queues))
                await self._commit(group, turn)
            except asyncio.CancelledError:
                _refuse(group, DatabaseUnavailable())
                raise
            finally:
                turn.end()

    async def _commit(self, group: list[Waiting[Item, Result]], turn: "_Turn") -> None:
        """Commit a group. A fault halves it until the culprit stands alone, so that nobody else is refused."""
        for attempt in range(1, TRIES + 1):
            try:
                results = await self._transaction([waiting.item for waiting in group], turn)
            except Exception as problem:
                if attempt < TRIES and may_be_retried(problem):
                    await asyncio.sleep(0.005 * attempt)
                    continue
                await self._failed(group, problem, turn)
                return
            self._answer(group, results)
            return

    async def _failed(self, group: list[Waiting[Item, Result]], problem: Exception, turn: "_Turn") -> None:
        if is_unavailable(problem) or may_be_retried(problem):
            log.warning("group_not_kept", error=type(problem).__name__, items=len(group))
            _refuse(group, DatabaseUnavailable())
        elif len(group) == 1:
            _refuse(group, problem)
        else:
            log.warning("group_halved", error=type(problem).__name__, items=len(group))
            await self._commit(group[: len(group) // 2], turn)
            await self._commit(group[len(group) // 2 :], turn)

    async def _transaction(self, items: Sequence[Item], turn: "_Turn") -> Sequence[Result]:
        started = perf_counter()
        async with self._groups.begin() as where:
            results = await self._work(where, items)
            turn.end()
        metrics.GROUP_SECONDS.observe(perf_counter() - started)
        return results

    def _answer(self, group: list[Waiting[Item, Result]], results: Sequence[Result]) -> None:
        metrics.GROUP_SIZE.observe(sum(waiting.weight for waiting in group))
        for waiting, result in zip(group, results, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(result)
        try:
            self._after_commit(results)
        except Exception as problem:
            log.error("after_commit_failed", exc_info=problem)


class _Turn:
    """One committer's turn to work. It ends when nothing is left but the commit, so that the next works while this one
    waits for the disk; until then the others' groups grow, which costs less than working side by side on one core."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._mine = True

    def end(self) -> None:
        """Let the next one work. A group that is tried again goes on without a turn."""
        if self._mine:
            self._mine = False
            self._lock.release()


async def _let_in(queue: FairQueue[Item, Result]) -> None:
    """Whoever is about to put something in has their turn first: not a wait, but rounds of the loop, as long as each
    brings something. A lone item goes after two."""
    for _ in range(ROUNDS):
        waiting = queue.weight
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if queue.weight == waiting or queue.weight >= GROUP_READINGS:
            return


def _refuse(group: Sequence[Waiting[Item, Result]], problem: Exception) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(problem)
