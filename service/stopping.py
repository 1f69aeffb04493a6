"""Being told to stop."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Wait for so many seconds, or until it is time to stop. Work that rests in this way is never cut short itself."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


@contextmanager
def heard_at_once(stopping: Callable[[], None]) -> Iterator[None]:
    """Call `stopping` when the process is told to stop: requests that are held must not hold the shutdown up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def heard(number: int, frame: FrameType | None) -> None:
        stopping()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    # Only where somebody (uvicorn) acts on the signal: its default is left as it is.
    ours = [number for number, handler in before.items() if callable(handler)]
    for number in ours:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
