"""What takes two leads takes two people: one lead alone comes by no second one, whatever they try."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from service.fields import new_id
from tests.access.hospital import Headers, Hospital

PASSWORD = "correct horse battery"


@dataclass
class Alone:
    """A lead who has asked for a rule set and for an erasure, and wants to be the one who approves them as well."""

    hospital: Hospital
    ward_id: str
    patient_id: str
    header: Headers

    async def ask(self, method: str, path: str, body: Any = None, header: Headers | None = None) -> httpx.Response:
        return await self.hospital.client.request(method, f"/v1{path}", headers=header or self.header, json=body)

    async def approvals(self, header: Headers) -> list[tuple[int, str]]:
        """What somebody hears who approves the one and the other."""
        paths = (f"/wards/{self.ward_id}/rule-sets/1/approve", f"/patients/{self.patient_id}/erasures/approve")
        answers = [await self.ask("POST", path, header=header) for path in paths]
        return [(each.status_code, each.json().get("code", "")) for each in answers]

    async def invite(self, role: str = "clinician", header: Headers | None = None) -> httpx.Response:
        roles = [{"ward_id": self.ward_id, "role": role}]
        body = {"email": f"{new_id()}@ward.test", "name": "Robin Example", "roles": roles}
        return await self.ask("POST", "/staff", body, header)

    async def made(self) -> tuple[dict[str, Any], Headers]:
        """A clinician whom the lead made, and whose password the lead set."""
        staff = (await self.invite()).json()
        assert await self.set_password(staff["set_password_token"]) == 204
        answer = await self.sign_in(staff["email"])
        return staff, {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def set_password(self, token: str) -> int:
        body = {"token": token, "password": PASSWORD}
        return (await self.hospital.client.post("/oauth/password", json=body)).status_code

    async def sign_in(self, email: str) -> httpx.Response:
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        return await self.hospital.client.post("/oauth/token", data=form)

    async def refused(self, method: str, path: str, body: Any = None) -> None:
        answer = await self.ask(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (method, path, answer.text)


@pytest.fixture
async def alone(hospital: Hospital) -> Alone:
    ward_id = await hospital.ward()
    header = await hospital.lead(ward_id)
    patient = await hospital.patient(header, ward_id)
    found = Alone(hospital, ward_id, patient["id"], header)
    numbers = {"numbers": {"standard_amber_at": 93}, "reason": "Fewer ambers at night."}
    assert (await found.ask("POST", f"/wards/{ward_id}/rule-sets", numbers)).status_code == 201
    erasure = {"reason": "registered_in_error"}
    assert (await found.ask("POST", f"/patients/{patient['id']}/erasures", erasure)).status_code == 201
    return found


async def test_what_one_lead_asked_for_waits_for_another(alone: Alone) -> None:
    assert await alone.approvals(alone.header) == [(409, "second_person_needed")] * 2
    assert await alone.approvals(await alone.hospital.lead(alone.ward_id)) == [(200, "")] * 2


async def test_a_lead_makes_no_lead(alone: Alone) -> None:
    assert (await alone.invite("lead")).status_code == 403
    staff, header = await alone.made()
    await alone.refused("PUT", f"/staff/{staff['id']}/wards/{alone.ward_id}", {"role": "lead"})
    assert await alone.approvals(header) == [(403, "scope_missing")] * 2


async def test_a_lead_becomes_no_other_lead(alone: Alone) -> None:
    elsewhere = await alone.hospital.ward()
    here_too = await alone.hospital.staff_id(alone.ward_id)
    await alone.ask(
        "PUT", f"/staff/{here_too}/wards/{elsewhere}", {"role": "lead"}, await alone.hospital.administrator()
    )
    for staff_id in (await alone.hospital.staff_id(alone.ward_id, role="lead"), here_too):
        path = f"/staff/{staff_id}"
        for method, further, body in [
            ("PATCH", "", {"email": "mine@ward.test"}),
            ("PATCH", "", {"name": "Me"}),
            ("PATCH", "", {"active": False}),
            ("POST", "/password-reset", None),
            ("POST", "/sign-out", None),
            ("DELETE", "/totp", None),
            ("PUT", f"/wards/{alone.ward_id}", {"role": "lead"}),
        ]:
            await alone.refused(method, path + further, body)


async def test_a_lead_does_not_take_the_role_from_another(alone: Alone) -> None:
    path = f"/staff/{await alone.hospital.staff_id(alone.ward_id, role='lead')}/wards/{alone.ward_id}"
    await alone.refused("DELETE", path)
    await alone.refused("PUT", path, {"role": "clinician"})


async def test_a_system_of_the_leads_is_no_second_lead(alone: Alone) -> None:
    body = {"name": "Approver", "scopes": ["wards:manage", "patients:write"], "ward_ids": [alone.ward_id]}
    made = (await alone.ask("POST", "/clients", body)).json()
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["client_secret"]}
    token = (await alone.hospital.client.post("/oauth/token", data=form)).json()["access_token"]
    assert await alone.approvals({"Authorization": f"Bearer {token}"}) == [(403, "not_allowed")] * 2


@pytest.mark.parametrize("change", ["lead", "auditor", "administrator"])
async def test_who_is_given_more_sets_a_new_password(alone: Alone, change: str) -> None:
    """Else the lead who made the account, and knows how to get in, would be both."""
    known, session = await alone.made()
    waiting = (await alone.invite()).json()
    admin = await alone.hospital.administrator()
    for staff in (known, waiting):
        path, body = f"/staff/{staff['id']}/wards/{alone.ward_id}", {"role": change}
        answer = await (
            alone.ask("PATCH", f"/staff/{staff['id']}", {"administrator": True}, admin)
            if change == "administrator"
            else alone.ask("PUT", path, body, admin)
        )
        assert (answer.status_code, answer.json()["has_password"]) == (200, False), answer.text
    assert (await alone.ask("GET", "/me", header=session)).status_code == 401
    assert (await alone.sign_in(known["email"])).json()["error"] == "invalid_grant"
    assert await alone.set_password(waiting["set_password_token"]) == 400
    reset = (await alone.ask("POST", f"/staff/{waiting['id']}/password-reset", header=admin)).json()
    assert await alone.set_password(reset["set_password_token"]) == 204
    assert (await alone.sign_in(waiting["email"])).status_code == 200


async def test_who_is_a_lead_already_keeps_the_password(alone: Alone) -> None:
    admin, elsewhere = await alone.hospital.administrator(), await alone.hospital.ward()
    staff = (await alone.invite("lead", admin)).json()
    assert await alone.set_password(staff["set_password_token"]) == 204
    path = f"/staff/{staff['id']}/wards/{elsewhere}"
    assert (await alone.ask("PUT", path, {"role": "lead"}, admin)).json()["has_password"] is True
