"""Limits for people over HTTP: what the service does when nobody takes an alert, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from service.storage.engine import Database
from service.storage.tables import METADATA
from tests.support.time import SettableClock
from tests.support.wards import Partner, open_partner, rows_of

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CALLED = {"method": "phone", "result": "reached"}


@pytest.fixture
async def partner(http: httpx.AsyncClient, database: Database, clock: SettableClock) -> Partner:
    clock.set(NIGHT)
    return await open_partner(http, database)


async def raised(partner: Partner, clock: SettableClock, **values: Any) -> str:
    """The id of a new alert."""
    answer = await partner.kept(await partner.admit(), observed_at=clock.now(), **values)
    (alert,) = [each for each in answer["alerts"] if each["family"] == "oxygen"]
    return str(alert["alert_id"])


@pytest.mark.hazard("H2")
async def test_critical_at_three_with_nobody_on_duty_is_uncovered_at_once_and_escalates_at_its_limit(
    app: FastAPI, partner: Partner, clock: SettableClock, database: Database
) -> None:
    alert_id = await raised(partner, clock, spo2=91, breathlessness=1)
    await app.state.timekeeper.catch_up()
    assert await partner.story(alert_id) == [("opened", "03:00"), ("uncovered", "03:00")]
    assert (await partner.get(f"/v1/alerts/{alert_id}"))["escalation_level"] == 0
    clock.advance(minutes=15)
    await app.state.timekeeper.catch_up()
    assert (await partner.story(alert_id))[2:] == [("confirmed", "03:15"), ("escalated", "03:15")]
    alert = await partner.get(f"/v1/alerts/{alert_id}")
    assert (alert["escalation_level"], alert["severity"], alert["respond_by"]) == (
        1, "critical", "2026-11-22T03:15:00Z",
    )  # fmt: skip
    events = [event for event in await partner.events() if event["type"] in ("alert.uncovered", "alert.escalated")]
    assert [(each["data"]["notify"], each["data"]["reason"]) for each in events] == [
        ("out_of_hours", "nobody is on duty"),
        ("out_of_hours", "not acknowledged in time"),
    ]
    audited = [row.action for row in await rows_of(database, "audit", subject_id=alert_id)]
    assert sorted(audited) == ["alert.escalated", "alert.uncovered"]


async def test_an_acknowledgement_without_contact_ends_one_level_up(
    app: FastAPI, partner: Partner, clock: SettableClock
) -> None:
    alert_id = await raised(partner, clock, spo2=91, breathlessness=1)
    await app.state.timekeeper.catch_up()
    clock.advance(minutes=5)
    taken = await partner.ask("POST", f"/v1/alerts/{alert_id}/acknowledge", {"version": 1})
    assert taken.json()["ack_expires_at"] == "2026-11-22T03:35:00Z"
    clock.advance(minutes=30)
    await app.state.timekeeper.catch_up()
    happened = await partner.story(alert_id)
    assert [each for each in happened if each[1] >= "03:30"] == [
        ("uncovered", "03:30"),
        ("escalated", "03:30"),
        ("ack_expired", "03:35"),
        ("uncovered", "03:35"),
    ]
    alert = await partner.get(f"/v1/alerts/{alert_id}")
    assert (alert["state"], alert["escalation_level"], alert["acknowledged_by"], alert["ack_expires_at"]) == (
        "open", 2, None, None,
    )  # fmt: skip
    assert (await partner.get("/v1/alerts"))["meta"]["counts"]["by_state"]["open"] == 1


async def test_contact_in_time_keeps_every_limit(app: FastAPI, partner: Partner, clock: SettableClock) -> None:
    alert_id = await raised(partner, clock, spo2=91, breathlessness=1)
    await app.state.timekeeper.catch_up()
    await partner.ask("POST", f"/v1/alerts/{alert_id}/acknowledge", {"version": 1})
    await partner.ask("POST", f"/v1/alerts/{alert_id}/contact", CALLED)
    clock.advance(hours=10)
    await app.state.timekeeper.catch_up()
    assert not {"escalated", "ack_expired"} & {what for what, _ in await partner.story(alert_id)}


async def test_a_snooze_ends_by_its_time(app: FastAPI, partner: Partner, clock: SettableClock) -> None:
    alert_id = await raised(partner, clock, spo2=94)
    body = {"minutes": 30, "reason": "rings back", "version": 1}
    assert (await partner.ask("POST", f"/v1/alerts/{alert_id}/snooze", body)).status_code == 200
    clock.advance(minutes=29)
    await app.state.timekeeper.catch_up()
    assert (await partner.get(f"/v1/alerts/{alert_id}"))["snoozed_until"] is not None
    clock.advance(minutes=1)
    await app.state.timekeeper.catch_up()
    assert (await partner.story(alert_id))[-1] == ("snooze_ended", "03:30")
    assert (await partner.get(f"/v1/alerts/{alert_id}"))["snoozed_until"] is None


async def test_an_alert_that_cannot_be_read_holds_up_no_other(
    app: FastAPI, partner: Partner, clock: SettableClock, database: Database
) -> None:
    broken, sound = [await raised(partner, clock, spo2=91) for _ in range(2)]
    alert = METADATA.tables["alert"]
    async with app.state.database.writes.begin() as connection:
        await connection.execute(update(alert).where(alert.c.id == broken).values(machine={}, limit_at=None))
    clock.advance(minutes=16)
    await app.state.timekeeper.catch_up()
    assert ("escalated", "03:15") in await partner.story(sound)
    (row,) = await rows_of(database, "alert", id=broken)
    assert row.limit_at == clock.now() + timedelta(hours=1)


@pytest.mark.parametrize(
    ("came", "limit", "next_step"),
    [
        # The ward works from 08:00 to 20:00 by clocks that change in the night.
        ("2026-10-24T18:55:00Z", "2026-10-25T09:55:00Z", "2026-10-25T10:10:00Z"),
        ("2026-03-28T19:55:00Z", "2026-03-29T08:55:00Z", "2026-03-29T09:10:00Z"),
    ],
)
async def test_limits_in_service_hours_are_right_when_the_clocks_change(
    app: FastAPI, partner: Partner, clock: SettableClock, came: str, limit: str, next_step: str
) -> None:
    clock.set(datetime.fromisoformat(came) - timedelta(minutes=1))
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    clock.advance(minutes=1)
    answer = await partner.kept(stay_id, spo2=94, observed_at=clock.now(), context="post_exertion_40_steps")
    ((alert_id, severity),) = [(each["alert_id"], each["severity"]) for each in answer["alerts"]]
    assert (severity, (await partner.get(f"/v1/alerts/{alert_id}"))["respond_by"]) == ("medium", limit)
    for due in (limit, next_step):
        for early, steps in ((timedelta(seconds=1), 0), (timedelta(0), 1)):
            before = len([what for what, _ in await partner.story(alert_id) if what == "escalated"])
            clock.set(datetime.fromisoformat(due) - early)
            await app.state.timekeeper.catch_up()
            after = len([what for what, _ in await partner.story(alert_id) if what == "escalated"])
            assert after - before == steps, due
