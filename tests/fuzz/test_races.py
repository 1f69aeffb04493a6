"""The same thing done by two or more at the same moment: one of them does it, the others are told."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.settings import Settings
from tests.access.at_home import refresh
from tests.access.furnished import Furnished, furnished
from tests.access.hospital import Headers, Hospital
from tests.conftest import started
from tests.support.time import SettableClock

AT_ONCE = 5


@pytest.fixture
def settings(database_url: str, settings: Settings) -> Settings:
    return replace(settings, rate_limit=0)


@pytest.fixture
async def ward(app: FastAPI, client: httpx.AsyncClient) -> Furnished:
    return await furnished(Hospital(app, client))


async def race(ward: Furnished, method: str, path: str, body: Any, *people: Headers) -> Counter[int]:
    """The statuses that each of several got who sent the same at once."""
    client = ward.hospital.client
    sent = (client.request(method, path, headers=each, json=body) for each in people)
    answers = await asyncio.gather(*sent)
    assert all(answer.status_code < 500 for answer in answers), [answer.text for answer in answers]
    return Counter(answer.status_code for answer in answers)


async def team(ward: Furnished, role: str = "clinician") -> list[Headers]:
    ward_id = ward.ids["ward_id"]
    made = [await ward.hospital.staff_id(ward_id, role=role) for _ in range(AT_ONCE)]
    return [await ward.hospital.token("staff", each) for each in made]


async def test_one_takes_an_alert_and_one_closes_it(ward: Furnished) -> None:
    path, people = f"/v1/alerts/{ward.ids['alert_id']}", await team(ward)
    taken = await race(ward, "POST", f"{path}/acknowledge", {"version": 1}, *people)
    assert taken[200] == 1
    version = (await ward.call("GET", path, None))["version"]
    closed = await race(ward, "POST", f"{path}/resolve", {"version": version, "outcome": "other"}, *people)
    assert closed[200] == 1
    story = await ward.call("GET", f"{path}/events", None)
    kinds = Counter(each["type"] for each in story["items"])
    assert (kinds["alert.acknowledged"], kinds["alert.resolved"]) == (1, 1)


async def test_one_ends_a_stay(ward: Furnished) -> None:
    path, people = f"/v1/stays/{ward.ids['stay_id']}", await team(ward)
    stay = await ward.call("GET", path, None)
    outcomes = {each["id"]: "other" for each in stay["open_alerts"]}
    body = {"reason": "better", "version": stay["version"], "outcomes": outcomes}
    assert (await race(ward, "POST", f"{path}/discharge", body, *people))[200] == 1


async def test_one_takes_over_a_stay_that_is_offered(ward: Furnished) -> None:
    there = await ward.hospital.ward()
    path = f"/v1/transfers/{await ward.offer(there)}"
    people = [await ward.hospital.clinician(there) for _ in range(AT_ONCE)]
    assert (await race(ward, "POST", f"{path}/accept", {}, *people))[200] == 1
    stays = await ward.hospital.client.get(f"/v1/wards/{there}/stays", headers=people[0])
    assert len(stays.json()["items"]) == 1


async def test_one_approves_a_rule_set(ward: Furnished) -> None:
    path = f"/v1/wards/{ward.ids['ward_id']}/rule-sets/1/approve"
    assert (await race(ward, "POST", path, {}, *await team(ward, "lead")))[200] == 1


async def test_one_of_several_corrections_is_made(ward: Furnished) -> None:
    path, people = f"/v1/patients/{ward.ids['patient_id']}", await team(ward)
    done = await race(ward, "PATCH", path, {"phone": "020 7946 0000", "version": 1}, *people)
    assert done == {200: 1, 412: AT_ONCE - 1}
    plan = {
        "baseline_spo2": 96,
        "version": (await ward.call("GET", f"/v1/stays/{ward.ids['stay_id']}", None))["version"],
    }
    assert (await race(ward, "PATCH", f"/v1/stays/{ward.ids['stay_id']}/plan", plan, *people))[200] == 1


async def test_a_password_is_set_once(ward: Furnished) -> None:
    admin = await ward.hospital.administrator()
    path = f"/v1/staff/{ward.ids['staff_id']}/password-reset"
    token = (await ward.hospital.client.post(path, headers=admin)).json()["set_password_token"]
    body = {"token": token, "password": "a long enough password"}
    assert await race(ward, "POST", "/oauth/password", body, *[{}] * AT_ONCE) == {204: 1, 400: AT_ONCE - 1}


async def test_a_refresh_token_sent_several_times_at_once_gives_the_same_one(ward: Furnished) -> None:
    tokens = await ward.bedside().tokens()
    answers = await asyncio.gather(*(refresh(ward.hospital.client, tokens) for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_a_system_never_has_more_than_two_secrets(ward: Furnished) -> None:
    admin = await ward.hospital.administrator()
    path = f"/v1/clients/{ward.ids['client_id']}"
    assert set(await race(ward, "POST", f"{path}/secrets", None, *[admin] * AT_ONCE)) <= {201, 409}
    assert (await ward.hospital.client.get(path, headers=admin)).json()["secrets"] == 2


async def test_a_person_with_a_number_is_one_record_and_has_one_stay(ward: Furnished) -> None:
    ward_id, people = ward.ids["ward_id"], await team(ward)
    person = {"family_name": "Once", "given_name": "Pat", "birth_date": "1950-06-30"}
    person["identifiers"] = [{"system": "mrn", "value": "only one"}]  # type: ignore[assignment]
    made = await race(ward, "POST", f"/v1/wards/{ward_id}/patients", person, *people)
    assert made == {201: 1, 200: AT_ONCE - 1}
    lookup = {"system": "mrn", "value": "only one"}
    found = await ward.call("POST", f"/v1/wards/{ward_id}/patients/lookup", lookup)
    body = {"patient_id": found["items"][0]["id"]}
    assert await race(ward, "POST", f"/v1/wards/{ward_id}/stays", body, *people) == {201: 1, 409: AT_ONCE - 1}


async def test_with_the_fewest_connections_that_may_be_set_everybody_is_answered(
    settings: Settings, clock: SettableClock
) -> None:
    async with (
        started(replace(settings, pool_size=2), clock) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://wardwatch.test") as client,
    ):
        ward = await furnished(Hospital(app, client))
        people = await team(ward)
        for path in ("/v1/alerts", f"/v1/wards/{ward.ids['ward_id']}/events", f"/v1/stays/{ward.ids['stay_id']}"):
            assert await race(ward, "GET", path, None, *people) == {200: AT_ONCE}
        at = clock.advance(minutes=5).isoformat()
        reading = {"stay_id": (await ward.admit())["id"], "observed_at": at, "spo2": 97}
        assert await race(ward, "POST", "/v1/readings", reading, *people) == {201: AT_ONCE}
