"""The edge: what every request meets first and every answer passes last, faults included. One layer, not a stack of
them: the busiest calls pay for it."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from service import problems
from service.errors import WardwatchError
from service.logs import REQUEST_ID, request_id

MAX_URI = 8 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
LONGEST_ADDRESS = 64
"""How much of an address the trail keeps: what a proxy says of where a request came from may be any text."""

address: ContextVar[str] = ContextVar("address", default="")
"""Where the request at hand came from, as the connection says (or the proxy that the server trusts)."""

Header = tuple[bytes, bytes]
NOTHING_IS_LOADED = b"default-src 'none'; frame-ancestors 'none'"
STANDARD: Sequence[Header] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", NOTHING_IS_LOADED),
    (b"cache-control", b"no-store"),
)
"""Of every answer that does not say otherwise: names and values are in most of them, and stay in no cache."""
ENCRYPTED: Sequence[Header] = (*STANDARD, (b"strict-transport-security", b"max-age=31536000"))
# What pages from the origins in WARDWATCH_CORS_ORIGINS may send and read. Tokens go in a header, never in a cookie.
CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Prefer",
                      "X-Request-ID", "Last-Event-ID"],
    "expose_headers": ["ETag", "Link", "Retry-After", "X-Request-ID", "Idempotency-Replayed", "RateLimit"],
    "max_age": 600,
}  # fmt: skip
REFUSED = frozenset({401, 403, 404, 429})


class UriTooLong(WardwatchError):
    """The address of the request is too long."""

    status, code = 414, "uri_too_long"


class HeadersTooLarge(WardwatchError):
    """The request has too many headers, or too large ones."""

    status, code = 431, "headers_too_large"


class Visit:
    """What guards tell of a request: who sent it, on whose behalf the database is asked (`storage/roles.py`), and
    headers for its answer."""

    __slots__ = ("acting", "headers", "who")

    def __init__(self) -> None:
        self.who: Any = None
        self.acting: Any = None
        self.headers: list[Header] = []


Refused = Callable[[Scope, Visit, int], None]


class Edge:
    """ASGI: request ids, limits of the URL and the headers, headers of every answer; `refused` is told of refusals.

    `encrypted`: the service is reached by https, whatever the last proxy speaks."""

    def __init__(self, app: ASGIApp, *, encrypted: bool = False, refused: Refused | None = None) -> None:
        self.app = app
        self._encrypted = encrypted
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given, size = b"", 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            if name == b"x-request-id":
                given = value
        current = given if REQUEST_ID.fullmatch(given) else str(uuid7()).encode()
        request_id.set(current.decode())
        client = scope.get("client")
        address.set(client[0][:LONGEST_ADDRESS] if client else "")
        visit = scope["visit"] = Visit()
        standard = ENCRYPTED if self._encrypted or scope["scheme"] == "https" else STANDARD

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0] != b"x-request-id"]
                said = {name for name, _ in headers}
                headers += [pair for pair in standard if pair[0] not in said]
                message["headers"] = [*headers, *visit.headers, (b"x-request-id", current)]
                if self._refused is not None and message["status"] in REFUSED:
                    self._refused(scope, visit, message["status"])
            await send(message)

        if size > MAX_HEADER_BYTES or len(scope["headers"]) > MAX_HEADERS:
            await problems.respond(HeadersTooLarge())(scope, receive, send_on)
        elif len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URI:
            await problems.respond(UriTooLong())(scope, receive, send_on)
        else:
            await self.app(scope, receive, send_on)


def install(
    app: FastAPI, origins: Sequence[str] = (), *, encrypted: bool = False, refused: Refused | None = None
) -> None:
    """Put the edge around the whole application, outside of what answers its faults. Pages from `origins` may call."""
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=origins, **CORS)
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: Edge(  # type: ignore[method-assign]
        build(), encrypted=encrypted, refused=refused
    )


def visit_of(scope: Any) -> Visit:
    """The visit of a request; where no edge made one, a new one that nobody reads."""
    found: Visit = scope.get("visit") or Visit()
    return found
