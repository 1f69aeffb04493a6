"""P1: a reading that was answered is kept and judged, though the service was killed the next instant."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.clock import real_now
from service.storage.engine import Database, open_database
from service.storage.migrations import migrate
from tests.conftest import BOTH
from tests.support.cli import serving
from tests.support.postgres import Server
from tests.support.wards import Partner, open_partner, reading, rows_of, sign_in

SENDERS = 24
STAYS = 6
KILL_AFTER = 150
SPO2 = (97, 93, 91, 96, 90, 94, 88)

Answered = dict[str, tuple[dict[str, Any], dict[str, Any]]]
"""By the sender's name for it: what was sent and what was answered."""


@pytest.fixture(params=BOTH)
async def durable_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A migrated database that keeps what it commits: the PostgreSQL has its fsync on."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ward.db'}"
    else:
        make: Callable[..., Server] = request.getfixturevalue("postgres_server")
        url = make(durable=True).url()
    await migrate(url)
    yield url


async def storm(partner: Partner, stay_ids: list[str], answered: Answered, process: Process) -> None:
    """Many senders at once, until the service is killed in the middle of it."""

    async def send(sender: int) -> None:
        for number in range(10_000):
            name = f"{sender}-{number}"
            body = reading(
                stay_ids[(sender + number) % STAYS],
                real_now() - timedelta(seconds=number % 7),
                client_reading_id=name,
                spo2=SPO2[(sender * 3 + number) % len(SPO2)],
                breathlessness=number % 4,
            )
            try:
                answer = await partner.ask("POST", "/v1/readings", body)
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                answered[name] = body, answer.json()
            if len(answered) == KILL_AFTER and process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)

    async with asyncio.timeout(60):
        await asyncio.gather(*(send(sender) for sender in range(SENDERS)))


@pytest.mark.hazard("H1")
async def test_a_kill_in_the_middle_of_a_storm_loses_nothing_that_was_answered(durable_url: str) -> None:
    database = open_database(durable_url)
    answered: Answered = {}
    async with serving(WARDWATCH_DATABASE_URL=durable_url) as (process, http):
        partner = await open_partner(http, database)
        stay_ids = [await partner.admit() for _ in range(STAYS)]
        await storm(partner, stay_ids, answered, process)
        assert await process.wait() == -signal.SIGKILL
    assert len(answered) >= KILL_AFTER
    async with serving(WARDWATCH_DATABASE_URL=durable_url) as (_, http):
        token = await sign_in(http, partner.client_id, partner.secret)
        partner = replace(partner, http=http, token=token)
        await assert_every_answer_is_kept(partner, answered, stay_ids)
        await assert_the_queue_is_whole(database, partner, answered)
    await database.close()


async def assert_every_answer_is_kept(partner: Partner, answered: Answered, stay_ids: list[str]) -> None:
    bodies = [body for body, _ in answered.values()]
    said: list[Any] = []
    for start in range(0, len(bodies), 1000):
        rows = bodies[start : start + 1000]
        answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows}, timeout=60)
        said += answer.json()["results"]
    assert {row["status"] for row in said} == {"replayed"}
    sent_ids = [answer["reading_id"] for _, answer in answered.values()]
    assert [row["reading"]["reading_id"] for row in said] == sent_ids
    rows = [row for stay_id in stay_ids for row in await partner.history(stay_id)]
    names = Counter(row["client_reading_id"] for row in rows)
    assert names.keys() >= answered.keys()
    assert set(names.values()) == {1}, "a reading is there twice"
    stored = {row["client_reading_id"]: row["spo2"] for row in rows}
    assert all(stored[name] == body["spo2"] for name, (body, _) in answered.items())


async def assert_the_queue_is_whole(database: Database, partner: Partner, answered: Answered) -> None:
    alerts = {row.id: row for row in await rows_of(database, "alert")}
    events = await partner.events()
    told = {(event["subject"]["id"], event["type"], event["data"].get("reading_id")) for event in events}
    changes = [
        (each["alert_id"], f"alert.{each['change']}", answer["reading_id"])
        for _, answer in answered.values()
        for each in answer["alerts"]
    ]
    assert len(changes) > STAYS, "the storm opened too few alerts to show anything"
    assert {alert_id for alert_id, _, _ in changes} <= alerts.keys()
    assert set(changes) <= told, "an answer spoke of a change that the feed does not have"
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    opened = Counter(event["subject"]["id"] for event in events if event["type"] == "alert.opened")
    assert opened == Counter(list(alerts))
    unresolved = Counter((row.stay_id, row.family) for row in alerts.values() if row.state != "resolved")
    assert set(unresolved.values()) <= {1}
    counts = (await partner.get("/v1/alerts"))["meta"]["counts"]["by_state"]
    states = Counter(row.state for row in alerts.values() if row.state != "resolved")
    assert {state: number for state, number in counts.items() if number} == states
