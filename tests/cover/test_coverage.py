"""A ward's coverage over HTTP: who sets it, what is refused, and how the ward stands now."""

from typing import Any

import pytest

from service.storage.tables import AuditRow
from tests.access.hospital import Headers, Hospital
from tests.support.time import START, SettableClock
from tests.support.wards import rows_of

NOBODY = "01936f5e-7b3a-7c21-9d4f-2a6b8c0d1e2f"
DAILY = {
    day: [{"starts": "08:00", "ends": "20:00"}]
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
}
HOURS: dict[str, Any] = {"week": DAILY}


def shift(staff_id: str, starts: str = "08:00", ends: str = "20:00") -> dict[str, str]:
    return {"starts": starts, "ends": ends, "staff_id": staff_id}


async def put(hospital: Hospital, header: Headers, ward_id: str, **body: Any) -> Any:
    sent = {"service_hours": HOURS, "version": 1, **body}
    return await hospital.client.put(f"/v1/wards/{ward_id}/coverage", headers=header, json=sent)


async def test_a_ward_that_has_set_nothing_works_from_eight_to_eight_with_nobody_known_on_duty(
    hospital: Hospital,
) -> None:
    ward_id = await hospital.ward()
    header = await hospital.clinician(ward_id)
    answer = await hospital.client.get(f"/v1/wards/{ward_id}/coverage", headers=header)
    found = answer.json()
    assert (answer.status_code, answer.headers["etag"], found["version"]) == (200, '"1"', 1)
    assert found["service_hours"] == {"week": DAILY, "dates": []}
    assert found["on_duty"] == {"week": {day: [] for day in DAILY}, "dates": []}
    now = (await hospital.client.get(f"/v1/wards/{ward_id}/coverage/now", headers=header)).json()
    assert (now["within_service_hours"], now["watched_now"], now["on_duty"]) == (True, False, [])


async def test_a_lead_sets_it_and_reads_back_what_was_set(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    ada = await hospital.staff_id(ward_id)
    header = await hospital.lead(ward_id)
    closed = [
        {"date": "2026-12-25", "spans": []},
        {"date": "2026-12-26", "spans": [{"starts": "10:00", "ends": "16:00"}]},
    ]
    duty = {"week": {"sunday": [shift(ada), shift(ada, "20:00", "08:00")]}, "dates": []}
    sent = {"service_hours": {"week": DAILY, "dates": closed}, "on_duty": duty, "time_zone": "Europe/London"}
    answer = await put(hospital, header, ward_id, **sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    found = (await hospital.client.get(f"/v1/wards/{ward_id}/coverage", headers=header)).json()
    assert found == answer.json()
    assert found["service_hours"]["dates"] == closed
    assert found["on_duty"]["week"]["sunday"] == duty["week"]["sunday"]
    again = await hospital.client.put(f"/v1/wards/{ward_id}/coverage", headers=header, json=found)
    assert (again.status_code, again.json()["version"]) == (200, 3)


async def test_an_administrator_is_shown_what_is_in_force_on_every_ward(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    ada = await hospital.staff_id(ward_id)
    lead, administrator = await hospital.lead(ward_id), await hospital.administrator()
    duty = {"week": {"sunday": [shift(ada)]}, "dates": []}
    assert (await put(hospital, lead, ward_id, on_duty=duty)).status_code == 200
    steps = [{"after_minutes": 5, "notify": f"staff:{ada}", "channel": "queue"}]
    path = f"/v1/wards/{ward_id}/escalation-policy"
    answer = await hospital.client.put(path, headers=lead, json={"steps": steps, "version": 1})
    assert answer.status_code == 200, answer.text
    for path in ("coverage", "coverage/now", "escalation-policy"):
        shown = [
            (await hospital.client.get(f"/v1/wards/{ward_id}/{path}", headers=each)).json()
            for each in (lead, administrator)
        ]
        assert shown[0] == shown[1]
        assert ada in str(shown[0])


async def test_a_change_is_audited_and_told_in_the_feed(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    header = await hospital.lead(ward_id)
    await put(hospital, header, ward_id)
    [entry] = await rows_of(
        hospital.app.state.database, AuditRow.__tablename__, ward_id=ward_id, action="coverage.changed"
    )
    assert (entry.subject_type, entry.subject_id, entry.detail) == ("ward", ward_id, {"version": 2})
    events = (await hospital.client.get(f"/v1/wards/{ward_id}/events", headers=header)).json()["items"]
    assert [(each["type"], each["data"], each["at"]) for each in events] == [
        ("coverage.changed", {"version": 2}, "2026-11-22T08:00:00Z")
    ]


@pytest.mark.hazard("H9")
async def test_only_a_lead_of_the_ward_sets_it(hospital: Hospital) -> None:
    ward_id, other = await hospital.ward(), await hospital.ward()
    assert (await put(hospital, await hospital.clinician(ward_id), ward_id)).status_code == 403
    assert (await put(hospital, await hospital.administrator(), ward_id)).status_code == 403
    assert (await put(hospital, await hospital.lead(other), ward_id)).status_code == 404
    foreign = await hospital.client.get(f"/v1/wards/{ward_id}/coverage", headers=await hospital.lead(other))
    assert foreign.status_code == 404


@pytest.mark.hazard("H9")
async def test_a_stale_change_is_answered_with_what_is_in_force(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    header = await hospital.lead(ward_id)
    assert (await put(hospital, header, ward_id, version=None)).status_code == 428
    first = await put(hospital, {**header, "If-Match": '"1"'}, ward_id, version=None)
    answer = await put(hospital, header, ward_id, version=1)
    assert answer.status_code == 412
    assert answer.json()["current"] == first.json()
    assert answer.headers["etag"] == '"2"'


def monday(*spans: tuple[str, str]) -> dict[str, Any]:
    return {"week": {**DAILY, "monday": [{"starts": starts, "ends": ends} for starts, ends in spans]}}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"service_hours": monday(("08:00", "12:00"), ("11:00", "14:00"))}, ["/service_hours/week/monday/1/starts"]),
        ({"service_hours": monday(("20:00", "08:30"))}, ["/service_hours/week/monday/0/ends"]),
        (
            {"service_hours": {"week": DAILY, "dates": [{"date": "2026-12-25", "spans": []}] * 2}},
            ["/service_hours/dates/1/date"],
        ),
        ({"service_hours": {"week": {day: [] for day in DAILY}}}, ["/service_hours/week"]),
        ({"service_hours": monday(("8:00", "12:00"))}, ["/service_hours/week/monday/0/starts"]),
        ({"service_hours": monday(("08:00", "24:00"))}, ["/service_hours/week/monday/0/ends"]),
        ({"service_hours": {"week": {"funday": []}}}, ["/service_hours/week/funday/[key]"]),
        (
            {"service_hours": {"week": DAILY, "dates": [{"date": "2026-02-30", "spans": []}]}},
            ["/service_hours/dates/0/date"],
        ),
        ({"time_zone": "Mars/Olympus"}, ["/time_zone"]),
        ({"time_zone": "Asia/Tokyo"}, ["/time_zone"]),
        ({"on_duty": {"week": {"monday": [shift(NOBODY)]}}}, ["/on_duty/week/monday/0/staff_id"]),
        (
            {"on_duty": {"dates": [{"date": "2026-12-25", "spans": [shift(NOBODY)]}]}},
            ["/on_duty/dates/0/spans/0/staff_id"],
        ),
        ({"planted": 1}, ["/planted"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_is_refused_with_its_field(
    hospital: Hospital, body: dict[str, Any], pointers: list[str]
) -> None:
    ward_id = await hospital.ward()
    header = await hospital.lead(ward_id)
    answer = await put(hospital, header, ward_id, **body)
    assert answer.status_code == 422, answer.text
    assert [each["pointer"] for each in answer.json()["errors"]] == pointers
    assert (await hospital.client.get(f"/v1/wards/{ward_id}/coverage", headers=header)).json()["version"] == 1


async def test_an_auditor_and_staff_of_another_ward_are_on_no_shift(hospital: Hospital) -> None:
    ward_id, other = await hospital.ward(), await hospital.ward()
    header = await hospital.lead(ward_id)
    for stranger in (await hospital.staff_id(other), await hospital.staff_id(ward_id, role="auditor")):
        answer = await put(hospital, header, ward_id, on_duty={"week": {"monday": [shift(stranger)]}})
        assert answer.json()["errors"][0]["code"] == "unknown_staff"


async def test_now_says_who_is_on_duty_until_when_and_whom_to_ring(hospital: Hospital, clock: SettableClock) -> None:
    ward_id = await hospital.ward()
    ada = await hospital.staff_id(ward_id)
    header = await hospital.lead(ward_id)
    ward = {"phone": "0113 496 0000", "out_of_hours_text": "Ring 111.", "version": 1}
    await hospital.client.patch(f"/v1/wards/{ward_id}", headers=header, json=ward)
    await put(hospital, header, ward_id, on_duty={"week": {"sunday": [shift(ada, "08:00", "14:00")]}})
    assert await _now(hospital, header, ward_id) == {
        "at": "2026-11-22T08:00:00Z",
        "time_zone": "Europe/London",
        "within_service_hours": True,
        "watched_now": True,
        "on_duty": [{"staff_id": ada, "name": "Sam Example", "until": "2026-11-22T14:00:00Z"}],
        "ring": {"phone": "0113 496 0000", "text": None},
        "next_change_at": "2026-11-22T14:00:00Z",
    }
    clock.set(START.replace(hour=21))
    late = await _now(hospital, header, ward_id)
    assert (late["watched_now"], late["on_duty"]) == (False, [])
    assert late["ring"] == {"phone": None, "text": "Ring 111."}
    assert late["next_change_at"] == "2026-11-23T08:00:00Z"


async def test_who_has_left_the_ward_is_not_on_duty_there(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    ada = await hospital.staff_id(ward_id)
    header = await hospital.lead(ward_id)
    await put(hospital, header, ward_id, on_duty={"week": {"sunday": [shift(ada)]}})
    async with hospital.app.state.database.writes.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM membership WHERE role = 'clinician'")
    assert not (await _now(hospital, header, ward_id))["watched_now"]


async def _now(hospital: Hospital, header: Headers, ward_id: str) -> Any:
    answer = await hospital.client.get(f"/v1/wards/{ward_id}/coverage/now", headers=header)
    assert answer.status_code == 200, answer.text
    return answer.json()
