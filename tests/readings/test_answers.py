"""An answer to a reading's question: kept as what it is, judged with its reading, and never to anybody's harm."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.storage.engine import Database
from tests.support.time import SettableClock
from tests.support.wards import Partner, open_partner


async def give(partner: Partner, reading_id: str, key: str | None = None, **said: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await partner.ask("POST", f"/v1/readings/{reading_id}/answers", said, headers=headers)


async def given(partner: Partner, reading_id: str, **said: Any) -> Any:
    answer = await give(partner, reading_id, **said)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def severities(partner: Partner, stay_id: str) -> dict[str, str]:
    return {alert["family"]: alert["severity"] for alert in await partner.alerts(stay_id)}


async def test_an_answer_that_came_too_late_lowers_nothing_and_adds_what_it_says(
    app: FastAPI, partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    asked = await partner.kept(stay_id, spo2=93)
    assert asked["assessment"]["ask"] == ["breathlessness"]
    assert await severities(partner, stay_id) == {"oxygen": "medium"}
    clock.advance(minutes=15)
    await app.state.timekeeper.catch_up()
    assert await severities(partner, stay_id) == {"oxygen": "high"}
    clock.advance(minutes=1)
    said = await given(partner, asked["reading_id"], breathlessness=7)
    assert await severities(partner, stay_id) == {"oxygen": "high", "symptoms": "critical"}
    assert said["assessment"]["advice_code"] == "emergency"
    assert said["reading_id"] != asked["reading_id"]


async def test_no_breathlessness_makes_the_value_it_answers_silent_hypoxia(partner: Partner, stay_id: str) -> None:
    asked = await partner.kept(stay_id, spo2=93)
    said = await given(partner, asked["reading_id"], breathlessness=0, symptoms=[])
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["severity"]) == ("silent_hypoxia", "high")
    inputs = {each["name"]: each["reading_id"] for each in alert["explanation"]["inputs"]}
    assert inputs == {"spo2": asked["reading_id"], "breathlessness": said["reading_id"]}
    assert said["assessment"]["ask"] == []


async def test_the_answer_belongs_to_the_reading_it_names_not_to_a_newer_one(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    asked = await partner.kept(stay_id, spo2=93)
    at = clock.advance(minutes=5)
    await partner.kept(stay_id, spo2=97, observed_at=at)
    clock.advance(minutes=5)
    await given(partner, asked["reading_id"], breathlessness=0)
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["severity"]) == ("silent_hypoxia", "high")


async def test_an_answer_after_more_than_an_hour_is_judged_for_itself_only(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    asked = await partner.kept(stay_id, spo2=93)
    clock.advance(minutes=61)
    await given(partner, asked["reading_id"], breathlessness=0)
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["severity"]) != ("silent_hypoxia", "high")


async def test_an_answer_is_kept_as_what_it_is(partner: Partner, stay_id: str, clock: SettableClock) -> None:
    asked = await partner.kept(stay_id, spo2=93, observed_at=clock.now() - timedelta(minutes=20))
    clock.advance(minutes=1)
    said = await given(partner, asked["reading_id"], breathlessness=1.5, feeling="worse", symptoms=["rash"])
    newest, oldest = await partner.history(stay_id)
    assert (newest["reading_id"], newest["answers"]) == (said["reading_id"], asked["reading_id"])
    assert (newest["breathlessness"], newest["feeling"], newest["symptoms"]) == (1.5, "worse", ["rash"])
    assert (newest["spo2"], oldest["spo2"], oldest["breathlessness"]) == (None, 93, None)
    assert newest["observed_at"] == newest["received_at"] == "2026-11-22T08:01:00Z"


async def test_the_same_answer_twice_is_one_answer(partner: Partner, stay_id: str, clock: SettableClock) -> None:
    asked = (await partner.kept(stay_id, spo2=93))["reading_id"]
    first = await give(partner, asked, breathlessness=1)
    clock.advance(minutes=3)
    again = await give(partner, asked, breathlessness=1)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["reading_id"] == first.json()["reading_id"]
    other = await give(partner, asked, breathlessness=2)
    assert other.status_code == 201
    assert len(await partner.history(stay_id)) == 3


async def test_a_request_key_that_named_another_answer_is_refused(partner: Partner, stay_id: str) -> None:
    asked = (await partner.kept(stay_id, spo2=93))["reading_id"]
    assert (await give(partner, asked, "k1", breathlessness=1)).status_code == 201
    assert (await give(partner, asked, "k1", breathlessness=1)).status_code == 200
    differs = await give(partner, asked, "k1", breathlessness=9)
    assert (differs.status_code, differs.json()["code"]) == (409, "reading_differs")


async def test_an_answer_to_an_answer_is_one_to_the_reading(partner: Partner, stay_id: str) -> None:
    asked = await partner.kept(stay_id, spo2=93)
    first = await given(partner, asked["reading_id"], feeling="same")
    await given(partner, first["reading_id"], breathlessness=0)
    assert {row["answers"] for row in await partner.history(stay_id)} == {None, asked["reading_id"]}
    assert (await partner.alerts(stay_id))[0]["title"] == "silent_hypoxia"


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({}, ""),
        ({"breathlessness": 10.5}, "/breathlessness"),
        ({"breathlessness": 1.3}, "/breathlessness"),
        ({"breathlessness": "3"}, "/breathlessness"),
        ({"feeling": "fine"}, "/feeling"),
        ({"symptoms": ["sneezing"]}, "/symptoms/0"),
        ({"spo2": 97, "breathlessness": 1}, "/spo2"),
    ],
)
async def test_what_is_no_answer_is_refused_with_its_field(
    partner: Partner, stay_id: str, said: dict[str, Any], pointer: str
) -> None:
    asked = await partner.kept(stay_id, spo2=93)
    answer = await give(partner, asked["reading_id"], **said)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert answer.json()["safety_text"]


async def test_an_answer_after_discharge_is_refused(partner: Partner, stay_id: str) -> None:
    asked = await partner.kept(stay_id, spo2=97)
    await partner.discharge(stay_id)
    answer = await give(partner, asked["reading_id"], breathlessness=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "stay_discharged")


async def test_another_wards_reading_cannot_be_answered(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    asked = (await partner.kept(stay_id, spo2=93))["reading_id"]
    stranger = await open_partner(http, database)
    assert (await give(stranger, asked, breathlessness=1)).status_code == 404
    assert (await give(partner, "nonsense", breathlessness=1)).status_code == 404
    reader = await open_partner(http, database, partner.ward_id, ["readings:read"])
    assert (await give(reader, asked, breathlessness=1)).status_code == 403
