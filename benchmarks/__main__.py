"""`python -m benchmarks [--seconds 10] [--rounds 3] [--stays 3000] [--database URL] [--check]`

Starts the service and, beside it, the same endpoints without storage, and sends both the same load in turns. Prints
rates and ratios; with --check a ratio below its target makes the exit code 1."""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks import engine, guard, seeding
from benchmarks.load import Measured, request, run
from service.storage.engine import Database, open_database
from service.storage.migrations import migrate
from tests.support.postgres import Server, free_port

WORKERS = 2
TRIES = 5
"""A queue is left alone for as long as one measurement takes only if no limit of an alert passes meanwhile."""
BATCHES = {
    1: "batches of 100, each of another stay",
    10: "batches of 100, ten of each stay",
    100: "batches of 100, all of one stay",
}
"""Who sends a batch: one who passes on what many people measure, a hub whose line comes back, a phone that was out of
reach."""
TARGETS = {
    "single posts / without storage": 0.5,
    **{f"{name} / single posts": 4.0 for name in BATCHES.values()},
    "queue page / same rows from memory": 0.4,
    "unchanged queue (304) / empty answer": 0.6,
}


def main() -> int:
    """Run everything and print it."""
    asked = _arguments()
    print("engine (one core, 12-reading window):")
    for name, rate in engine.measure(1.0).items():
        print(f"  {name:<44}{rate:>12,.0f} /s")
    guarded = guard.run()
    with _database(asked.database) as url:
        ratios = asyncio.run(_http(url, asked))
    print(f"\nratios (median of {asked.rounds} rounds):")
    missed = 0 if guarded else 1
    for name, target in TARGETS.items():
        mark = "" if ratios[name] >= target else "   BELOW"
        missed += bool(mark)
        print(f"  {name:<44}{ratios[name]:>8.2f}   target {target}{mark}")
    return 1 if asked.check and missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stays", type=int, default=3000)
    parser.add_argument("--alerts", type=int, default=10_000, help="open ones on the queue that is read")
    parser.add_argument("--wards", type=int, default=4)
    parser.add_argument("--database", default="", help="an empty PostgreSQL database; else one is started")
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


@contextmanager
def _database(given: str) -> Iterator[str]:
    """The database given, or a durable PostgreSQL of our own."""
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="wardwatch-bench-"))
    folder.chmod(0o755)
    usual = {"autovacuum": "on", "shared_buffers": "256MB"}
    server = Server(folder / "server", durable=True, settings=usual)
    server.create()
    try:
        yield server.url()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _serving(module: str, url: str) -> Iterator[int]:
    """An application in worker processes of its own; gives its port once it answers."""
    port = free_port()
    set_here = {"WARDWATCH_DATABASE_URL": url, "WARDWATCH_SECRET_KEY": "b" * 40, "WARDWATCH_RATE_LIMIT": "1000000000"}
    environment = {**os.environ, **set_here}
    command = [
        *(
            sys.executable,
            "-m",
            "uvicorn",
            f"{module}:from_environment",
            "--factory",
            "--port",
            str(port),
            "--workers",
            str(WORKERS),
        ),
        *("--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"),
    ]
    process = subprocess.Popen(command, env=environment)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            for _ in range(400):
                try:
                    client.get(f"http://127.0.0.1:{port}/nothing")
                    break
                except httpx.TransportError:
                    continue
        yield port
    finally:
        process.terminate()
        process.wait(20)


async def _http(url: str, asked: argparse.Namespace) -> dict[str, float]:
    await migrate(url)
    database = open_database(url)
    queue = await seeding.seed(database, asked.alerts, 1)
    seeded = await seeding.seed(database, asked.stays, asked.wards, also=queue.ward_ids)
    wards = Wards(database, asked.stays, seeded)
    with _serving("service.app", url) as ours, _serving("benchmarks.baseline", url) as bare:
        token = _token(ours, seeded)
        found: dict[str, list[float]] = {name: [] for name in TARGETS}
        await _warm_up(ours, token, seeded)
        for number in range(asked.rounds):
            print(f"\nround {number + 1}:")
            single = await _posts(ours, bare, token, await wards.fresh(ours, token), asked, number, found)
            for each, name in BATCHES.items():
                stay_ids = await wards.fresh(ours, token)
                rows = seeding.readings(stay_ids, int(asked.seconds * 20_000), 1000 * each + number, each=each)
                measured = await run(ours, _batched(rows, 100, token), asked.seconds)
                rate = 100 * _say(name, measured, {200})
                print(f"  {'  readings':<44}{rate:>12,.0f} /s")
                found[f"{name} / single posts"].append(rate / single)
        await _fill_queue(ours, token, queue.stay_ids)
        for number in range(asked.rounds):
            print(f"\nqueue, round {number + 1}:")
            await _queue(ours, bare, token, queue.ward_ids[0], asked.seconds, found)
    await database.close()
    return {name: median(values) for name, values in found.items()}


def _token(port: int, seeded: seeding.Seeded) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(seeded.client_id, seeded.client_secret),
        timeout=20,
    )
    return str(answer.raise_for_status().json()["access_token"])


async def _warm_up(ours: int, token: str, seeded: seeding.Seeded) -> None:
    """A reading for each stay, posted one by one: every process has its statements and connections then."""
    rows = seeding.readings(seeded.stay_ids, len(seeded.stay_ids), 77)
    sent = [request("POST", "/v1/readings", token, seeding.body(row)) for row in rows]
    _say("warming up, single posts", await run(ours, sent, 600), {201})


class Wards:
    """Stays for one measurement after the other. Each begins with eleven readings behind every stay, so that the last
    one measured is judged on as long a window as the first: seven as rows, and four that were posted, for it is people
    who are already watched, and known to the service, that send most of what it takes."""

    def __init__(self, database: Database, stays: int, seeded: seeding.Seeded) -> None:
        self._database, self._stays, self._seeded = database, stays, seeded

    async def fresh(self, ours: int, token: str) -> list[str]:
        """New stays on the same wards."""
        stay_ids = await seeding.admit(self._database, self._seeded.ward_ids, self._stays)
        await seeding.history(self._database, self._seeded.ward_ids, stay_ids, 7)
        await migrate(self._database.url.render_as_string(hide_password=False))  # the server looks at what is there
        rows = seeding.readings(stay_ids, 4 * len(stay_ids), 78, in_turn=True)
        _say("getting to know new stays, batches", await run(ours, _batched(rows, 100, token), 600), {200})
        return stay_ids


def _batched(rows: Sequence[dict[str, Any]], size: int, token: str) -> list[bytes]:
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [request("POST", "/v1/readings/batch", token, seeding.body({"readings": part})) for part in parts]


async def _posts(
    ours: int, bare: int, token: str, stay_ids: list[str], asked: argparse.Namespace, number: int,
    found: dict[str, list[float]],
) -> float:  # fmt: skip
    rows = seeding.readings(stay_ids, int(asked.seconds * 4000), number)
    sent = [request("POST", "/v1/readings", token, seeding.body(row)) for row in rows]
    limit = _say("posts without storage", await run(bare, sent, asked.seconds), {201})
    single = _say("single posts", await run(ours, sent, asked.seconds), {201})
    found["single posts / without storage"].append(single / limit)
    return single


async def _fill_queue(ours: int, token: str, stay_ids: list[str]) -> None:
    """An open alert for each of these stays."""
    rows = seeding.readings(stay_ids, len(stay_ids), 99, spo2=90, in_turn=True)
    _say("filling the queue, batches of 500", await run(ours, _batched(rows, 500, token), 600), {200})


async def _queue(ours: int, bare: int, token: str, ward_id: str, seconds: float, found: dict[str, list[float]]) -> None:
    path = f"/v1/alerts?ward_id={ward_id}"
    page = request("GET", path, token)
    memory = _say("same rows from memory", await run(bare, [page], seconds, repeat=True), {200})
    first = await run(ours, [page], seconds, repeat=True)
    found["queue page / same rows from memory"].append(_say("first page of the queue", first, {200}) / memory)
    empty = _say("empty answer", await run(bare, [request("GET", "/empty", token)], seconds, repeat=True), {204})
    for _ in range(TRIES):
        again = await run(ours, [page], 0.2, repeat=True)
        tag = next(line[6:].decode() for line in again.headers.split(b"\r\n") if line.lower().startswith(b"etag: "))
        same = await run(ours, [request("GET", path, token, if_none_match=tag)], seconds, repeat=True)
        if set(same.statuses) == {304}:
            break
    unchanged = _say("unchanged queue (304)", same, {304})
    found["unchanged queue (304) / empty answer"].append(unchanged / empty)


def _say(name: str, measured: Measured, expected: set[int]) -> float:
    """Print one measurement; anything but the expected answers makes it worthless."""
    if set(measured.statuses) != expected:
        raise SystemExit(f"{name}: unexpected answers {dict(measured.statuses)}")
    slow = f"p50 {measured.percentile(0.5):.1f} ms, p99 {measured.percentile(0.99):.1f} ms"
    print(f"  {name:<44}{measured.rate:>12,.0f} /s   {slow}", flush=True)
    return measured.rate


if __name__ == "__main__":
    sys.exit(main())
