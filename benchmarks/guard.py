"""What it costs to know who is asking: of a token that was checked within the last minute, and of a new one.

`python -m benchmarks.guard`: microseconds of one core for the guard of a route with a ward in its path
(token, rate limit, scope, ward), and how many statements the database was asked meanwhile."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
from fastapi import FastAPI, Request
from sqlalchemy import event

from service.access.guards import RequiresOnWard
from service.access.remembered import Remembered
from service.app import create_app
from service.settings import Settings
from service.storage.migrations import migrate
from tests.access.hospital import Hospital
from tests.conftest import running

TARGET = 40.0
"""Microseconds on a hit, and no statement at all."""
ROUNDS, HITS, MISSES = 7, 20_000, 300


async def measure(database_url: str) -> dict[str, tuple[float, int]]:
    """For a hit and a miss: microseconds of a call (the median of rounds), and statements of all of them."""
    settings = Settings(database_url=database_url, secret_key="b" * 40, rate_limit=1_000_000_000, timers=False)
    app = create_app(settings)
    async with running(app), httpx.AsyncClient() as client:
        hospital = Hospital(app, client)
        ward_id = await hospital.ward()
        header = await hospital.clinician(ward_id)
        asked: list[str] = []
        for engine in (app.state.served.reads, app.state.served.writes):
            event.listen(engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
        guard = RequiresOnWard("alerts:read")

        async def hit() -> None:
            await guard(_request(app, header["Authorization"]), ward_id)

        async def miss() -> None:
            app.state.tokens._remembered = Remembered()
            await hit()

        await miss()
        found = {}
        for name, call, times in (("hit", hit, HITS), ("miss", miss, MISSES)):
            asked.clear()
            found[name] = (await _microseconds(call, times), len(asked))
        return found


def _request(app: FastAPI, authorization: str) -> Request:
    """As it comes from the server, with the headers that an app sends."""
    headers = [
        (b"host", b"wardwatch.test"),
        (b"user-agent", b"app/1.0"),
        (b"accept", b"*/*"),
        (b"authorization", authorization.encode()),
    ]
    return Request({"type": "http", "app": app, "method": "GET", "path": "/", "query_string": b"", "headers": headers})


async def _microseconds(call: Callable[[], Awaitable[None]], times: int) -> float:
    rounds = []
    for _ in range(ROUNDS):
        began = perf_counter()
        for _ in range(times // ROUNDS):
            await call()
        rounds.append((perf_counter() - began) / (times // ROUNDS) * 1e6)
    return median(rounds)


def show(found: dict[str, tuple[float, int]]) -> bool:
    """Print what was found; whether it is as it should be."""
    print("guard of a route (one core):")
    for name, (each, statements) in found.items():
        target = f"   target {TARGET:.0f} µs, no statement" if name == "hit" else ""
        print(f"  {name:<6}{each:>10,.1f} µs{statements:>8,} statements{target}")
    each, statements = found["hit"]
    return each < TARGET and statements == 0


def run() -> bool:
    """Measure on a new SQLite file and print it; whether it is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'guard.db'}"
        asyncio.run(migrate(url))
        return show(asyncio.run(measure(url)))


if __name__ == "__main__":
    sys.exit(0 if run() else 1)
