"""Whoever looks at a patient is in the trail: every GET of the document is called, and what shows somebody is found."""

from typing import Any

import pytest
from sqlalchemy import select

from service.access.sealing import AUDIT
from service.access.trail import Trail
from service.fields import new_id
from service.storage.engine import Database
from tests.access.at_home import Bedside, bedside, reading
from tests.access.hospital import Headers, Hospital
from tests.access.table import cell, routes

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NAME, NUMBER = "Sentinel-7319", "9990000018"

SHOWS_NOBODY = {
    "/.well-known/jwks.json": "public keys",
    "/.well-known/oauth-authorization-server": "where one signs in",
    "/oauth/authorize": "a page on which staff sign in",
    "/livez": "whether the process runs",
    "/readyz": "whether the service can be used",
    "/v1/audit": "ids only; looking at it is an entry of its own all the same",
    "/v1/clients": "accounts of systems",
    "/v1/clients/{client_id}": "an account of a system",
    "/v1/me": "the caller",
    "/v1/staff": "accounts of people who work here",
    "/v1/staff/{staff_id}": "an account of somebody who works here",
    "/v1/wards": "wards",
    "/v1/wards/{ward_id}": "a ward",
    "/v1/wards/{ward_id}/coverage": "who is on duty",
    "/v1/wards/{ward_id}/coverage/now": "who is on duty",
    "/v1/wards/{ward_id}/escalation-policy": "whom an alert goes to",
    "/v1/wards/{ward_id}/rule-set": "limits",
    "/v1/wards/{ward_id}/rule-set/shadow": "counts of a ward",
    "/v1/wards/{ward_id}/rule-sets": "limits",
    "/v1/wards/{ward_id}/staff": "who works here",
}
"""The GET routes whose answers show no patient, and what they show instead. All others leave an entry with each call:
but those of the queue and of the ward's lists, one for each session and hour."""


async def scene(hospital: Hospital) -> tuple[Bedside, dict[str, str]]:
    """A stay with a reading that raised an alert, a carer and an app: the ids by their names in paths."""
    bed = await bedside(hospital)
    version = (await hospital.client.get(f"/v1/patients/{bed.stay['patient_id']}", headers=bed.team)).json()["version"]
    identity = {"family_name": NAME, "identifiers": [{"system": "nhs_number", "value": NUMBER}], "version": version}
    path = f"/v1/patients/{bed.stay['patient_id']}"
    assert (await hospital.client.patch(path, headers=bed.team, json=identity)).status_code == 200
    sent = await hospital.client.post("/v1/readings", headers=await bed.app(), json=reading(spo2=85))
    kept = sent.json()
    ids = {"ward_id": bed.ward_id, "stay_id": bed.stay["id"], "patient_id": bed.stay["patient_id"]}
    return bed, {**ids, "alert_id": kept["alerts"][0]["alert_id"], "reading_id": kept["reading_id"]}


async def looked(hospital: Hospital, header: Headers, path: str) -> tuple[str, str]:
    """The answer's text, and the id by which the request is found again."""
    request_id = new_id()
    answer = await hospital.client.get(path, headers={**header, "X-Request-ID": request_id})
    assert answer.status_code in (200, 400, 404), (path, answer.text)
    return answer.text, request_id


async def entries(hospital: Hospital, database: Database, **where: Any) -> list[Any]:
    await hospital.app.state.trail.write(hospital.app.state.database)
    query = select(AUDIT).where(*(AUDIT.c[name] == value for name, value in where.items())).order_by(AUDIT.c.id)
    async with database.reads.connect() as connection:
        return list(await connection.execute(query))


@ONE_DATABASE
async def test_every_get_that_shows_a_patient_is_in_the_trail(hospital: Hospital, database: Database) -> None:
    bed, ids = await scene(hospital)
    callers = {role: await hospital.token("staff", await hospital.staff_id(bed.ward_id, role=role))
               for role in ("auditor", "lead")}  # fmt: skip
    callers |= {"administrator": await hospital.administrator(), "patient": await bed.app()}
    seen, audited = set(), 0
    for route in routes():
        if "GET" not in route.methods:
            continue
        role = next(role for role in callers if cell(route, role) != "–")
        text, request_id = await looked(hospital, callers[role], route.path.format(**{"staff_id": new_id(),
                                        "client_id": new_id(), **ids}))  # fmt: skip
        found = await entries(hospital, database, request_id=request_id, outcome="done")
        seen.add(route.path)
        if route.path in SHOWS_NOBODY:
            shown = [each for each in (NAME, NUMBER, ids["stay_id"], ids["patient_id"]) if each in text]
            assert not shown or route.path == "/v1/audit", route.path
        else:
            assert found, f"{route.path} leaves no entry; one that shows nobody belongs on the list, with its reason"
            assert {row.ward_id for row in found} == {bed.ward_id}, route.path
            audited += 1
    assert set(SHOWS_NOBODY) <= seen
    assert audited >= 16


async def test_what_was_read_of_a_patient_is_named(hospital: Hospital, database: Database) -> None:
    bed, ids = await scene(hospital)
    for path in ("/readings", "/trend"):
        await looked(hospital, bed.team, bed.path + path)
    await looked(hospital, bed.team, f"/v1/readings/{ids['reading_id']}/evaluation")
    await looked(hospital, bed.team, f"/v1/alerts/{ids['alert_id']}/events")
    found = {(row.action, row.subject_id) for row in await entries(hospital, database, ward_id=bed.ward_id)}
    assert found >= {
        ("readings.read", ids["stay_id"]),
        ("trend.read", ids["stay_id"]),
        ("evaluation.read", ids["stay_id"]),
        ("story.read", ids["alert_id"]),
    }
    (evaluation,) = await entries(hospital, database, action="evaluation.read")
    assert evaluation.detail == {"reading_id": ids["reading_id"]}


async def test_the_team_leaves_an_entry_each_time_and_an_app_at_home_one_an_hour(
    hospital: Hospital, database: Database
) -> None:
    now = 1000.0
    hospital.app.state.trail = Trail(lambda: now)
    bed, _ = await scene(hospital)
    phone = await bed.app()
    for _ in range(3):
        await looked(hospital, bed.team, f"{bed.path}/readings")
        await looked(hospital, phone, f"{bed.path}/readings")
        await looked(hospital, phone, "/v1/me/stay")
    assert len(await entries(hospital, database, action="readings.read", actor_kind="staff")) == 3
    assert len(await entries(hospital, database, action="readings.read", actor_kind="patient")) == 1
    now += 3600
    await looked(hospital, phone, "/v1/me/stay")
    found = await entries(hospital, database, action="my_stay.read")
    assert [(row.subject_id, row.detail) for row in found] == [
        (bed.stay["id"], {"before": 0}), (bed.stay["id"], {"before": 2})
    ]  # fmt: skip


async def test_what_somebody_may_not_see_is_a_refusal_and_no_read(hospital: Hospital, database: Database) -> None:
    _, ids = await scene(hospital)
    stranger = await hospital.clinician(await hospital.ward())
    for path in (f"/v1/stays/{ids['stay_id']}/trend", f"/v1/alerts/{ids['alert_id']}/events",
                 f"/v1/readings/{ids['reading_id']}/evaluation"):  # fmt: skip
        _, request_id = await looked(hospital, stranger, path)
        found = await entries(hospital, database, request_id=request_id)
        assert [row.action for row in found] == ["refused"]
