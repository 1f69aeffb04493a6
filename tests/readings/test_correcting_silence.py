"""A reading entered in error had covered a silence: the stay is watched from what is left, over HTTP."""

from typing import Any

import pytest
from fastapi import FastAPI

from service.storage.engine import Database
from tests.support.time import SettableClock
from tests.support.wards import Partner, rows_of


async def silent(partner: Partner) -> list[dict[str, Any]]:
    return [alert for alert in await partner.alerts() if alert["family"] == "missed_reading"]


async def enter(partner: Partner, reading_id: str) -> None:
    answer = await partner.ask("POST", f"/v1/readings/{reading_id}/entered-in-error", {"reason": "wrong patient"})
    assert answer.status_code == 200, answer.text


async def a_day_with_one_wrong_reading(app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock) -> str:
    """A right reading at eight, nothing, and 23 hours later a wrong one; gives its id."""
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    clock.advance(hours=23)
    await app.state.timekeeper.catch_up()
    wrong: str = (await partner.kept(stay_id, spo2=97, observed_at=clock.now()))["reading_id"]
    await app.state.timekeeper.catch_up()
    assert await silent(partner) == []
    return wrong


@pytest.mark.hazard("H1")
async def test_a_silence_that_has_passed_is_told_at_once(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    wrong = await a_day_with_one_wrong_reading(app, partner, stay_id, clock)
    clock.advance(minutes=90)
    await enter(partner, wrong)
    (alert,) = await silent(partner)
    assert (alert["severity"], alert["state"]) == ("high", "open")
    assert (alert["first_breach_at"], alert["opened_at"]) == ("2026-11-22T13:00:00Z", "2026-11-23T08:30:00Z")
    assert alert["previous_alert_id"] is not None
    assert "since 08:00 on 22 November" in alert["explanation"]["text"]


async def test_a_silence_that_has_not_passed_counts_from_what_is_left(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    wrong = await partner.kept(stay_id, spo2=97, observed_at=clock.advance(hours=4))
    clock.advance(hours=8, minutes=30)
    await app.state.timekeeper.catch_up()  # the slot of 19:00 is due, and the wrong reading is remembered
    assert await silent(partner) == []
    await enter(partner, wrong["reading_id"])
    assert [(alert["severity"], alert["first_breach_at"]) for alert in await silent(partner)] == [
        ("low", "2026-11-22T13:00:00Z")
    ]
    clock.advance(hours=11, minutes=30)
    await app.state.timekeeper.catch_up()
    assert [alert["severity"] for alert in await silent(partner)] == ["high"]


async def test_what_stands_again_waits_for_its_recheck_by_the_clock(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.kept(stay_id, spo2=91, breathlessness=1, observed_at=clock.now())
    await partner.kept(stay_id, spo2=96, observed_at=clock.advance(minutes=5))
    wrong = await partner.kept(stay_id, spo2=97, observed_at=clock.advance(minutes=7))
    assert [alert["severity"] for alert in await partner.alerts()] == ["medium"]
    clock.advance(minutes=1)
    await enter(partner, wrong["reading_id"])
    assert [(alert["severity"], alert["confirmed"]) for alert in await partner.alerts()] == [("critical", False)]
    clock.advance(minutes=2)
    await app.state.timekeeper.catch_up()
    assert [(alert["severity"], alert["confirmed"]) for alert in await partner.alerts()] == [("critical", True)]


@pytest.mark.parametrize("change", ["pause", "discharge"])
async def test_nothing_is_told_of_a_stay_that_nobody_watches(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock, change: str
) -> None:
    wrong = await a_day_with_one_wrong_reading(app, partner, stay_id, clock)
    until = {"until": clock.now().replace(day=24).isoformat(), "reason": "holiday"}
    said = until if change == "pause" else {"reason": "better", "outcomes": {}}
    answer = await partner.ask("POST", f"/v1/stays/{stay_id}/{change}", {**said, "version": 1})
    assert answer.status_code == 200, answer.text
    clock.advance(minutes=90)
    await enter(partner, wrong)
    told = [alert["severity"] for alert in await silent(partner)]
    assert told == (["low"] if change == "pause" else [])


async def test_a_pause_that_is_over_began_the_silence_anew(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock, database: Database
) -> None:
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    until = clock.now().replace(hour=20).isoformat()
    answer = await partner.ask("POST", f"/v1/stays/{stay_id}/pause", {"until": until, "reason": "out", "version": 1})
    assert answer.status_code == 200, answer.text
    clock.advance(hours=23)
    await app.state.timekeeper.catch_up()
    wrong = await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    clock.advance(minutes=90)
    await enter(partner, wrong["reading_id"])
    assert await silent(partner) == []
    (stay,) = await rows_of(database, "stay", id=stay_id)
    assert '"silent_from":"2026-11-22T20:00:00+00:00"' in stay.watch


async def test_what_was_due_before_is_told_as_the_doing_of_time(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    wrong = await partner.kept(stay_id, pulse_rate=80, observed_at=clock.advance(minutes=10))
    clock.advance(hours=9, minutes=30)
    await enter(partner, wrong["reading_id"])
    (opened,) = [event for event in await partner.events() if event["type"] == "alert.opened"]
    assert (opened["at"], opened["data"]["reason"]) == ("2026-11-22T17:00:00Z", "R14 fired")


async def test_the_slot_that_it_had_filled_is_asked_for_at_once(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    wrong = await partner.kept(stay_id, spo2=97, observed_at=clock.advance(hours=4, minutes=50))
    clock.advance(hours=1, minutes=30)
    await app.state.timekeeper.catch_up()

    async def asked() -> list[tuple[str, str]]:
        told = [each for each in await partner.events() if each["type"] == "stay.reading_due"]
        return [(each["data"]["slot"][11:16], each["at"][11:16]) for each in told]

    assert await asked() == []
    await enter(partner, wrong["reading_id"])
    assert await asked() == [("13:00", "14:20")]
    clock.advance(minutes=20)
    await app.state.timekeeper.catch_up()
    assert await asked() == [("13:00", "14:20")]
