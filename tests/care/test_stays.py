"""A stay from admission to discharge, over HTTP."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from service.storage.session import reading
from service.storage.tables import AlertResponseRow, AlertRow, AuditRow, EventRow, PlanRow
from tests.access.hospital import Headers, Hospital
from tests.support.time import SettableClock


@pytest.fixture
async def ward_id(hospital: Hospital) -> str:
    return await hospital.ward()


@pytest.fixture
async def nurse(hospital: Hospital, ward_id: str) -> Headers:
    return await hospital.clinician(ward_id)


async def events(hospital: Hospital) -> list[EventRow]:
    async with reading(hospital.app.state.database) as session:
        return list((await session.scalars(select(EventRow).order_by(EventRow.number))).all())


async def act(hospital: Hospital, header: Headers, stay: dict[str, Any], verb: str, **body: Any) -> Any:
    body = {"version": stay["version"], **body}
    return await hospital.client.post(f"/v1/stays/{stay['id']}/{verb}", headers=header, json=body)


async def red_reading(hospital: Hospital, header: Headers, stay: dict[str, Any], spo2: int = 88) -> None:
    sent = {"stay_id": stay["id"], "observed_at": "2026-11-22T08:00:00Z", "spo2": spo2, "breathlessness": 1}
    answer = await hospital.client.post("/v1/readings", headers=header, json=sent)
    assert answer.status_code == 201, answer.text


async def test_a_patient_is_admitted_under_the_standard_plan(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    patient = await hospital.patient(nurse, ward_id)
    path = f"/v1/wards/{ward_id}/stays"
    answer = await hospital.client.post(path, headers=nurse, json={"patient_id": patient["id"]})
    assert answer.status_code == 201
    stay = answer.json()
    assert (stay["status"], stay["version"], stay["admitted_at"]) == ("active", 1, "2026-11-22T08:00:00Z")
    assert (stay["plan"]["profile"], stay["plan"]["version"]) == ("standard", 1)
    assert stay["plan"]["reading_times"] == ["09:00", "13:00", "19:00"]
    assert stay["limits"] == {"red_at": 92, "amber_at": 94, "target_low": 94}
    assert stay["warnings"] == []
    assert answer.headers["etag"] == '"1"'
    shown = (await hospital.client.get(answer.headers["location"], headers=nurse)).json()
    assert shown == {**stay, "last_reading": None, "open_alerts": []}
    assert [(each.type, each.subject_id) for each in await events(hospital)] == [("stay.admitted", stay["id"])]


async def test_a_patient_has_one_stay_at_a_time(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    patient = await hospital.patient(nurse, ward_id)
    path = f"/v1/wards/{ward_id}/stays"
    body = {"patient_id": patient["id"]}
    answers = await asyncio.gather(*(hospital.client.post(path, headers=nurse, json=body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    admitted = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    assert {answer.json()["stay_id"] for answer in answers if answer.status_code == 409} == {admitted}


async def test_a_patient_of_another_ward_is_not_there_to_be_admitted(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    other = await hospital.ward()
    both = await hospital.clinician(ward_id, other)
    patient = await hospital.patient(both, other)
    answer = await hospital.client.post(f"/v1/wards/{ward_id}/stays", headers=both, json={"patient_id": patient["id"]})
    assert answer.status_code == 404


async def test_home_oxygen_without_personal_limits_is_admitted_with_a_warning(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id, plan={"prescribed_oxygen_flow": 2})
    assert [warning["code"] for warning in stay["warnings"]] == ["home_oxygen_without_profile"]


@pytest.mark.parametrize(
    ("plan", "pointers"),
    [
        ({"profile": "custom"}, ["/plan/red_at", "/plan/amber_at", "/plan/reason", "/plan/review_on"]),
        ({"red_at": 90}, ["/plan/red_at"]),
        ({"profile": "hypercapnic", "baseline_spo2": 95}, ["/plan/reason"]),
        ({"baseline_spo2": 69}, ["/plan/baseline_spo2"]),
        ({"baseline_spo2": 95.5}, ["/plan/baseline_spo2"]),
        ({"baseline_spo2": "95"}, ["/plan/baseline_spo2"]),
        ({"usual_breathlessness": 1.3}, ["/plan/usual_breathlessness"]),
        ({"reading_times": ["25:00"]}, ["/plan/reading_times"]),
        ({"treatment_escalation": "limited"}, ["/plan/patient_text"]),
        ({"colour": "blue"}, ["/plan/colour"]),
    ],
    ids=str,
)
async def test_a_plan_that_contradicts_itself_is_refused_where_it_does(
    hospital: Hospital, ward_id: str, nurse: Headers, plan: dict[str, Any], pointers: list[str]
) -> None:
    patient = await hospital.patient(nurse, ward_id)
    body = {"patient_id": patient["id"], "plan": plan}
    answer = await hospital.client.post(f"/v1/wards/{ward_id}/stays", headers=nurse, json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert await events(hospital) == []


async def test_a_stay_shows_its_last_reading_and_what_is_open(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    stay = await hospital.stay(nurse, ward_id)
    await red_reading(hospital, nurse, stay)
    shown = (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=nurse)).json()
    assert shown["last_reading"]["spo2"] == 88
    assert [(alert["family"], alert["severity"]) for alert in shown["open_alerts"]] == [("oxygen", "critical")]
    listed = (await hospital.client.get(f"/v1/wards/{ward_id}/stays", headers=nurse)).json()
    assert listed["items"] == [shown]
    (alert,) = shown["open_alerts"]
    for verb, body in (("acknowledge", {"version": 1}), ("contact", {"method": "phone", "result": "reached"})):
        path = f"/v1/alerts/{alert['id']}/{verb}"
        assert (await hospital.client.post(path, headers=nurse, json=body)).status_code == 200
    shown = (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=nurse)).json()
    assert [(each["state"], each["respond_by"]) for each in shown["open_alerts"]] == [("acknowledged", None)]
    narrow = await hospital.system(ward_id, scopes=("patients:read",))
    hidden = (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=narrow)).json()
    assert (hidden["last_reading"], hidden["open_alerts"]) == (None, None)


async def test_the_stays_of_a_ward_come_in_pages_and_by_status(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    made = [await hospital.stay(nurse, ward_id) for _ in range(3)]
    await act(hospital, nurse, made[1], "discharge", reason="home")
    path = f"/v1/wards/{ward_id}/stays"
    first = (await hospital.client.get(path, headers=nurse, params={"limit": 2})).json()
    rest = await hospital.client.get(path, headers=nurse, params={"cursor": first["next_cursor"]})
    found = [stay["id"] for stay in first["items"] + rest.json()["items"]]
    assert found == [stay["id"] for stay in made]
    active = (await hospital.client.get(path, headers=nurse, params={"status": "active"})).json()
    assert [stay["id"] for stay in active["items"]] == [made[0]["id"], made[2]["id"]]


async def test_a_pause_lasts_at_most_72_hours_and_ends_by_hand(
    hospital: Hospital, ward_id: str, nurse: Headers, clock: SettableClock
) -> None:
    stay = await hospital.stay(nurse, ward_id)
    for until in ("2026-11-25T08:00:01Z", "2026-11-22T08:00:00Z"):
        answer = await act(hospital, nurse, stay, "pause", until=until, reason="in hospital")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/until"]
    paused = await act(hospital, nurse, stay, "pause", until="2026-11-25T08:00:00Z", reason="in hospital")
    assert (paused.json()["status"], paused.json()["version"]) == ("paused", 2)
    stale = await act(hospital, nurse, stay, "resume")
    assert stale.status_code == 412
    detail = (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=nurse)).json()
    current = stale.json()["current"]
    assert current == {name: detail[name] for name in current}
    resumed = await act(hospital, nurse, paused.json(), "resume")
    assert (resumed.json()["status"], resumed.json()["paused_until"]) == ("active", None)
    assert (await act(hospital, nurse, resumed.json(), "resume")).status_code == 409
    types = [each.type for each in await events(hospital)]
    assert types == ["stay.admitted", "stay.paused", "stay.resumed"]


async def test_a_discharge_needs_an_outcome_for_what_is_open(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    stay = await hospital.stay(nurse, ward_id)
    await red_reading(hospital, nurse, stay)
    shown = (await hospital.client.get(f"/v1/stays/{stay['id']}", headers=nurse)).json()
    alert_id = shown["open_alerts"][0]["id"]
    without = await act(hospital, nurse, stay, "discharge", reason="home")
    assert without.status_code == 422
    assert [error["pointer"] for error in without.json()["errors"]] == [f"/outcomes/{alert_id}"]
    wrong = await act(hospital, nurse, stay, "discharge", reason="home", outcomes={alert_id: "vanished"})
    assert wrong.status_code == 422
    outcomes = {alert_id: "admitted_to_hospital"}
    done = await act(hospital, nurse, stay, "discharge", reason="home", outcomes=outcomes)
    assert (done.status_code, done.json()["status"]) == (200, "discharged")
    async with reading(hospital.app.state.database) as session:
        assert (await session.scalars(select(AlertRow.state))).all() == ["resolved"]
        assert (await session.scalars(select(AlertResponseRow.outcome))).all() == ["admitted_to_hospital"]
        trail = (await session.scalars(select(AuditRow.action).where(AuditRow.subject_id == stay["id"]))).all()
    assert "stay.discharged" in trail
    assert [each.type for each in await events(hospital)][-2:] == ["alert.resolved", "stay.discharged"]
    assert [each.number for each in await events(hospital)] == list(range(1, len(await events(hospital)) + 1))


async def test_after_discharge_nothing_changes_and_the_patient_can_come_back(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id)
    gone = (await act(hospital, nurse, stay, "discharge", reason="home")).json()
    for verb, body in (
        ("pause", {"until": "2026-11-23T08:00:00Z", "reason": "x"}),
        ("resume", {}),
        ("discharge", {"reason": "again"}),
    ):
        answer = await act(hospital, nurse, gone, verb, **body)
        assert (answer.status_code, answer.json()["code"]) == (409, "stay_discharged")
    body = {"patient_id": stay["patient_id"], "previous_stay_id": stay["id"]}
    back = await hospital.client.post(f"/v1/wards/{ward_id}/stays", headers=nurse, json=body)
    assert back.status_code == 201
    assert back.json()["previous_stay_id"] == stay["id"]


async def test_no_version_is_428(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    stay = await hospital.stay(nurse, ward_id)
    answer = await hospital.client.post(f"/v1/stays/{stay['id']}/discharge", headers=nurse, json={"reason": "home"})
    assert answer.status_code == 428


async def test_the_feed_and_the_trail_hold_no_identity(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    person = {"family_name": "Zebedee", "identifiers": [{"system": "nhs_number", "value": "9990000018"}]}
    stay = await hospital.stay(nurse, ward_id, plan={"patient_text": "Zebedee's text"}, **person)
    await act(hospital, nurse, stay, "pause", until="2026-11-23T08:00:00Z", reason="Zebedee is away")
    async with reading(hospital.app.state.database) as session:
        trail = (await session.scalars(select(AuditRow.detail))).all()
        plans = (await session.scalars(select(PlanRow.patient_text))).all()
    assert plans == ["Zebedee's text"]
    for each in [*(event.data for event in await events(hospital)), *trail]:
        assert "Zebedee" not in str(each)
        assert "9990000018" not in str(each)
