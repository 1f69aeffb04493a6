"""Calling a service that is busy, forgets tokens or refuses."""

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from service.sandbox.caller import Caller, CallRefused


@pytest.fixture
def moody() -> FastAPI:
    """A service that answers from a list of moods; a token is good for one mood change."""
    app = FastAPI()
    app.state.moods, app.state.tokens, app.state.seen = [], 0, []

    @app.post("/oauth/token")
    def token() -> dict[str, str]:
        app.state.tokens += 1
        return {"access_token": f"token-{app.state.tokens}"}

    @app.post("/v1/readings")
    async def reading(request: Request) -> JSONResponse:
        app.state.seen.append((request.headers["authorization"], await request.json()))
        status, headers = app.state.moods.pop(0)
        return JSONResponse({"code": "busy", "errors": []}, status, headers)

    return app


@pytest.fixture
async def caller(moody):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(moody), base_url="http://moody") as http:
        yield Caller(http, {"grant_type": "client_credentials"})


async def test_the_same_body_is_sent_again_while_the_service_is_busy(moody, caller):
    moody.state.moods = [(503, {"Retry-After": "0"}), (429, {"Retry-After": "0"}), (201, {})]
    answer = await caller.call("POST", "/v1/readings", json={"spo2": 93})
    assert answer.status_code == 201
    assert moody.state.seen == [("Bearer token-1", {"spo2": 93})] * 3


async def test_a_token_that_ran_out_is_renewed_once(moody, caller):
    moody.state.moods = [(401, {}), (201, {}), (401, {}), (401, {})]
    assert (await caller.call("POST", "/v1/readings", json={})).status_code == 201
    assert [token for token, _ in moody.state.seen] == ["Bearer token-1", "Bearer token-2"]
    assert (await caller.call("POST", "/v1/readings", json={})).status_code == 401


async def test_a_refusal_is_said_with_its_reason(moody, caller):
    moody.state.moods = [(409, {})]
    with pytest.raises(CallRefused, match=r"POST /v1/readings: 409 busy"):
        await caller.post("/v1/readings", {})
