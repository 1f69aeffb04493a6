"""Plans: merged into new versions, and low red limits that need a second clinician."""

from typing import Any

import pytest

from tests.access.hospital import Headers, Hospital

LOW: dict[str, Any] = {
    "profile": "custom",
    "red_at": 85,
    "amber_at": 87,
    "reason": "lung fibrosis",
    "review_on": "2027-01-01",
}


@pytest.fixture
async def ward_id(hospital: Hospital) -> str:
    return await hospital.ward()


@pytest.fixture
async def nurse(hospital: Hospital, ward_id: str) -> Headers:
    return await hospital.clinician(ward_id)


async def change(hospital: Hospital, header: Headers, stay: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"version": stay["version"], **fields}
    answer = await hospital.client.patch(f"/v1/stays/{stay['id']}/plan", headers=header, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def approve(hospital: Hospital, header: Headers, stay: dict[str, Any]) -> Any:
    path = f"/v1/stays/{stay['id']}/plan/approve"
    return await hospital.client.post(path, headers=header, json={"version": stay["version"]})


async def test_a_change_is_a_new_version_and_the_old_one_stays_readable(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id, plan={"baseline_spo2": 96, "pregnant": True})
    changed = await change(hospital, nurse, stay, reading_times=["08:00"], baseline_spo2=None, reason="asked")
    assert (changed["version"], changed["plan"]["version"]) == (2, 2)
    plans = (await hospital.client.get(f"/v1/stays/{stay['id']}/plans", headers=nurse)).json()["items"]
    assert [(plan["version"], plan["baseline_spo2"], plan["pregnant"]) for plan in plans] == [
        (2, None, True),
        (1, 96, True),
    ]
    me = (await hospital.client.get("/v1/me", headers=nurse)).json()["principal"]["id"]
    assert (plans[0]["author_id"], plans[0]["reason"]) == (me, "asked")


async def test_a_change_that_contradicts_the_rest_of_the_plan_is_refused(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id)
    answer = await hospital.client.patch(
        f"/v1/stays/{stay['id']}/plan", headers=nurse, json={"version": 1, "red_at": 90}
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/red_at"]


async def test_leaving_the_custom_profile_drops_its_limits(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    stay = await hospital.stay(nurse, ward_id, plan=LOW | {"red_at": 90, "amber_at": 92})
    assert stay["limits"]["red_at"] == 90
    changed = await change(hospital, nurse, stay, profile="standard")
    assert (changed["plan"]["red_at"], changed["limits"]["red_at"]) == (None, 92)


@pytest.mark.hazard("H9")
async def test_a_red_limit_below_88_waits_for_another_clinician(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id, plan=LOW)
    assert (stay["plan"]["red_at"], stay["plan"]["red_at_approved"], stay["limits"]["red_at"]) == (
        85,
        False,
        88,
    )
    assert "red_at_needs_approval" in [warning["code"] for warning in stay["warnings"]]
    own = await approve(hospital, nurse, stay)
    assert (own.status_code, own.json()["code"]) == (409, "second_clinician_needed")
    answer = await approve(hospital, await hospital.lead(ward_id), stay)
    assert answer.status_code == 200
    approved = answer.json()
    assert (approved["plan"]["version"], approved["plan"]["red_at_approved"]) == (2, True)
    assert approved["limits"] == {"red_at": 85, "amber_at": 87, "target_low": 88}
    assert approved["warnings"] == []
    assert (await approve(hospital, await hospital.lead(ward_id), approved)).status_code == 409


@pytest.mark.hazard("H9")
async def test_who_proposed_cannot_approve_after_a_colleague_touched_the_plan(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id, plan=LOW)
    colleague = await hospital.clinician(ward_id)
    stay = await change(hospital, colleague, stay, reading_times=["08:00"])
    for header in (nurse, colleague):
        assert (await approve(hospital, header, stay)).json()["code"] == "second_clinician_needed"
    assert (await approve(hospital, await hospital.clinician(ward_id), stay)).status_code == 200


async def test_only_a_clinician_of_the_ward_approves(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    stay = await hospital.stay(nurse, ward_id, plan=LOW)
    partner = await approve(hospital, await hospital.system(ward_id), stay)
    assert (partner.status_code, partner.json()["code"]) == (403, "not_allowed")
    assert (await approve(hospital, await hospital.auditor(ward_id), stay)).json()["code"] == "scope_missing"


async def test_an_approval_holds_until_the_limit_changes(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    stay = await hospital.stay(nurse, ward_id, plan=LOW)
    stay = (await approve(hospital, await hospital.clinician(ward_id), stay)).json()
    stay = await change(hospital, nurse, stay, reading_times=["08:00"])
    assert (stay["plan"]["red_at_approved"], stay["limits"]["red_at"]) == (True, 85)
    stay = await change(hospital, nurse, stay, red_at=84)
    assert (stay["plan"]["red_at_approved"], stay["plan"]["approved_by"], stay["limits"]["red_at"]) == (
        False,
        None,
        88,
    )


async def test_the_event_of_a_change_names_the_fields_and_no_values(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id)
    await change(hospital, nurse, stay, baseline_spo2=97)
    page = (await hospital.client.get(f"/v1/wards/{ward_id}/events", headers=nurse)).json()
    event = page["items"][-1]
    assert (event["type"], event["data"]["fields"]) == ("plan.changed", ["baseline_spo2"])
    assert event["data"]["plan_version"] == 2
    assert "97" not in str(event["data"]["fields"])
