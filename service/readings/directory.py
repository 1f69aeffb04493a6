"""Which ward a stay is on. It never changes, so it is remembered; what is not yet known is looked up for all who ask at
that moment by one query."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

from service.readings import store
from service.storage.direct import looking
from service.storage.engine import Database

KNOWN_STAYS = 200_000

Key = TypeVar("Key")
Value = TypeVar("Value")


class Known(Generic[Key, Value]):
    """Facts that never change once they are known; the oldest are forgotten when there are too many."""

    def __init__(self, most: int) -> None:
        self._facts: OrderedDict[Key, Value] = OrderedDict()
        self._most = most

    def find(self, key: Key) -> Value | None:
        """The fact, or None when it is not remembered."""
        return self._facts.get(key)

    def keep(self, key: Key, value: Value) -> None:
        """Remember a fact."""
        self._facts[key] = value
        if len(self._facts) > self._most:
            self._facts.popitem(last=False)


class Directory:
    """The wards of stays, for one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wards = Known[str, str](KNOWN_STAYS)
        self._asked: list[tuple[store.StayKey, ...]] = []
        self._answer: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def wards_of(self, stay_ids: Collection[str], ward_ids: Sequence[str]) -> dict[str, str]:
        """The wards of the stays that are on one of these wards."""
        unknown = [stay_id for stay_id in stay_ids if self._wards.find(stay_id) is None]
        if unknown:
            await self._look_up(tuple((ward_id, stay_id) for stay_id in unknown for ward_id in ward_ids))
        found = ((stay_id, self._wards.find(stay_id)) for stay_id in stay_ids)
        return {stay_id: ward_id for stay_id, ward_id in found if ward_id is not None and ward_id in ward_ids}

    async def _look_up(self, keys: tuple[store.StayKey, ...]) -> None:
        """Wait for the next query, which asks for these keys too."""
        if self._answer is None:
            self._answer = asyncio.get_running_loop().create_future()
        self._asked.append(keys)
        answer = self._answer
        if self._looking is None:
            self._looking = asyncio.create_task(self._run(), name="stay directory")
        await asyncio.shield(answer)

    async def _run(self) -> None:
        while self._answer is not None:
            asked, answer = self._asked, self._answer
            self._asked, self._answer = [], None
            try:
                async with looking(self._database) as where:
                    found = await store.find_stays(where, {key for keys in asked for key in keys})
            except Exception as problem:
                answer.set_exception(problem)
                answer.exception()  # a caller that gave up leaves it unread
                continue
            for ward_id, stay_id in found:
                self._wards.keep(stay_id, ward_id)
            answer.set_result(None)
        self._looking = None
