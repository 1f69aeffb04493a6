"""What the sender of a reading is told."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from service.readings.record_schemas import ReadingPage
from service.readings.schemas import BatchOut, ReadingOut
from tests.support.time import START, SettableClock
from tests.support.wards import Partner

FULL: dict[str, Any] = {
    "client_reading_id": "app-7f3a-000123",
    "client_sent_at": "2026-11-22T08:00:03+00:00",
    "spo2": 93.4,
    "pulse_rate": 96,
    "respiratory_rate": 20,
    "systolic_bp": 124,
    "diastolic_bp": 78,
    "temperature": 37.25,
    "consciousness": "alert",
    "oxygen_flow": 0.5,
    "context": "rest",
    "breathlessness": 1.5,
    "feeling": "same",
    "symptoms": ["rash", "chest_pain"],
    "perfusion_index": 2.1,
    "signal_quality": "good",
    "device": {"id": "SN123", "model": "PO-1"},
    "source": "device",
    "entered_by": "Her daughter",
}


async def test_a_reading_is_answered_with_all_that_was_made_of_it(partner: Partner, stay_id: str) -> None:
    said = await partner.kept(stay_id, spo2=93, breathlessness=1, respiratory_rate=20, oxygen_flow=0)
    assert said["stay_id"] == stay_id
    assert said["observed_at"] == said["received_at"] == "2026-11-22T08:00:00Z"
    assert (said["late"], said["time_corrected"], said["quality"]) == (False, False, "unknown")
    assert said["judged_spo2"] == 93
    assert said["news2"]["scores"] == {"respiratory_rate": 0, "spo2": 2, "oxygen": 0}
    assert (said["news2"]["total"], said["news2"]["minimum_total"], said["news2"]["complete"]) == (
        None,
        2,
        False,
    )
    assert "temperature" in said["news2"]["missing"]
    assessment = said["assessment"]
    assert (assessment["severity"], assessment["advice_code"]) == ("high", "recheck_within_1_hour")
    assert [finding["rule_id"] for finding in assessment["findings"]] == ["R2", "R3"]
    assert all(finding["explanation"] for finding in assessment["findings"])
    ((alert,),) = (said["alerts"],)
    assert (alert["family"], alert["change"], alert["severity"]) == ("oxygen", "opened", "high")
    assert [row["id"] for row in await partner.alerts(stay_id)] == [alert["alert_id"]]


async def test_without_anybody_known_on_duty_nobody_is_said_to_watch(partner: Partner, stay_id: str) -> None:
    assessment = (await partner.kept(stay_id, spo2=90))["assessment"]
    assert assessment["watched_now"] is False
    assert "your team has been" not in assessment["advice"].lower()
    assert "999" in assessment["advice"]


@pytest.mark.parametrize("fields", [FULL, {"spo2": 97}, {"feeling": "worse"}, {"symptoms": []}, {"pulse_rate": 80}])
async def test_the_answer_is_what_the_contract_says(partner: Partner, stay_id: str, fields: dict[str, Any]) -> None:
    answers = [await partner.kept(stay_id, **{**fields, "client_reading_id": "one"})]
    answers.append((await partner.send(stay_id, **{**fields, "client_reading_id": "one"})).json())
    document = (await partner.http.get("/openapi.json")).json()
    answer_of = document["paths"]["/v1/readings"]["post"]["responses"]
    for status, answer in zip(("201", "200"), answers, strict=True):
        ReadingOut.model_validate(answer)
        assert_matches(document, answer_of[status]["content"]["application/json"]["schema"], answer)


async def test_the_history_and_the_batch_are_what_the_contract_says(partner: Partner, stay_id: str) -> None:
    rows = [{"stay_id": stay_id, "observed_at": "2026-11-22T07:00:00Z", **FULL}, {"stay_id": stay_id}]
    batch = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    page = await partner.get(f"/v1/stays/{stay_id}/readings")
    BatchOut.model_validate(batch)
    ReadingPage.model_validate(page)
    paths = (document := (await partner.http.get("/openapi.json")).json())["paths"]
    for call, answer in (
        (paths["/v1/readings/batch"]["post"], batch),
        (paths["/v1/stays/{stay_id}/readings"]["get"], page),
    ):
        assert_matches(document, call["responses"]["200"]["content"]["application/json"]["schema"], answer)


def assert_matches(document: dict[str, Any], schema: dict[str, Any], answer: Any) -> None:
    whole = {**schema, "components": document["components"]}
    assert [error.message for error in Draft202012Validator(whole).iter_errors(answer)] == []
    assert set(answer) == set(properties(document, schema)), "a field is missing, or undocumented"


def properties(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]


async def test_every_field_that_is_taken_can_be_read_back(partner: Partner, stay_id: str) -> None:
    said = await partner.kept(stay_id, observed_at="2026-11-22T09:30:00+05:30", **FULL)
    (row,) = await partner.history(stay_id)
    changed = {
        "symptoms": ["chest_pain", "rash"],
        "client_sent_at": "2026-11-22T08:00:03Z",
    }
    assert {name: row[name] for name in FULL} == {**FULL, **changed}
    assert row["observed_at"] == "2026-11-22T04:00:00Z"
    assert row["observed_offset"] == 330
    assert row["reading_id"] == said["reading_id"]
    assert row["received_at"] == "2026-11-22T08:00:00Z"
    assert (row["quality"], row["late"], row["severity"]) == ("good", True, said["assessment"]["severity"])
    assert row["entered_in_error"] is False


async def test_no_value_is_made_up_for_what_was_not_sent(partner: Partner, stay_id: str) -> None:
    await partner.kept(stay_id, pulse_rate=80, client_reading_id=None)
    (row,) = await partner.history(stay_id)
    given = {name: row[name] for name in FULL if row[name] is not None}
    assert given == {"pulse_rate": 80, "context": "rest", "source": "app"}
    assert row["quality"] == "unknown"


async def test_asked_and_none_is_not_the_same_as_not_asked(partner: Partner, stay_id: str) -> None:
    await partner.kept(stay_id, spo2=97, observed_at=START - timedelta(minutes=2), symptoms=[])
    await partner.kept(stay_id, spo2=97, observed_at=START - timedelta(minutes=1))
    not_asked, none = await partner.history(stay_id)
    assert (not_asked["symptoms"], none["symptoms"]) == (None, [])


@pytest.mark.parametrize(
    ("sent", "judged", "severity"), [(94.6, 95, None), (92.5, 92, "critical"), (92.4, 92, "critical")]
)
async def test_a_fraction_is_judged_by_the_rule_and_kept_as_it_was(
    partner: Partner, stay_id: str, sent: float, judged: int, severity: str | None
) -> None:
    said = await partner.kept(stay_id, spo2=sent, breathlessness=1)
    assert (said["judged_spo2"], said["assessment"]["severity"]) == (judged, severity)
    assert (await partner.history(stay_id))[0]["spo2"] == sent


async def test_a_late_red_reading_is_judged_live_when_nothing_newer_is_known(partner: Partner, stay_id: str) -> None:
    said = await partner.kept(stay_id, spo2=88, breathlessness=1, observed_at=START - timedelta(hours=3))
    assert said["late"] is True
    assert said["assessment"]["severity"] == "critical"
    assert said["assessment"]["recheck_by"] == "2026-11-22T08:15:00Z"
    (alert,) = await partner.alerts(stay_id)
    assert (alert["retrospective"], alert["first_breach_at"]) == (False, "2026-11-22T05:00:00Z")


async def test_a_time_far_ahead_is_kept_corrected_and_said(partner: Partner, stay_id: str) -> None:
    said = await partner.kept(stay_id, spo2=88, breathlessness=1, observed_at=START + timedelta(hours=3))
    assert said["time_corrected"] is True
    assert said["observed_at"] == "2026-11-22T08:00:00Z"
    (row,) = await partner.history(stay_id)
    assert (row["observed_at"], row["claimed_at"]) == ("2026-11-22T08:00:00Z", "2026-11-22T11:00:00Z")
    assert {alert["title"] for alert in await partner.alerts(stay_id)} == {"clock", "silent_hypoxia"}


async def test_five_minutes_ahead_is_taken_as_it_is(partner: Partner, stay_id: str) -> None:
    said = await partner.kept(stay_id, spo2=97, observed_at=START + timedelta(minutes=5))
    assert (said["time_corrected"], said["observed_at"]) == (False, "2026-11-22T08:05:00Z")
    assert await partner.alerts(stay_id) == []


async def test_a_poor_signal_opens_an_alert_and_is_never_told_to_carry_on(partner: Partner, stay_id: str) -> None:
    said = await partner.kept(stay_id, spo2=90, signal_quality="poor", perfusion_index=3.0)
    assert said["quality"] == "poor"
    assert said["alerts"][0]["severity"] == "critical"
    other = await partner.admit()
    assert (await partner.kept(other, spo2=98, perfusion_index=0.2))["assessment"]["advice_code"] != "carry_on"


async def test_the_advice_is_the_worst_of_all_that_is_open(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.kept(stay_id, spo2=97, symptoms=["chest_pain"])
    clock.advance(minutes=30)
    said = await partner.kept(stay_id, spo2=98, breathlessness=0, symptoms=[], observed_at=clock.now())
    assert said["assessment"]["severity"] is None
    assert said["assessment"]["advice_code"] == "emergency"


async def test_a_person_with_recorded_wishes_never_reads_999(partner: Partner) -> None:
    stay_id = await partner.admit(treatment_escalation="limited", patient_text="Ring the hospice on 01234.")
    advice = (await partner.kept(stay_id, spo2=97, symptoms=["chest_pain"]))["assessment"]["advice"]
    assert "999" not in advice
    assert "Ring the hospice on 01234." in advice


async def test_the_answer_comes_after_the_commit(partner: Partner, stay_id: str, http: httpx.AsyncClient) -> None:
    for number in range(20):
        said = await partner.kept(stay_id, spo2=90, observed_at=START + timedelta(seconds=number))
        assert (await partner.history(stay_id))[0]["reading_id"] == said["reading_id"]


async def test_a_whole_number_may_be_written_with_a_point(partner: Partner, stay_id: str) -> None:
    answer = await partner.send(stay_id, spo2=97, pulse_rate=96.0)
    assert answer.status_code == 201
    assert (await partner.send(stay_id, spo2=97, pulse_rate=96.5)).status_code == 422


async def test_a_clock_a_little_ahead_does_not_make_the_next_red_value_an_old_one(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.kept(stay_id, spo2=98, observed_at=START + timedelta(minutes=4))
    clock.advance(minutes=1)
    said = await partner.kept(stay_id, spo2=88, observed_at=START + timedelta(minutes=1))
    assert said["assessment"]["severity"] == "critical"
    assert said["alerts"][0]["severity"] == "critical"


async def test_a_path_with_a_slash_too_many_is_not_found_and_sends_nobody_elsewhere(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/readings/", headers={"Host": "elsewhere.example"}, json={})
    assert (answer.status_code, "location" in answer.headers) == (404, False)
