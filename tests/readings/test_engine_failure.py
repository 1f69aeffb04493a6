"""When a stay cannot be judged: its readings are kept, somebody is told, a red value still alarms, and
nobody else notices."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.support.time import START
from tests.support.wards import Partner, reading

ALERT, PLAN, READING = METADATA.tables["alert"], METADATA.tables["plan"], METADATA.tables["reading"]
UNREADABLE: list[dict[str, Any]] = [
    {"red_at": 50},
    {"reading_times": ["25:00"]},
    {"profile": "custom"},
    {"treatment_escalation": "nobody knows"},
]


async def spoil_plan(database: Database, stay_id: str, **values: Any) -> None:
    async with writing(database) as session:
        await session.execute(update(PLAN).where(PLAN.c.stay_id == stay_id).values(values))


@pytest.mark.parametrize("values", UNREADABLE, ids=str)
async def test_an_unreadable_plan_keeps_the_reading_and_tells_the_team(
    partner: Partner, stay_id: str, database: Database, values: dict[str, Any]
) -> None:
    await spoil_plan(database, stay_id, **values)
    said = await partner.kept(stay_id, spo2=97)
    assert said["assessment"]["advice_code"] == "not_assessed"
    assert (said["assessment"]["severity"], said["judged_spo2"]) == (None, None)
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["severity"], alert["channel"]) == ("not_evaluated", "high", "technical")
    assert len(await partner.history(stay_id)) == 1


@pytest.mark.parametrize("values", UNREADABLE, ids=str)
async def test_a_stay_whose_plan_cannot_be_read_is_shown_without_limits(
    partner: Partner, stay_id: str, database: Database, values: dict[str, Any]
) -> None:
    await spoil_plan(database, stay_id, **values)
    (listed,) = (await partner.get(f"/v1/wards/{partner.ward_id}/stays"))["items"]
    shown = await partner.get(f"/v1/stays/{stay_id}")
    assert (shown["limits"], listed["limits"]) == (None, None)
    await partner.discharge(stay_id)


@pytest.mark.hazard("H1")
async def test_a_red_value_that_cannot_be_judged_is_critical_all_the_same(
    partner: Partner, stay_id: str, database: Database
) -> None:
    await spoil_plan(database, stay_id, red_at=50)
    said = await partner.kept(stay_id, spo2=92)
    assert said["assessment"]["advice_code"] == "not_assessed"
    assert {(each["family"], each["severity"]) for each in said["alerts"]} == {
        ("oxygen", "critical"),
        ("technical", "high"),
    }
    body = reading(stay_id, spo2=80)
    first = await partner.ask("POST", "/v1/readings", body)
    again = await partner.ask("POST", "/v1/readings", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["assessment"]["advice_code"] == "not_assessed"
    assert len(await partner.alerts(stay_id)) == 2


async def test_a_late_reading_that_cannot_be_judged_is_still_late(
    partner: Partner, stay_id: str, database: Database
) -> None:
    await spoil_plan(database, stay_id, red_at=50)
    assert (await partner.kept(stay_id, observed_at="2026-11-22T06:00:00Z"))["late"] is True
    assert (await partner.history(stay_id))[0]["late"] is True


async def test_other_stays_of_the_same_group_are_judged_as_ever(
    partner: Partner, stay_id: str, database: Database
) -> None:
    others = [await partner.admit() for _ in range(4)]
    await spoil_plan(database, stay_id, red_at=50)
    answers = await asyncio.gather(*(partner.kept(each, spo2=90) for each in (*others, stay_id)))
    codes = [answer["assessment"]["advice_code"] for answer in answers]
    assert codes == ["measure_again_now"] * 4 + ["not_assessed"]
    assert {alert["stay_id"] for alert in await partner.alerts() if alert["family"] == "oxygen"} == {
        *others,
        stay_id,
    }


async def test_a_stay_whose_past_breaks_the_engine_still_takes_readings(
    partner: Partner, stay_id: str, database: Database
) -> None:
    """An infinite value in the history cannot come through the door; the rules cannot round it."""
    first, *others = [reading(stay_id, spo2=97, observed_at=START.replace(minute=n)) for n in range(7)]
    await partner.ask("POST", "/v1/readings/batch", {"readings": [first, *others]})
    async with writing(database) as session:
        await session.execute(update(READING).where(READING.c.stay_id == stay_id).values(spo2=float("inf")))
    said = await partner.kept(stay_id, spo2=90, observed_at=START.replace(minute=7))
    assert said["assessment"]["advice_code"] == "not_assessed"
    assert {alert["title"] for alert in await partner.alerts(stay_id)} == {"spo2_red", "not_evaluated"}
    again = await partner.ask("POST", "/v1/readings", first)
    assert (again.status_code, again.json()["assessment"]["advice_code"]) == (200, "not_assessed")


async def test_the_technical_alert_ends_when_the_stay_is_judged_again(
    partner: Partner, stay_id: str, database: Database
) -> None:
    await spoil_plan(database, stay_id, red_at=50)
    await partner.kept(stay_id, spo2=97)
    await spoil_plan(database, stay_id, red_at=None)
    said = await partner.kept(stay_id, spo2=97, observed_at=START.replace(minute=1))
    assert said["judged_spo2"] == 97
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["state"]) == ("not_evaluated", "recovered")


async def test_an_alert_that_cannot_be_read_does_not_shut_its_stay(
    partner: Partner, stay_id: str, database: Database
) -> None:
    """A checkpoint of another release, say: readings are kept, the old alert stays, and somebody is told."""
    await partner.kept(stay_id, spo2=93, breathlessness=0)
    async with writing(database) as session:
        await session.execute(update(ALERT).where(ALERT.c.stay_id == stay_id).values(machine={"from": "elsewhere"}))
    said = await partner.kept(stay_id, spo2=80, pulse_rate=140)
    assert said["assessment"]["advice_code"] == "not_assessed"
    assert [(each["family"], each["change"]) for each in said["alerts"]] == [("technical", "opened")]
    queue = {alert["family"]: alert["title"] for alert in await partner.alerts(stay_id)}
    assert queue == {"oxygen": "silent_hypoxia", "technical": "not_evaluated"}
    assert len(await partner.history(stay_id)) == 2
