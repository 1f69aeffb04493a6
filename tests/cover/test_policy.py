"""A ward's escalation policy over HTTP."""

from typing import Any

import pytest

from tests.access.hospital import Headers, Hospital

NOBODY = "01936f5e-7b3a-7c21-9d4f-2a6b8c0d1e2f"
DEFAULT = [
    {"after_minutes": 0, "notify": "on_duty", "channel": "queue"},
    {"after_minutes": 15, "notify": "lead", "channel": "queue"},
    {"after_minutes": 30, "notify": "out_of_hours", "channel": "queue"},
]


def step(after_minutes: Any = 0, notify: str = "on_duty", channel: str = "queue") -> dict[str, Any]:
    return {"after_minutes": after_minutes, "notify": notify, "channel": channel}


async def put(hospital: Hospital, header: Headers, ward_id: str, *steps: dict[str, Any], **more: Any) -> Any:
    body = {"steps": steps, "version": 1, **more}
    return await hospital.client.put(f"/v1/wards/{ward_id}/escalation-policy", headers=header, json=body)


async def test_without_one_it_goes_to_who_is_on_duty_then_the_lead_then_out_of_hours(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    header = await hospital.clinician(ward_id)
    answer = await hospital.client.get(f"/v1/wards/{ward_id}/escalation-policy", headers=header)
    assert answer.json() == {"steps": DEFAULT, "out_of_hours_email": None, "version": 1}


async def test_a_lead_sets_it_and_it_is_told_in_the_feed(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    ada = await hospital.staff_id(ward_id)
    header = await hospital.lead(ward_id)
    steps = (step(0, "on_duty", "email"), step(5, f"staff:{ada.upper()}", "email"), step(20, "out_of_hours", "email"))
    answer = await put(hospital, header, ward_id, *steps, out_of_hours_email="night@hospital.example")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"'), answer.text
    assert answer.json()["steps"][1] == step(5, f"staff:{ada}", "email")
    found = await hospital.client.get(f"/v1/wards/{ward_id}/escalation-policy", headers=header)
    assert found.json() == answer.json()
    events = (await hospital.client.get(f"/v1/wards/{ward_id}/events", headers=header)).json()["items"]
    assert [(each["type"], each["data"]) for each in events] == [("escalation_policy.changed", {"version": 2})]
    stale = await put(hospital, header, ward_id, step())
    assert (stale.status_code, stale.json()["current"]) == (412, answer.json())
    assert (await put(hospital, await hospital.clinician(ward_id), ward_id, step())).status_code == 403


@pytest.mark.parametrize(
    ("steps", "more", "pointers"),
    [
        ([], {}, ["/steps"]),
        ([step()] * 11, {}, ["/steps"]),
        ([step(5), step(5)], {}, ["/steps/1/after_minutes"]),
        ([step(5), step(4)], {}, ["/steps/1/after_minutes"]),
        ([step(-1)], {}, ["/steps/0/after_minutes"]),
        ([step(1441)], {}, ["/steps/0/after_minutes"]),
        ([step("0")], {}, ["/steps/0/after_minutes"]),
        ([step(0, "everybody")], {}, ["/steps/0/notify"]),
        ([step(0, "staff:")], {}, ["/steps/0/notify"]),
        ([step(0, f"staff:{NOBODY}")], {}, ["/steps/0/notify"]),
        ([step(0, "on_duty", "pigeon")], {}, ["/steps/0/channel"]),
        ([step(0, "on_duty", "webhook")], {}, ["/steps/0/channel"]),
        ([step(0, "out_of_hours", "email")], {}, ["/out_of_hours_email"]),
        ([step()], {"out_of_hours_email": "night@x\nBcc: all"}, ["/out_of_hours_email"]),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_is_refused_with_its_field(
    hospital: Hospital, steps: list[dict[str, Any]], more: dict[str, Any], pointers: list[str]
) -> None:
    ward_id = await hospital.ward()
    answer = await put(hospital, await hospital.lead(ward_id), ward_id, *steps, **more)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == pointers


async def test_somebody_of_another_ward_is_in_no_step(hospital: Hospital) -> None:
    ward_id, other = await hospital.ward(), await hospital.ward()
    stranger = await hospital.staff_id(other)
    answer = await put(hospital, await hospital.lead(ward_id), ward_id, step(0, f"staff:{stranger}"))
    assert answer.json()["errors"][0]["code"] == "unknown_staff"
