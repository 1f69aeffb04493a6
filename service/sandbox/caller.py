"""Calling a running Wardwatch as any partner would: over HTTP, with a token that is renewed, patiently."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from service.errors import WardwatchError

TOO_BUSY = (429, 503)
PATIENCE_SECONDS = 60.0
"""How long one request is tried again while the service is busy or cannot be reached."""

PAUSE_SECONDS = 0.5


class ServiceUnreachable(WardwatchError):
    """The service cannot be reached."""

    code = "service_unreachable"


class CallRefused(WardwatchError):
    """The service refused a call that was needed to go on."""

    code = "call_refused"


class Lanes(httpx.AsyncBaseTransport):
    """Several connections, each in a pool of its own: one pool looks through all of its connections several
    times a request, which for 32 of them took more time than the requests."""

    def __init__(self, count: int) -> None:
        trusted = httpx.create_ssl_context()
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._lanes = [httpx.AsyncHTTPTransport(verify=trusted, limits=one) for _ in range(count)]
        self._free = list(self._lanes)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send over a lane that is free, else over any: its pool makes the request wait."""
        lane = self._free.pop() if self._free else self._lanes[0]
        try:
            return await lane.handle_async_request(request)
        finally:
            if lane not in self._free:
                self._free.append(lane)

    async def aclose(self) -> None:
        """Close every connection."""
        for lane in self._lanes:
            await lane.aclose()


class Caller:
    """One principal at one service. Safe to use from many tasks at once.

    Tries again after 429 and 503 (when Retry-After says) and after lost connections: every call made with it
    must be one that may be sent twice."""

    def __init__(self, http: httpx.AsyncClient, sign_in: Mapping[str, str]) -> None:
        self._http = http
        self._sign_in = dict(sign_in)
        self._token = ""
        self._signing_in = asyncio.Lock()

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer, whatever its status; raises ServiceUnreachable, and CallRefused when no token is given
        out."""
        if not self._token:
            await self._renew("")
        used = self._token
        answer = await self._patiently(method, path, used, request)
        if answer.status_code != 401:
            return answer
        await self._renew(used)
        return await self._patiently(method, path, self._token, request)

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """The answer to a GET; raises ServiceUnreachable, CallRefused."""
        return expect(await self.call("GET", path, params=params), 200)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST that makes or finds something; raises ServiceUnreachable, CallRefused."""
        return expect(await self.call("POST", path, json=body), 200, 201)

    async def _renew(self, used: str) -> None:
        async with self._signing_in:
            if self._token != used:
                return  # another task was here first
            answer = await self._patiently("POST", "/oauth/token", "", {"data": self._sign_in})
            self._token = expect(answer, 200)["access_token"]

    async def _patiently(self, method: str, path: str, token: str, request: Mapping[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            pause, problem = PAUSE_SECONDS, ""
            try:
                answer = await self._http.request(method, path, headers=headers, **request)
            except httpx.TransportError as error:
                problem = type(error).__name__
            else:
                if answer.status_code not in TOO_BUSY:
                    return answer
                problem, pause = f"it answers {answer.status_code}", _retry_after(answer)
            if asyncio.get_running_loop().time() + pause > until:
                raise ServiceUnreachable(f"The service at {self._http.base_url} cannot be used: {problem}.")
            await asyncio.sleep(pause)


def expect(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The body of an answer of one of these statuses; raises CallRefused, with the problem's own words."""
    if answer.status_code not in statuses:
        where = f"{answer.request.method} {answer.request.url.path}"
        raise CallRefused(f"{where}: {answer.status_code} {reason_of(_document(answer))}")
    found: dict[str, Any] = answer.json()
    return found


def reason_of(problem: Mapping[str, Any]) -> str:
    """Why something was refused, in a few words without values: `invalid /spo2 less_than_equal`."""
    code = str(problem.get("code", "no problem document"))
    errors = problem.get("errors") or []
    return f"{code} {errors[0]['pointer']} {errors[0]['code']}" if errors else code


def refusal_of(answer: httpx.Response) -> str:
    """Why an answer that is no success was given."""
    return reason_of(_document(answer))


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    if "json" not in answer.headers.get("content-type", ""):
        return {"code": f"status {answer.status_code}"}
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else PAUSE_SECONDS
