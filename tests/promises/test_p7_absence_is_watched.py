"""P7: absence is watched. What does not come is found by time alone, once, whoever dies meanwhile."""

import asyncio
from dataclasses import replace

import pytest
from fastapi import FastAPI

from service.settings import Settings
from service.storage.engine import Database
from tests.conftest import started
from tests.support.time import SettableClock
from tests.support.wards import Partner, rows_of


async def kinds(partner: Partner, what: str = "") -> list[str]:
    """The types of the ward's events about alerts, in order."""
    return [event["type"] for event in await partner.events() if event["type"].startswith(f"alert.{what}")]


@pytest.mark.hazard("H11")
async def test_a_recheck_that_does_not_come_is_found_without_a_further_request(
    app: FastAPI, partner: Partner, clock: SettableClock
) -> None:
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=94, breathlessness=0)
    clock.advance(minutes=59)
    await app.state.timekeeper.catch_up()
    assert [(alert["severity"], alert["confirmed"]) for alert in await partner.alerts()] == [("medium", False)]
    clock.advance(minutes=1)
    await app.state.timekeeper.catch_up()
    assert [(alert["severity"], alert["confirmed"]) for alert in await partner.alerts()] == [("high", True)]


@pytest.mark.hazard("H1")
async def test_after_an_hour_of_downtime_each_overdue_thing_happens_once(
    settings: Settings, app: FastAPI, partner: Partner, clock: SettableClock
) -> None:
    stays = [await partner.admit() for _ in range(5)]
    for stay_id in stays:
        await partner.kept(stay_id, spo2=92)
    clock.advance(hours=1)
    async with started(settings, clock) as restarted:
        await restarted.state.timekeeper.catch_up()
        await restarted.state.timekeeper.catch_up()
    await app.state.timekeeper.catch_up()
    assert await kinds(partner, "confirmed") == ["alert.confirmed"] * 5
    confirmed = [event["at"] for event in await partner.events() if event["type"] == "alert.confirmed"]
    assert set(confirmed) == {"2026-11-22T08:15:00Z"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.postgres
@pytest.mark.hazard("H11")
async def test_several_replicas_never_do_a_thing_twice(
    settings: Settings, app: FastAPI, partner: Partner, clock: SettableClock, database: Database
) -> None:
    stays = [await partner.admit() for _ in range(20)]
    for stay_id in stays:
        await partner.kept(stay_id, spo2=92)
    clock.advance(minutes=15)
    timed = replace(settings, timers=True)
    async with started(timed, clock) as one, started(timed, clock) as two:
        await asyncio.gather(one.state.timekeeper.catch_up(), two.state.timekeeper.catch_up())
    assert await kinds(partner, "confirmed") == ["alert.confirmed"] * 20
    assert await rows_of(database, "work_lease") == []
