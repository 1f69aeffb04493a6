"""Wards: who opens them, who sees them, who changes them."""

from typing import Any

import pytest
from sqlalchemy import select

from service.storage.session import reading
from service.storage.tables import AuditRow, WardFeedRow
from tests.access.hospital import Hospital


async def test_an_administrator_opens_a_ward_with_an_empty_feed(hospital: Hospital) -> None:
    header = await hospital.administrator()
    sent = {"name": "North", "ods_code": "RX1", "phone": "0113 496 0000", "out_of_hours_text": "Ring 111."}
    answer = await hospital.client.post("/v1/wards", headers=header, json=sent)
    assert answer.status_code == 201
    ward = answer.json()
    assert answer.headers["location"] == f"/v1/wards/{ward['id']}"
    assert ward == {"id": ward["id"], **sent, "time_zone": "Europe/London", "version": 1}
    async with reading(hospital.app.state.database) as session:
        feed = (await session.scalars(select(WardFeedRow).where(WardFeedRow.ward_id == ward["id"]))).one()
        assert (feed.last_number, len(feed.epoch)) == (0, 36)
        entries = (await session.scalars(select(AuditRow).where(AuditRow.ward_id == ward["id"]))).all()
        assert [entry.action for entry in entries] == ["ward.opened"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"time_zone": "Europe/Leeds"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"ods_code": "rx1"}, "/ods_code"),
        ({"phone": "ring me"}, "/phone"),
        ({"beds": 20}, "/beds"),
    ],
)
async def test_a_ward_that_cannot_be_is_refused(hospital: Hospital, change: dict[str, Any], pointer: str) -> None:
    header = await hospital.administrator()
    answer = await hospital.client.post("/v1/wards", headers=header, json={"name": "North", **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_one_sees_the_own_wards_and_an_administrator_all(hospital: Hospital) -> None:
    first, second, third = [await hospital.ward(name) for name in ("A", "B", "C")]

    async def seen(header: dict[str, str], **query: Any) -> list[str]:
        answer = await hospital.client.get("/v1/wards", headers=header, params=query)
        return [ward["id"] for ward in answer.json()["items"]]

    assert await seen(await hospital.clinician(first, third)) == [first, third]
    assert await seen(await hospital.administrator()) == [first, second, third]


async def test_a_long_list_of_wards_comes_in_pages(hospital: Hospital) -> None:
    made = [await hospital.ward(f"Ward {n}") for n in range(5)]
    header = await hospital.administrator()
    path: str | None = "/v1/wards?limit=2"
    found: list[str] = []
    while path:
        answer = await hospital.client.get(path, headers=header)
        found += [ward["id"] for ward in answer.json()["items"]]
        link = answer.headers.get("link")
        assert (link is None) == (answer.json()["next_cursor"] is None)
        path = link[1 : link.index(">")] if link else None
    assert found == made


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WyJ4Il0", "WzFd", "é"])
async def test_a_cursor_that_is_not_ours_is_refused(hospital: Hospital, cursor: str) -> None:
    header = await hospital.administrator()
    answer = await hospital.client.get("/v1/wards", headers=header, params={"cursor": cursor})
    assert answer.status_code == 422


async def test_a_lead_changes_the_own_ward_and_a_clinician_does_not(hospital: Hospital) -> None:
    ward_id, other = await hospital.ward(), await hospital.ward()
    path = f"/v1/wards/{ward_id}"
    lead = await hospital.lead(ward_id)
    body = {"phone": None, "name": "South", "version": 1}
    clinician = await hospital.client.patch(path, headers=await hospital.clinician(ward_id), json=body)
    assert clinician.status_code == 403
    assert clinician.json()["required_scopes"] == ["wards:manage", "system:admin"]
    answer = await hospital.client.patch(path, headers=lead, json=body)
    assert (answer.status_code, answer.json()["name"], answer.json()["version"]) == (200, "South", 2)
    assert answer.headers["etag"] == '"2"'
    foreign = await hospital.client.patch(f"/v1/wards/{other}", headers=lead, json=body)
    assert foreign.status_code == 404
    by_administrator = await hospital.client.patch(
        path, headers={**await hospital.administrator(), "If-Match": '"2"'}, json={"name": "West"}
    )
    assert by_administrator.json()["version"] == 3


async def test_a_stale_change_of_a_ward_is_answered_with_the_ward_as_it_is(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    lead = await hospital.lead(ward_id)
    path = f"/v1/wards/{ward_id}"
    await hospital.client.patch(path, headers=lead, json={"name": "South", "version": 1})
    answer = await hospital.client.patch(path, headers=lead, json={"name": "East", "version": 1})
    assert answer.status_code == 412
    assert answer.json()["current"] == (await hospital.client.get(path, headers=lead)).json()


async def test_the_staff_of_a_ward_are_listed_for_assigning(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    staff_id = await hospital.staff_id(ward_id)
    other = await hospital.ward()
    await hospital.staff_id(other)
    both = await hospital.auditor(ward_id, other)
    answer = await hospital.client.get(f"/v1/wards/{ward_id}/staff", headers=both)
    found = [each for each in answer.json()["items"] if each["role"] != "auditor"]
    assert found == [{"id": staff_id, "name": "Sam Example", "role": "clinician"}]
