"""`wardwatch demo`, as somebody would start it to look at it."""

import asyncio
import re
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.cli import PROGRAM, environment, until_refused, wardwatch
from tests.support.postgres import free_port

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 120


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[tuple[Process, int, str]]:
    """A small fast demo that has introduced itself: its process, its port and what it said. Killed at the
    end. Its temporary files are made in `folder`."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "demo", "--port", str(port), "--patients", "8", "--speed", "600",
        stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment(TMPDIR=str(folder)),
    )  # fmt: skip
    try:
        yield process, port, await said(process, "events?after=0")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process, until: str) -> str:
    """What the process prints up to the line with this text."""
    text = ""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while until not in text:
            line = (await process.stdout.readline()).decode()
            assert line, f"it ended after saying: {text}"
            text += line
    return text


async def first_alerts(http: httpx.AsyncClient, headers: dict[str, str]) -> list[dict]:
    """The queue, once there is something in it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await http.get("/v1/alerts", headers=headers)
            if answer.json()["items"]:
                return answer.json()["items"]
            # Held until something changes.
            held = {"If-None-Match": answer.headers["etag"], "Prefer": "wait=5"}
            await http.get("/v1/alerts", headers=headers | held)


async def test_a_demo_shows_alerts_to_whom_it_told_the_password_and_leaves_nothing_behind(tmp_path):
    async with playing(tmp_path) as (process, port, text):
        password = re.search(r"clinician@demo\.example\s+(\S+)", text)[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as http:
            told = (await http.get("/.well-known/oauth-authorization-server")).json()
            assert told["issuer"] == f"http://127.0.0.1:{port}"
            sign_in = {"grant_type": "password", "username": "clinician@demo.example", "password": password}
            token = (await http.post("/oauth/token", data=sign_in)).json()["access_token"]
            queue = await first_alerts(http, {"Authorization": f"Bearer {token}"})
        assert queue[0]["patient"]["nhs_number"].startswith("999")
        await said(process, "alert.opened")
        process.send_signal(signal.SIGTERM)
        rest = await said(process, "nothing of yours was touched")
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0
        assert re.search(r"Readings sent: (\d+) = (\d+) kept \+ (\d+) replayed \+ (\d+) refused", rest)
        await until_refused(port, PATIENCE_SECONDS)
        assert list(tmp_path.iterdir()) == []


async def test_the_service_of_a_demo_that_is_killed_ends_too(tmp_path):
    async with playing(tmp_path) as (process, port, _):
        process.kill()
        await process.wait()
        await until_refused(port, PATIENCE_SECONDS)


async def test_a_port_that_is_taken_is_said_and_nothing_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await wardwatch("demo", "--port", str(port), TMPDIR=str(tmp_path))
    assert done.code == 2
    assert f"Port {port} of 127.0.0.1 is taken" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("--patients", "0"), ("--speed", "0"), ("--port", "70000")])
async def test_what_cannot_be_is_refused(arguments):
    assert (await wardwatch("demo", *arguments)).code == 2
