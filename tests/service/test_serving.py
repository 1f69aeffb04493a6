"""`wardwatch serve` as a process: it answers, counts, and stops without dropping anybody."""

import asyncio
import contextlib
import os
import re
import signal
from pathlib import Path

import httpx
import pytest

from tests.support.cli import serving, until_refused
from tests.support.postgres import free_port


async def counted(port: int) -> dict[str, float]:
    """What `/metrics` says about refusals, by code."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return {code: float(n) for code, n in re.findall(r'wardwatch_refusals_total\{code="(\w+)"\} (\S+)', text)}


async def test_it_serves_and_stops_when_told(database_url: str) -> None:
    async with serving(WARDWATCH_DATABASE_URL=database_url) as (process, client):
        answer = await client.get("/livez")
        assert answer.json() == {"status": "alive"}
        assert "server" not in answer.headers
        told = (await client.get("/.well-known/oauth-authorization-server")).json()
        assert told["token_endpoint"] == f"{str(client.base_url).rstrip('/')}/oauth/token", "not where it listens"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() in (0, -signal.SIGTERM)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_request_under_way_is_answered_before_it_stops(database_url: str) -> None:
    async with serving(WARDWATCH_DATABASE_URL=database_url) as (process, client):
        port = client.base_url.port or 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /oauth/token HTTP/1.1\r\nHost: w\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        writer.write(f"{head}Content-Length: 4\r\nConnection: close\r\n\r\nx=".encode())
        await writer.drain()
        await client.get("/livez")  # by now the other request has begun as well
        process.send_signal(signal.SIGTERM)
        await until_refused(port)
        writer.write(b"yz")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 4"), answer
        assert b'"request_id"' in answer


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_metrics_have_a_port_of_their_own(database_url: str) -> None:
    port = free_port()
    async with serving(WARDWATCH_DATABASE_URL=database_url, WARDWATCH_METRICS_PORT=str(port)) as (_, client):
        before = (await counted(port)).get("not_found", 0)
        assert (await client.get("/metrics")).status_code == 404
        assert (await counted(port))["not_found"] == before + 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_a_port_there_are_no_metrics(database_url: str) -> None:
    async with serving(WARDWATCH_DATABASE_URL=database_url) as (_, client):
        assert (await client.get("/metrics")).status_code == 404


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_the_metrics_of_several_workers_are_added_up(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = {"WARDWATCH_DATABASE_URL": database_url, "WARDWATCH_METRICS_PORT": str(port)}
    settings["TMPDIR"] = str(tmp_path)
    async with serving("--workers", "2", **settings) as (process, client):
        url = f"{client.base_url}/nowhere"
        for _ in range(40):
            async with httpx.AsyncClient(
                trust_env=False, timeout=60
            ) as fresh:  # a connection each: either worker takes it
                assert (await fresh.get(url)).status_code == 404
        assert (await counted(port))["not_found"] == 40
        os.kill(process.pid, signal.SIGTERM)
        async with asyncio.timeout(60):
            await process.wait()
    assert names_in(tmp_path) == []


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_a_killed_service_counted_is_cleared_by_the_next_start(database_url: str, tmp_path: Path) -> None:
    settings = {"WARDWATCH_DATABASE_URL": database_url, "TMPDIR": str(tmp_path)}
    async with serving("--workers", "2", WARDWATCH_METRICS_PORT=str(free_port()), **settings) as (process, _):
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    (abandoned,) = folders_in(tmp_path)
    async with serving("--workers", "2", WARDWATCH_METRICS_PORT=str(free_port()), **settings):
        assert abandoned in folders_in(tmp_path), "it may be a service that is about to start"
        in_use = folders_in(tmp_path) - {abandoned}
        an_hour_ago(abandoned, *in_use)
        async with serving("--workers", "2", WARDWATCH_METRICS_PORT=str(free_port()), **settings):
            left = folders_in(tmp_path)
            assert abandoned not in left
            assert in_use <= left, "a service that runs has lost what it counts"


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_workers_do_not_outlive_the_service_that_started_them(database_url: str) -> None:
    async with serving("--workers", "2", WARDWATCH_DATABASE_URL=database_url) as (process, client):
        group = process.pid
        try:
            process.kill()
            await process.wait()
            await until_refused(client.base_url.port or 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def folders_in(folder: Path) -> set[Path]:
    return set(folder.iterdir())


def an_hour_ago(*folders: Path) -> None:
    for folder in folders:
        changed = folder.stat().st_mtime - 3600
        os.utime(folder, (changed, changed))


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())
