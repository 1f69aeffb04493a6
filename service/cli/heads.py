"""The server's HTTP parser, with bounds on what it keeps before the service sees a request: a head that never ends, or
ends too late, closes its connection. What is complete is judged by `service/edge.py`."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 * 1024
SECONDS = 20.0
"""From the connection, or the first byte of a further request on it, to the end of the head."""
_REFUSED = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol on httptools, which bounds neither the size nor the time of a request's head."""

    _in_head = True
    _bytes = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Somebody has connected: a request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._head_ends()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self._bytes += len(data)
        super().data_received(data)
        if self._in_head and self._bytes > MOST_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._late is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._head_ends()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is complete: what follows is another head. An idle connection is closed by uvicorn."""
        super().on_message_complete()
        self._in_head, self._bytes = True, 0

    def _await_head(self) -> None:
        self._in_head, self._bytes = True, 0
        self._late = self.loop.call_later(SECONDS, self._refuse, b"408 Request Timeout")

    def _head_ends(self) -> None:
        self._in_head = False
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(_REFUSED % status)
            self.transport.close()
