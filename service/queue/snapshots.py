"""Pages that were rendered once and are served to everybody who asks for the same: bounded, made once at a
time.

Safe because the tag a page is kept under holds the feed numbers, and a caller computes the tag from numbers
read after the request arrived: a page of older numbers is never found."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

MOST_PAGES = 256
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A rendered page and the cursor of the next one."""

    body: bytes
    next_cursor: str | None


class Snapshots:
    """The pages rendered last, by tag."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        self._bytes = 0
        self._making: dict[str, asyncio.Task[Snapshot]] = {}

    async def get(self, tag: str, make: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        """The page of that tag, made by `make` if it is not here; all who ask meanwhile wait for the same
        one."""
        kept = self._kept.get(tag)
        if kept is not None:
            self._kept.move_to_end(tag)
            return kept
        making = self._making.get(tag)
        if making is None:
            making = self._making[tag] = asyncio.create_task(self._make(tag, make))
            making.add_done_callback(lambda _done: self._making.pop(tag, None))
        # Shielded: a caller who goes away does not stop it for the others.
        return await asyncio.shield(making)

    async def _make(self, tag: str, make: Callable[[], Awaitable[Snapshot]]) -> Snapshot:
        made = await make()
        self._kept[tag] = made
        self._bytes += len(made.body)
        while len(self._kept) > MOST_PAGES or self._bytes > MOST_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)
        return made


def of(request: Request) -> Snapshots:
    """The application's snapshots of the queue."""
    kept: Snapshots = request.app.state.queue_snapshots
    return kept
