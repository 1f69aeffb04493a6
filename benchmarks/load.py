"""A load generator: keep-alive clients that send prepared requests one after the other, as fast as they are answered.

It parses no more of an answer than it needs, so that little of the machine goes to the measuring."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

CLIENTS = 32


@dataclass(slots=True)
class Measured:
    """What one run of the load gave. `latencies` in seconds, one for each request."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    headers: bytes = b""

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class _Client(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], measured: Measured, ends_at: float) -> None:
        self._requests = requests
        self._measured = measured
        self._ends_at = ends_at
        self._answer = bytearray()
        self._needs = -1
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._needs < 0:
            head = self._answer.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self._answer.find(b"content-length: ", 0, head)
            length = int(self._answer[at + 16 : self._answer.find(b"\r", at)]) if at >= 0 else 0
            self._needs = head + 4 + length
        if len(self._answer) >= self._needs:
            self._measured.latencies.append(perf_counter() - self._sent_at)
            self._measured.statuses[int(self._answer[9:12])] += 1
            if not self._measured.headers:
                self._measured.headers = bytes(self._answer[: self._answer.find(b"\r\n\r\n")])
            self._answer.clear()
            self._needs = -1
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        request = next(self._requests, None)
        assert self._transport is not None
        if request is None or perf_counter() >= self._ends_at:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(request)


async def run(port: int, requests: Sequence[bytes], seconds: float, *, repeat: bool = False) -> Measured:
    """Send the requests from 32 clients for at most `seconds`; with `repeat`, begin again when they run out."""

    def prepared() -> Iterator[bytes]:
        yield from requests
        while repeat:
            yield from requests

    loop = asyncio.get_running_loop()
    measured = Measured(0.0)
    source = prepared()
    started = perf_counter()
    clients = [
        (await loop.create_connection(lambda: _Client(source, measured, started + seconds), "127.0.0.1", port))[1]
        for _ in range(CLIENTS)
    ]
    await asyncio.gather(*(client.done for client in clients))
    measured.seconds = perf_counter() - started
    return measured


def request(method: str, path: str, token: str, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {token}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
