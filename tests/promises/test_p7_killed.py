"""P7: whoever kept time may be killed at any instant; what was due then happens once all the same."""

import asyncio
import os
import signal
from collections import Counter
from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import func, select

from service.clock import real_now
from service.storage.engine import Database
from service.storage.tables import METADATA
from tests.support.cli import serving
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, rows_of

ALERTS = 120
EVENT = METADATA.tables["event"]
ALERT = METADATA.tables["alert"]


async def how_many(database: Database, what: str) -> int:
    """Events of a type so far."""
    async with database.reads.connect() as connection:
        query = select(func.count()).select_from(EVENT).where(EVENT.c.type == what)
        return int((await connection.execute(query)).scalar_one())


async def overdue(database: Database) -> int:
    """Alerts that still wait for something that was due an hour after they came."""
    async with database.reads.connect() as connection:
        late = (ALERT.c.limit_at <= START + timedelta(hours=1)) | (ALERT.c.next_due_at <= START + timedelta(hours=1))
        return int((await connection.execute(select(func.count()).select_from(ALERT).where(late))).scalar_one())


async def test_a_kill_in_the_middle_of_an_hours_worth_of_timers_loses_and_repeats_nothing(
    app: FastAPI, partner: Partner, clock: SettableClock, database: Database, database_url: str
) -> None:
    stays = [await partner.admit() for _ in range(ALERTS)]
    body = [
        {"stay_id": stay_id, "observed_at": START.isoformat(), "spo2": 91, "breathlessness": 1} for stay_id in stays
    ]
    answer = await partner.ask("POST", "/v1/readings/batch", {"readings": body})
    assert answer.json()["created"] == ALERTS
    an_hour_later = {
        "WARDWATCH_DATABASE_URL": database_url,
        "WARDWATCH_DEMO_REAL_START": real_now().isoformat(),
        "WARDWATCH_DEMO_STARTED_AT": (START + timedelta(hours=1)).isoformat(),
    }
    async with asyncio.timeout(120), serving(**an_hour_later) as (process, _):
        while not await how_many(database, "alert.escalated"):
            pass
        os.killpg(process.pid, signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
    async with asyncio.timeout(120), serving(**an_hour_later):
        while await overdue(database):
            pass
    assert len(await rows_of(database, "alert")) == ALERTS
    events = await partner.events()
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    told = Counter((event["subject"]["id"], event["type"], event["at"]) for event in events)
    assert set(told.values()) == {1}, "something happened twice"
    happened = Counter(event["type"] for event in events if event["type"].startswith("alert."))
    assert happened == {
        "alert.opened": ALERTS,
        "alert.confirmed": ALERTS,
        "alert.uncovered": ALERTS,
        "alert.escalated": 4 * ALERTS,
    }
