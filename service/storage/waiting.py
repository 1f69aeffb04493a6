"""What waits for a committer: bounded, and fair between wards."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.errors import Overloaded

Item = TypeVar("Item")
Result = TypeVar("Result")

WARD_SHARE = 0.75
"""One ward may fill this part of the queue; the rest stays free for the others."""


@dataclass(slots=True, eq=False)
class Waiting(Generic[Item, Result]):
    """One item and the future its sender waits on. `weight` is the number of readings in it; `since`: when it was
    sent, on the loop's clock."""

    ward_id: str
    item: Item
    weight: int
    answer: "asyncio.Future[Result]"
    since: float


class FairQueue(Generic[Item, Result]):
    """Items by ward, taken in turns, so that a ward that sends much makes only itself wait."""

    def __init__(self, capacity: int, placement: Callable[[str], str]) -> None:
        self._capacity = capacity
        self._placement = placement
        self._wards: dict[str, deque[Waiting[Item, Result]]] = {}
        self._ward_weight: dict[str, int] = {}
        self._arrived = asyncio.Event()
        self._closed = False
        self.weight = 0

    def put(self, waiting: Waiting[Item, Result]) -> None:
        """Queue an item; raises Overloaded when there is no room for it, or the service is stopping."""
        ward_weight = self._ward_weight.get(waiting.ward_id, 0)
        fits = self.weight + waiting.weight <= self._capacity
        if self._closed or not fits or (ward_weight and ward_weight + waiting.weight > self._capacity * WARD_SHARE):
            raise Overloaded
        self.put_back(waiting)

    def put_back(self, waiting: Waiting[Item, Result]) -> None:
        """Queue an item that was taken in already, whether there is room or not."""
        self._wards.setdefault(waiting.ward_id, deque()).append(waiting)
        self._ward_weight[waiting.ward_id] = self._ward_weight.get(waiting.ward_id, 0) + waiting.weight
        self.weight += waiting.weight
        self._arrived.set()

    async def wait(self) -> bool:
        """Return True when something is waiting, False when nothing is and nothing more will come."""
        await self._arrived.wait()
        return bool(self._wards)

    def close(self) -> None:
        """Take nothing more; what is waiting is still handed out."""
        self._closed = True
        self._arrived.set()

    def take(self, most: int) -> list[Waiting[Item, Result]]:
        """The next group: one item of each ward in turn, up to `most` readings, all on one placement."""
        group: list[Waiting[Item, Result]] = []
        weight = 0
        turns = deque(self._wards)
        placement = self._placement(turns[0]) if turns else ""
        while turns and weight < most:
            ward_id = turns.popleft()
            if self._placement(ward_id) != placement:
                continue
            queue = self._wards.pop(ward_id)
            waiting = queue.popleft()
            group.append(waiting)
            weight += waiting.weight
            self._ward_weight[ward_id] -= waiting.weight
            if queue:
                self._wards[ward_id] = queue
                turns.append(ward_id)
            else:
                del self._ward_weight[ward_id]
        self.weight -= weight
        if not self._wards and not self._closed:
            self._arrived.clear()
        return group
