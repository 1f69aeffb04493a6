"""Scenarios that speak of the hour of the day, over HTTP on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from tests.support.time import SettableClock
from tests.support.wards import Partner

DAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.hazard("H1")
async def test_admitted_at_ten_and_nothing_arrives(app: FastAPI, partner: Partner, clock: SettableClock) -> None:
    clock.set(DAY + timedelta(hours=10))
    stay_id = await partner.admit(reading_times=["09:00", "13:00", "19:00"], baseline_spo2=97)
    for hour, minute, reminders, severity in (
        (13, 59, 0, None), (14, 0, 1, None), (16, 59, 1, None), (17, 0, 1, "low"), (33, 59, 2, "low"),
        (34, 0, 3, "high"),
    ):  # fmt: skip
        clock.set(DAY + timedelta(hours=hour, minutes=minute))
        await app.state.timekeeper.catch_up()
        events = await partner.events()
        assert len([each for each in events if each["type"] == "stay.reading_due"]) == reminders
        found = [(each["family"], each["severity"]) for each in await partner.alerts(stay_id)]
        assert found == ([] if severity is None else [("missed_reading", severity)])


@pytest.mark.hazard("H2")
async def test_critical_at_three_in_the_night_with_nobody_on_duty(
    app: FastAPI, partner: Partner, clock: SettableClock
) -> None:
    clock.set(DAY + timedelta(hours=3))
    stay_id = await partner.admit()
    said = await partner.kept(stay_id, spo2=91, breathlessness=1, observed_at=clock.now())
    assert said["assessment"]["watched_now"] is False
    await app.state.timekeeper.catch_up()
    clock.advance(minutes=5)
    again = await partner.kept(stay_id, spo2=90, breathlessness=1, observed_at=clock.now())
    for answer in (said, again):
        assert "999" in answer["assessment"]["advice"]
    clock.set(DAY + timedelta(hours=3, minutes=15))
    await app.state.timekeeper.catch_up()
    (alert,) = await partner.alerts(stay_id)
    told = [(each["type"], each["at"][11:16]) for each in await partner.events() if each["subject"]["type"] == "alert"]
    assert ("alert.uncovered", "03:00") in told
    assert ("alert.escalated", "03:15") in told
    assert alert["escalation_level"] == 1


@pytest.mark.hazard("H7")
async def test_the_first_reading_of_the_day_sent_again_after_a_red_one(partner: Partner, clock: SettableClock) -> None:
    clock.set(DAY + timedelta(hours=8))
    stay_id = await partner.admit()
    early = {"client_reading_id": "early", "spo2": 96, "breathlessness": 1, "observed_at": clock.now()}
    first = await partner.kept(stay_id, **early)
    clock.set(DAY + timedelta(hours=11))
    await partner.kept(stay_id, spo2=90, breathlessness=1, observed_at=clock.now())
    again = await partner.send(stay_id, **early)
    assert (again.status_code, again.json()["reading_id"]) == (200, first["reading_id"])
    assert again.json()["assessment"]["advice_code"] == "measure_again_now"
    assert len(await partner.alerts(stay_id)) == 1


@pytest.mark.hazard("H1")
async def test_an_amber_value_closed_by_mistake_is_asked_for_again_once_it_is_open(
    app: FastAPI, partner: Partner, clock: SettableClock
) -> None:
    clock.set(DAY + timedelta(hours=8))
    stay_id = await partner.admit(baseline_spo2=96)
    said = await partner.kept(stay_id, spo2=94, breathlessness=1, observed_at=clock.now())
    path = f"/v1/alerts/{said['alerts'][0]['alert_id']}"
    clock.advance(minutes=30)
    closed = await partner.ask("POST", f"{path}/resolve", {"version": 1, "outcome": "artefact"})
    clock.advance(minutes=130)
    await app.state.timekeeper.catch_up()
    opened = await partner.ask("POST", f"{path}/reopen", {"version": 2, "reason": "Wrong patient"})
    assert (closed.status_code, opened.status_code) == (200, 200)
    for more, expected in ((29, ("medium", False)), (1, ("high", True))):
        clock.advance(minutes=more)
        await app.state.timekeeper.catch_up()
        (alert,) = await partner.alerts(stay_id)
        assert (alert["severity"], alert["confirmed"]) == expected
