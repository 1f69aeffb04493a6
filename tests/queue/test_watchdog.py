"""R17: the alarm system watches itself, and tells every ward when work is late."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update

from service.clock import real_now
from service.fields import new_id
from service.settings import Settings
from service.storage import heartbeats
from service.storage.engine import Database
from service.storage.heartbeats import Beat
from service.storage.lateness import INTAKE, WATCHDOG, late_work, recovered
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.conftest import started
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, open_partner, rows_of

ALERT, FEED = METADATA.tables["alert"], METADATA.tables["ward_feed"]
SHARED = ("judging", "limits")
SIX = timedelta(minutes=6)
ONE, TWO = "replica one", "replica two"


def beats(at: datetime, replica: str = ONE, *kinds: str) -> list[Beat]:
    return [Beat(replica, kind, at) for kind in kinds or (*SHARED, INTAKE, WATCHDOG)]


@pytest.mark.hazard("H11")
def test_work_that_any_replica_does_is_late_when_none_does_it() -> None:
    known = [*beats(START, ONE), *beats(START + SIX, TWO, "judging")]
    assert late_work(known, SHARED, START, START + SIX) == ("limits",)
    assert late_work(known, SHARED, START, START + timedelta(minutes=5)) == ()


def test_an_intake_that_hangs_is_late_though_another_replicas_works() -> None:
    known = [*beats(START, ONE), *beats(START + SIX, ONE, WATCHDOG, *SHARED), *beats(START + SIX, TWO)]
    assert late_work(known, SHARED, START, START + SIX) == (INTAKE,)


def test_a_replica_that_is_gone_is_not_missed() -> None:
    known = [*beats(START, ONE), *beats(START + SIX, TWO)]
    assert late_work(known, SHARED, START, START + SIX) == ()


def test_whoever_has_just_begun_to_watch_waits_before_it_calls_anything_late_or_well() -> None:
    after_an_hour = START + timedelta(hours=1)
    assert late_work(beats(START), SHARED, after_an_hour, after_an_hour + timedelta(minutes=1)) == ()
    assert not recovered(beats(START), SHARED, after_an_hour + timedelta(minutes=1))
    assert late_work([], SHARED, START, START + SIX) == ("judging", "limits")
    assert recovered(beats(START), SHARED, START)


async def alive(database: Database, app: FastAPI, at: datetime) -> None:
    for kind in (*app.state.timekeeper.kinds, INTAKE):
        await heartbeats.beat(database, app.state.timekeeper.replica_id, kind, at)


@pytest.mark.hazard("H11")
async def test_when_work_is_late_every_ward_is_told_once_and_the_queue_has_a_banner(
    app: FastAPI, http: httpx.AsyncClient, database: Database
) -> None:
    ash, birch = [await open_partner(http, database) for _ in range(2)]
    watchdog, now = app.state.watchdog, real_now()
    await alive(database, app, now)
    assert await watchdog.look(database, now + timedelta(minutes=4)) == ()
    assert await ash.alerts() == []
    for minutes in (6, 7):
        late = await watchdog.look(database, now + timedelta(minutes=minutes))
        assert set(late) >= {"judging", "limits", "intake"}
    for partner in (ash, birch):
        (alert,) = await partner.alerts()
        assert (alert["title"], alert["severity"], alert["stay_id"], alert["patient"]) == (
            "system_degraded", "high", None, None,
        )  # fmt: skip
        assert [event["type"] for event in await partner.events()] == ["alert.opened"]
        assert (await partner.get("/v1/alerts"))["meta"]["degraded_since"] == alert["opened_at"]
    ready = (await http.get("/readyz")).json()
    assert (ready["status"], "limits" in ready["late"]) == ("degraded", True)


@pytest.mark.hazard("H11")
async def test_a_ward_whose_alert_cannot_be_read_is_told_again_as_all_others_are(
    app: FastAPI, http: httpx.AsyncClient, database: Database
) -> None:
    """A checkpoint of another release, of an alert that had recovered."""
    ash, birch = sorted([await open_partner(http, database) for _ in range(2)], key=lambda each: each.ward_id)
    watchdog, now = app.state.watchdog, real_now()
    await watchdog.look(database, now + SIX)
    await alive(database, app, now + timedelta(minutes=8))
    await watchdog.look(database, now + timedelta(minutes=9))
    async with writing(database) as session:
        await session.execute(update(ALERT).where(ALERT.c.ward_id == ash.ward_id).values(machine={"from": "elsewhere"}))
    await watchdog.look(database, now + timedelta(minutes=15))
    for partner in (ash, birch):
        (alert,) = await partner.alerts()
        assert (alert["title"], alert["severity"], alert["state"]) == ("system_degraded", "high", "open")


@pytest.mark.hazard("H11")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_ward_that_cannot_be_told_keeps_no_other_from_being_told(
    app: FastAPI, http: httpx.AsyncClient, database: Database
) -> None:
    ash, birch = sorted([await open_partner(http, database) for _ in range(2)], key=lambda each: each.ward_id)
    async with writing(database) as session:
        await session.execute(delete(FEED).where(FEED.c.ward_id == ash.ward_id))
    with pytest.raises(LookupError):
        await app.state.watchdog.look(database, real_now() + SIX)
    assert [alert["title"] for alert in await birch.alerts()] == ["system_degraded"]
    assert "limits" in app.state.watchdog.late


async def test_when_work_is_done_again_the_banner_goes_and_a_person_closes_the_alert(
    app: FastAPI, http: httpx.AsyncClient, database: Database
) -> None:
    partner: Partner = await open_partner(http, database)
    watchdog, now = app.state.watchdog, real_now()
    await watchdog.look(database, now + SIX)
    (alert,) = await partner.alerts()
    body = {"version": alert["version"]}
    taken = await partner.ask("POST", f"/v1/alerts/{alert['id']}/acknowledge", body)
    assert taken.status_code == 200, taken.text
    await alive(database, app, now + timedelta(minutes=8))
    assert await watchdog.look(database, now + timedelta(minutes=9)) == ()
    (alert,) = await partner.alerts()
    assert (alert["state"], alert["recovered_at"] is not None) == ("acknowledged", True)
    assert (await partner.get("/v1/alerts"))["meta"]["degraded_since"] is None
    assert (await http.get("/readyz")).json() == {"status": "ready"}
    body = {"version": alert["version"], "outcome": "no_action_needed"}
    assert (await partner.ask("POST", f"/v1/alerts/{alert['id']}/resolve", body)).status_code == 200


async def test_an_alert_about_the_ward_escalates_like_any_other(
    app: FastAPI, http: httpx.AsyncClient, database: Database, clock: SettableClock
) -> None:
    partner = await open_partner(http, database)
    await app.state.watchdog.look(database, real_now() + SIX)
    clock.advance(hours=1)
    await app.state.timekeeper.catch_up()
    assert [event["type"] for event in await partner.events()] == ["alert.opened", "alert.uncovered", "alert.escalated"]


async def test_every_kind_of_work_gives_signs_of_life_and_who_stops_is_not_missed(
    settings: Settings, clock: SettableClock, database: Database
) -> None:
    other = new_id()
    await heartbeats.beat(database, other, "limits", real_now())
    async with started(replace(settings, timers=True), clock) as running:
        expected = {*running.state.timekeeper.kinds, WATCHDOG}
        mine = running.state.timekeeper.replica_id
        async with asyncio.timeout(60):
            while {row.kind for row in await rows_of(database, "heartbeat", replica_id=mine)} != expected:
                pass
    assert {row.replica_id for row in await rows_of(database, "heartbeat")} == {other}
