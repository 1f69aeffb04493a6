"""Every route, once something has ended: a token, a sign-in, an account, a stay, an app's pairing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from service.clock import real_now
from service.settings import Settings
from tests.access.at_home import reading
from tests.access.furnished import Furnished, furnished
from tests.access.hospital import Headers, Hospital
from tests.access.table import after_the_end, cell, routes
from tests.access.walking import BODIES, call_of, called, named

ERASURES = "POST /v1/patients/{patient_id}/erasures"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, settings: Settings) -> Settings:
    return replace(settings, rate_limit=0)


async def refused_everywhere(hospital: Hospital, header: Headers, ids: dict[str, str], code: str) -> None:
    """Every route that is not open to anybody refuses the token."""
    refused = 0
    for route in routes():
        status, found, text = await called(hospital, route, header, ids)
        if cell(route, "lead") != "any":
            assert (status, found) == (401, code), (route.path, text)
            refused += 1
    assert refused > 60


# Tokens ----------------------------------------------------------------------------------------------------


async def expire(hospital: Hospital, staff_id: str) -> Headers:
    with time_machine.travel(real_now() - timedelta(minutes=11), tick=True):
        return await hospital.token("staff", staff_id)


async def revoke(hospital: Hospital, staff_id: str) -> Headers:
    header = await hospital.token("staff", staff_id)
    assert (await hospital.client.get("/v1/me", headers=header)).status_code == 200
    answer = await hospital.client.post("/oauth/revoke", data={"token": header["Authorization"].split()[1]})
    assert answer.status_code == 200
    return header


async def sign_out(hospital: Hospital, staff_id: str) -> Headers:
    header, other = await hospital.token("staff", staff_id), await hospital.token("staff", staff_id)
    assert (await hospital.client.get("/v1/me", headers=header)).status_code == 200
    assert (await hospital.client.post("/v1/me/sign-out-everywhere", headers=other)).status_code == 204
    return header


async def end_account(hospital: Hospital, staff_id: str) -> Headers:
    header = await hospital.token("staff", staff_id)
    path, admin = f"/v1/staff/{staff_id}", await hospital.administrator()
    assert (await hospital.client.patch(path, headers=admin, json={"active": False})).status_code == 200
    return header


@pytest.mark.parametrize("end", [expire, revoke, sign_out, end_account])
async def test_a_token_that_has_ended_opens_nothing(
    hospital: Hospital, end: Callable[[Hospital, str], Awaitable[Headers]]
) -> None:
    ids = (await furnished(hospital)).ids
    header = await end(hospital, await hospital.staff_id(ids["ward_id"], role="lead"))
    await refused_everywhere(hospital, header, ids, "not_authenticated")


async def test_a_system_that_has_ended_opens_nothing(hospital: Hospital) -> None:
    ids = (await furnished(hospital)).ids
    client_id = await hospital.client_id(ids["ward_id"])
    header = await hospital.token("client", client_id)
    path, admin = f"/v1/clients/{client_id}", await hospital.administrator()
    assert (await hospital.client.patch(path, headers=admin, json={"active": False})).status_code == 200
    await refused_everywhere(hospital, header, ids, "not_authenticated")


# Apps at home ----------------------------------------------------------------------------------------------


async def discharge(ward: Furnished) -> int:
    """End the stay that the ids name; its version then."""
    path = f"/v1/stays/{ward.ids['stay_id']}"
    stay = await ward.call("GET", path, None)
    outcomes = {each["id"]: "other" for each in stay["open_alerts"]}
    body = {"reason": "better", "version": stay["version"], "outcomes": outcomes}
    return int((await ward.call("POST", f"{path}/discharge", body))["version"])


async def end_pairings(ward: Furnished) -> None:
    for each in await ward.bedside().listed("pairings"):
        path = f"/v1/stays/{ward.ids['stay_id']}/pairings/{each['id']}"
        await ward.hospital.client.delete(path, headers=ward.team)


async def transfer(ward: Furnished) -> None:
    there = await ward.hospital.ward()
    both = await ward.hospital.clinician(ward.ids["ward_id"], there)
    body = {"ward_id": there, "version": 1}
    path = f"/v1/stays/{ward.ids['stay_id']}/transfer"
    assert (await ward.hospital.client.post(path, headers=both, json=body)).status_code == 200


@pytest.mark.parametrize("end", [discharge, end_pairings, transfer])
@pytest.mark.parametrize("who", ["patient", "carer"])
async def test_an_app_that_is_no_longer_paired_opens_nothing(
    hospital: Hospital, end: Callable[[Furnished], Awaitable[Any]], who: str
) -> None:
    ward = await furnished(hospital)
    app = (await ward.pair())[who]
    assert (await hospital.client.get("/v1/me/stay", headers=app)).status_code == 200
    await end(ward)
    await hospital.app.state.tokens.catch_up()  # what every replica does every two seconds
    await refused_everywhere(hospital, app, ward.ids, "pairing_ended")


async def test_an_app_whose_token_has_expired_opens_nothing(hospital: Hospital) -> None:
    ward = await furnished(hospital)
    apps = await ward.pair()
    with time_machine.travel(real_now() + timedelta(minutes=11), tick=True):
        for app in apps.values():
            await refused_everywhere(hospital, app, ward.ids, "not_authenticated")


@pytest.mark.parametrize("who", ["patient", "carer"])
async def test_people_at_home_may_what_the_table_says(hospital: Hospital, who: str) -> None:
    """Of their own stay and of another on their ward, of which the same person's app knows nothing."""
    ward = await furnished(hospital)
    app, own = (await ward.pair())[who], dict(ward.ids)
    other = Furnished(hospital, dict(ward.ids), ward.team, "Sentinel")
    await other.bed()
    for route in routes():
        may = cell(route, who)
        if may in ("any", "yes"):
            continue
        for ids in (other.ids, own):
            status, code, text = await called(hospital, route, app, ids)
            place = (route.path, status, text)
            assert "Sentinel" not in text, place
            if may == "–":
                assert status == 403 or (status == 404 and "ward_id" in named(route)), place
            elif ids is other.ids and named(route):
                assert (status, code) == (404, "not_found"), place
            else:
                assert status not in (401, 403, 404, 500), place


# Stays -----------------------------------------------------------------------------------------------------


async def test_what_is_left_to_do_about_a_stay_that_has_ended_is_in_the_table(hospital: Hospital) -> None:
    ward = await furnished(hospital)
    version = await discharge(ward)
    sent = reading(stay_id=ward.ids["stay_id"])
    auditor = await hospital.auditor(ward.ids["ward_id"])
    walked = set()
    for route in routes():
        left = after_the_end(route)
        if not left:
            continue
        seen = 1 if "{patient_id}" in route.path else version
        body = {
            "readings": {**sent, "client_reading_id": "later"},
            "batch": {"readings": [sent]},
            "assign": {"staff_id": ward.ids["staff_id"]},
            "transfer": {"ward_id": await hospital.ward()},
            "discharge": {"reason": "again"},
            "reopen": {"reason": "wrong"},
            "escalate": {"reason": "worse"},
        }.get(route.path.rpartition("/")[2], BODIES.get(route.path.rpartition("/")[2]))
        team = auditor if cell(route, "lead") == "–" else ward.team
        status, code, text = await called(hospital, route, {**team, "If-Match": f'"{seen}"'}, ward.ids, body)
        place = (call_of(route), status, text)
        walked.add(left)
        if route.path.endswith("/erasures/withdraw"):  # asked for again, so that this lead can approve it
            lead = await hospital.lead(ward.ids["ward_id"])
            await called(
                hospital,
                next(each for each in routes() if call_of(each) == ERASURES),
                lead,
                ward.ids,
                BODIES["erasures"],
            )
        if left == "409":
            assert (status, code) in ((409, "stay_discharged"), (409, "illegal_transition")), place
        elif left == "404":
            assert status == 404, place
        else:
            assert status in (200, 201, 204), place
            assert left != "409 for each" or '"status":409' in text, place
    assert walked == {"read", "yes", "404", "409", "409 for each", "from now on"}
