"""Counting what a shadow rule set finds. It happens beside the intake: what was counted is written a little later by
transactions of its own, so that nothing that fails here is felt there. A process that is killed loses some seconds of
counts, and nothing else."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import bindparam, update

from service.logs import get_logger
from service.stopping import rest
from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.session import writing
from service.storage.tables import METADATA

SHADOW_COUNT = METADATA.tables["shadow_count"]
EVERY_SECONDS = 5.0
_KEY = ("ward_id", "number", "day", "rule_id", "severity")

log = get_logger(__name__)


class Found(NamedTuple):
    """A rule that fired on a day; `live` in the live rule set, else in the shadow."""

    ward_id: str
    number: int
    day: date
    rule_id: str
    severity: int
    live: bool


_ADD = (
    update(SHADOW_COUNT)
    .where(*(SHADOW_COUNT.c[name] == bindparam(f"at_{name}") for name in _KEY))
    .values(
        live=SHADOW_COUNT.c.live + bindparam("add_live"),
        shadow=SHADOW_COUNT.c.shadow + bindparam("add_shadow"),
    )
)


class ShadowCounts:
    """What this process has counted and not yet written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted = Counter[Found]()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def add(self, found: Mapping[Found, int]) -> None:
        """Count these too."""
        self._counted.update(found)

    async def flush(self) -> None:
        """Write what was counted; what cannot be written is kept for the next time."""
        counted, self._counted = self._counted, Counter()
        try:
            await self._write(counted)
        except Exception as problem:
            self._counted.update(counted)
            log.error("shadow_not_counted", error=type(problem).__name__)

    async def _write(self, counted: Counter[Found]) -> None:
        if not counted:
            return
        async with writing(self._database) as session:
            for key in sorted({found[:-1] for found in counted}):
                row = dict(zip(_KEY, key, strict=True))
                await session.execute(insert_or_skip(session, SHADOW_COUNT, _KEY).values(**row, live=0, shadow=0))
                added = {"add_live": counted[Found(*key, True)], "add_shadow": counted[Found(*key, False)]}
                await session.execute(_ADD, {**{f"at_{name}": value for name, value in row.items()}, **added})

    async def start(self) -> None:
        """Write from time to time."""
        self._task = asyncio.create_task(self._run(), name="shadow counts")

    async def stop(self) -> None:
        """Write what is left. What is being written is not cut short: nobody would know whether it counts."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        await self.flush()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await rest(self._stopping, EVERY_SECONDS)
            await self.flush()
