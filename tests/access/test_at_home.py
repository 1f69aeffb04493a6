"""Patients and carers: their own stay, and nothing else of anybody's, on any route."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.access.guards import Public, guard_of
from service.fields import new_id
from service.openapi import routes_of
from service.settings import Settings
from tests.access.at_home import BIRTH_DATE, Bedside, assert_unpaired, bearer, bedside, bring, reading, refresh
from tests.access.hospital import Headers, Hospital
from tests.conftest import started
from tests.support.time import SettableClock

THEIRS = {
    ("GET", "/v1/me"),
    ("GET", "/v1/me/stay"),
    ("POST", "/v1/me/sign-out-everywhere"),
    ("POST", "/v1/readings"),
    ("POST", "/v1/readings/batch"),
    ("POST", "/v1/readings/{reading_id}/answers"),
    ("GET", "/v1/stays/{stay_id}/readings"),
}
"""What people at home may call. Whoever adds to it has it read by somebody else."""

SENTINEL = "Sentinelle"


async def neighbour(bed: Bedside) -> dict[str, str]:
    """Another patient of the same ward, with an alert: the ids of everything about them."""
    client, ward_id = bed.hospital.client, bed.ward_id
    stay = await bed.hospital.stay(bed.team, ward_id, family_name=SENTINEL, birth_date=BIRTH_DATE)
    answer = await client.post(
        "/v1/readings", headers=bed.team, json=reading(stay_id=stay["id"], spo2=85, source="staff", entered_by=SENTINEL)
    )
    assert answer.status_code == 201, answer.text
    found = answer.json()
    ids = {"stay_id": stay["id"], "patient_id": stay["patient_id"], "ward_id": ward_id}
    return {**ids, "reading_id": found["reading_id"], "alert_id": found["alerts"][0]["alert_id"]}


def filled(path: str, ids: dict[str, str]) -> str:
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", ids.get(name, "") or new_id())
    return path


@pytest.mark.parametrize("body", [{}, {"carer": {"name": "Kim Example"}}], ids=["patient", "carer"])
@pytest.mark.hazard("H3")
async def test_no_route_opens_what_is_not_theirs(hospital: Hospital, app: FastAPI, body: dict[str, Any]) -> None:
    """Every route, with the ids of a neighbour on the same ward and with one's own: 403 or 404, but for these few."""
    bed = await bedside(hospital)
    mine = await bed.app(**body)
    sent = await hospital.client.post("/v1/readings", headers=mine, json=reading(spo2=85))
    other = await neighbour(bed)
    own = {
        "stay_id": bed.stay["id"],
        "patient_id": bed.stay["patient_id"],
        "ward_id": bed.ward_id,
        "reading_id": sent.json()["reading_id"],
        "alert_id": sent.json()["alerts"][0]["alert_id"],
    }
    asked = 0
    for route in routes_of(app):
        if isinstance(guard_of(route), Public) or not route.path_format.startswith("/v1"):
            continue
        for method in route.methods:
            for ids in (own, other):
                if (method, route.path_format) in THEIRS and (ids is own or "{" not in route.path_format):
                    continue
                path = filled(route.path_format, ids)
                answer = await hospital.client.request(method, path, headers=mine, json={"version": 1})
                assert answer.status_code in (403, 404), (method, path, answer.status_code)
                assert SENTINEL not in answer.text
                asked += 1
    assert asked >= 100


async def test_what_is_named_theirs_is_there(hospital: Hospital, app: FastAPI) -> None:
    routes = {(method, route.path_format) for route in routes_of(app) for method in route.methods}
    assert routes >= THEIRS


@pytest.mark.hazard("H3")
async def test_a_reading_for_somebody_else_is_refused_wherever_the_stay_is_named(hospital: Hospital) -> None:
    bed, elsewhere = await bedside(hospital), await bedside(hospital)
    other = await neighbour(bed)
    mine, client = await bed.app(), hospital.client
    for stay_id in (other["stay_id"], elsewhere.stay["id"], new_id()):
        answer = await client.post("/v1/readings", headers=mine, json=reading(stay_id=stay_id, spo2=70))
        assert answer.status_code == 404
        # Not valid either: still nothing is told of a stay that is not theirs, and nothing noted there.
        answer = await client.post("/v1/readings", headers=mine, json=reading(stay_id=stay_id, spo2=700))
        assert answer.status_code == 404
        rows = [reading(stay_id=stay_id, spo2=70), reading(spo2=96), reading(stay_id=stay_id, spo2=700)]
        batch = (await client.post("/v1/readings/batch", headers=mine, json={"readings": rows})).json()
        assert [row.get("problem", {}).get("status") for row in batch["results"]] == [404, None, 404]
    path = f"/v1/stays/{other['stay_id']}"
    assert (await client.get(f"{path}/readings", headers=mine)).status_code == 404
    answer = await client.post(f"/v1/readings/{other['reading_id']}/answers", headers=mine, json={"breathlessness": 0})
    assert answer.status_code == 404
    theirs = (await client.get(f"{path}/readings", headers=bed.team)).json()["items"]
    assert [row["spo2"] for row in theirs] == [85]


async def test_readings_need_no_stay_and_are_kept_once_after_a_new_pairing(hospital: Hospital) -> None:
    """A phone that was paired again sends what it is not sure of again: the patient is the sender, not the phone."""
    bed = await bedside(hospital)
    sent = reading(client_reading_id="first")
    first = await hospital.client.post("/v1/readings", headers=await bed.app(), json=sent)
    second = await hospital.client.post("/v1/readings", headers=await bed.app(), json=sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["reading_id"] == second.json()["reading_id"]


async def test_readings_of_ones_own_can_be_read_and_answered(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    mine, client = await bed.app(), hospital.client
    kept = (await client.post("/v1/readings", headers=mine, json=reading(spo2=92))).json()
    path = f"/v1/readings/{kept['reading_id']}"
    assert (await client.post(f"{path}/answers", headers=mine, json={"breathlessness": 1})).status_code == 201
    page = await client.get(f"{bed.path}/readings", headers=mine)
    assert [(row["spo2"], row["source"]) for row in page.json()["items"]] == [(None, "app"), (92, "app")]


@pytest.mark.parametrize("source", ["staff", "phone", "sms"])
async def test_an_app_cannot_speak_as_the_team(hospital: Hospital, source: str) -> None:
    bed = await bedside(hospital)
    answer = await hospital.client.post("/v1/readings", headers=await bed.app(), json=reading(source=source))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "source_not_allowed")
    assert "safety_text" in answer.json()


async def test_a_patients_app_names_nobody_else_as_the_one_who_entered_it(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    mine, client = await bed.app(), hospital.client
    fake = reading(spo2=92, entered_by="Dr Example")
    answer = await client.post("/v1/readings", headers=mine, json=fake)
    errors = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.status_code, errors) == (422, [("/entered_by", "not_allowed_here")])
    assert "safety_text" in answer.json()
    rows = [reading(spo2=96), fake, reading(spo2=95, entered_by=None)]
    batch = (await client.post("/v1/readings/batch", headers=mine, json={"readings": rows})).json()
    assert [row["status"] for row in batch["results"]] == ["created", "rejected", "created"]
    assert batch["results"][1]["problem"]["errors"][0]["pointer"] == "/readings/1/entered_by"
    kept = (await client.get(f"{bed.path}/readings", headers=bed.team)).json()["items"]
    assert sorted((row["spo2"], row["entered_by"]) for row in kept) == [(95, None), (96, None)]


async def test_the_team_and_systems_say_who_entered_a_reading(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    for header in (bed.team, await hospital.system(bed.ward_id)):
        sent = reading(spo2=97, entered_by="Dr Example", stay_id=bed.stay["id"])
        answer = await hospital.client.post("/v1/readings", headers=header, json=sent)
        assert answer.status_code == 201, answer.text
    rows = (await hospital.client.get(f"{bed.path}/readings", headers=bed.team)).json()["items"]
    assert [row["entered_by"] for row in rows] == ["Dr Example"] * 2


async def test_a_refused_reading_without_a_stay_is_noted_at_its_sender(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    mine = await bed.app()
    for _ in range(2):
        answer = await hospital.client.post("/v1/readings", headers=mine, json=reading(spo2=101))
        assert answer.status_code == 422
    alerts = (await hospital.client.get("/v1/alerts", headers=bed.team, params={"ward_id": bed.ward_id})).json()
    assert [alert["title"] for alert in alerts["items"]] == ["refused"]


async def test_what_a_carer_sends_says_who_entered_it(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    carer = await bed.app(carer={"name": "Kim Example", "relationship": "daughter"})
    client = hospital.client
    me = (await client.get("/v1/me", headers=carer)).json()["principal"]
    assert (me["kind"], me["name"]) == ("carer", "Kim Example")
    assert me["id"] == (await bed.listed("carers"))[0]["id"]
    kept = await client.post("/v1/readings", headers=carer, json=reading(spo2=92, entered_by="The nurse"))
    await client.post(f"/v1/readings/{kept.json()['reading_id']}/answers", headers=carer, json={"breathlessness": 1})
    rows = (await client.get(f"{bed.path}/readings", headers=bed.team)).json()["items"]
    assert [row["entered_by"] for row in rows] == ["Kim Example", "Kim Example"]


# How it ends -----------------------------------------------------------------------------------------------


async def is_over(client: httpx.AsyncClient, tokens: dict[str, Any]) -> bool:
    """Whether an app's access token and its refresh token are refused."""
    answer = await client.post("/v1/readings", headers=bearer(tokens), json=reading())
    if answer.status_code in (200, 201):
        return False
    assert (answer.status_code, answer.json()["code"]) == (401, "pairing_ended"), answer.text
    assert "new code" in answer.json()["detail"]
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert_unpaired(await refresh(client, tokens))
    return True


async def test_the_team_ends_one_app_and_the_other_goes_on(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    phone, tablet = await bed.tokens(), await bed.tokens()
    client = hospital.client
    assert (await client.post("/v1/readings", headers=bearer(phone), json=reading())).status_code == 201
    newest, oldest = await bed.listed("pairings")
    path = f"{bed.path}/pairings/{oldest['id']}"
    assert (await client.delete(path, headers=bed.team)).status_code == 204
    assert (await client.delete(path, headers=bed.team)).status_code == 404
    assert await is_over(client, phone)
    assert not await is_over(client, tablet)
    shown = {each["id"]: each["end_reason"] for each in await bed.listed("pairings")}
    assert shown == {oldest["id"]: "ended_by_team", newest["id"]: None}


async def test_an_ended_app_is_refused_by_another_replica_too(
    hospital: Hospital, settings: Settings, clock: SettableClock
) -> None:
    bed = await bedside(hospital)
    phone = await bed.tokens()
    async with started(settings, clock) as second:
        transport = httpx.ASGITransport(second)
        async with httpx.AsyncClient(transport=transport, base_url="https://other.test") as other:
            assert not await is_over(other, phone)
            await hospital.client.delete(
                f"{bed.path}/pairings/{(await bed.listed('pairings'))[0]['id']}", headers=bed.team
            )
            await second.state.tokens.catch_up()  # what it does every two seconds
            assert await is_over(other, phone)


async def test_a_discharge_ends_every_app_and_carer(hospital: Hospital, app: FastAPI) -> None:
    bed = await bedside(hospital)
    apps = [await bed.tokens(), await bed.tokens(carer={"name": "Kim Example"})]
    assert [await is_over(hospital.client, each) for each in apps] == [False, False]
    await bed.discharge()
    await app.state.tokens.catch_up()
    assert [await is_over(hospital.client, each) for each in apps] == [True, True]
    assert {each["end_reason"] for each in await bed.listed("pairings")} == {"discharged"}


async def test_a_transfer_binds_an_app_to_nothing_new(hospital: Hospital, app: FastAPI) -> None:
    bed, there = await bedside(hospital), await hospital.ward()
    phone = await bed.tokens()
    both = await hospital.clinician(bed.ward_id, there)
    body = {"ward_id": there, "version": 1}
    answer = await hospital.client.post(f"{bed.path}/transfer", headers=both, json=body)
    assert answer.status_code in (200, 201), answer.text
    await app.state.tokens.catch_up()
    assert await is_over(hospital.client, phone)
    new = (await hospital.client.get(f"/v1/wards/{there}/stays", headers=both)).json()["items"][0]
    code = await hospital.client.post(f"/v1/stays/{new['id']}/pairing-codes", headers=both, json={})
    again = await bring(hospital.client, code.json()["code"])
    sent = await hospital.client.post("/v1/readings", headers=bearer(again.json()), json=reading())
    assert sent.json()["stay_id"] == new["id"]


async def test_a_carer_who_is_removed_is_out_and_the_patient_stays(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    patient, carer = await bed.tokens(), await bed.tokens(carer={"name": "Kim Example"})
    carer_id = (await bed.listed("carers"))[0]["id"]
    tablet = await bed.tokens(carer_id=carer_id)
    open_code = (await bed.new_code(carer_id=carer_id))["code"]
    client = hospital.client
    assert not await is_over(client, carer)
    path = f"{bed.path}/carers/{carer_id}"
    assert (await client.delete(path, headers=bed.team)).status_code == 204
    assert (await client.delete(path, headers=bed.team)).status_code == 404
    assert [await is_over(client, each) for each in (carer, tablet, patient)] == [True, True, False]
    assert (await bring(client, open_code)).status_code == 400
    assert await bed.listed("carers") == []
    answer = await client.post(f"{bed.path}/pairing-codes", headers=bed.team, json={"carer_id": carer_id})
    assert answer.status_code == 422


async def test_a_carer_of_somebody_else_cannot_be_removed_from_here(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    neighbours = await bedside(hospital, bed.ward_id)
    carer = await neighbours.tokens(carer={"name": "Kim Example"})
    carer_id = (await neighbours.listed("carers"))[0]["id"]
    pairing_id = (await neighbours.listed("pairings"))[0]["id"]
    for path in (f"{bed.path}/carers/{carer_id}", f"{bed.path}/pairings/{pairing_id}"):
        assert (await hospital.client.delete(path, headers=bed.team)).status_code == 404
    assert not await is_over(hospital.client, carer)


async def test_a_token_for_one_scope_cannot_do_the_other(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    form = {"grant_type": "urn:wardwatch:pairing", "birth_date": BIRTH_DATE, "scope": "readings:read"}
    answer = await hospital.client.post("/oauth/token", data={**form, "code": (await bed.new_code())["code"]})
    header: Headers = bearer(answer.json())
    assert (await hospital.client.get(f"{bed.path}/readings", headers=header)).status_code == 200
    assert (await hospital.client.post("/v1/readings", headers=header, json=reading())).status_code == 403


async def test_a_scope_that_people_at_home_never_have_is_refused_and_the_code_is_not_used_up(
    hospital: Hospital,
) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    form = {"grant_type": "urn:wardwatch:pairing", "birth_date": BIRTH_DATE, "code": code, "scope": "alerts:read"}
    answer = await hospital.client.post("/oauth/token", data=form)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_scope")
    assert (await bring(hospital.client, code)).status_code == 200
