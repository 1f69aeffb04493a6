"""Managing staff: who may, how far, and what becomes of sessions and passwords."""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from service.fields import new_id
from service.storage.session import reading
from service.storage.tables import AuditRow, EventRow, StaffRow
from tests.access.hospital import Headers, Hospital
from tests.support.time import later

PASSWORD = "correct horse battery"


async def call(
    hospital: Hospital, header: Headers, method: str, path: str, body: Any = None, **params: Any
) -> httpx.Response:
    return await hospital.client.request(method, f"/v1{path}", headers=header, json=body, params=params)


async def invite(hospital: Hospital, header: Headers, *ward_ids: str, role: str = "clinician", **more: Any) -> Any:
    roles = [{"ward_id": each, "role": role} for each in ward_ids]
    body = {"email": f"{new_id()}@ward.test", "name": "Robin Example", "roles": roles, **more}
    return await call(hospital, header, "POST", "/staff", body)


async def set_password(hospital: Hospital, token: str, password: str = PASSWORD) -> httpx.Response:
    return await hospital.client.post("/oauth/password", json={"token": token, "password": password})


async def sign_in(hospital: Hospital, email: str, password: str = PASSWORD) -> httpx.Response:
    form = {"grant_type": "password", "username": email, "password": password}
    return await hospital.client.post("/oauth/token", data=form)


def subject(header: Headers) -> str:
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(header["Authorization"].split(".")[1] + "=="))
    return claims["sub"]


async def me(hospital: Hospital, header: Headers) -> int:
    return (await call(hospital, header, "GET", "/me")).status_code


async def test_somebody_new_sets_a_password_once_and_signs_in(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    answer = await invite(hospital, admin, ward_id)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    assert made["roles"] == [{"ward_id": ward_id, "role": "clinician"}]
    assert made["has_password"] is False
    assert (await sign_in(hospital, made["email"])).json()["error"] == "invalid_grant"
    assert (await set_password(hospital, made["set_password_token"], "short")).status_code == 422
    assert (await set_password(hospital, made["set_password_token"])).status_code == 204
    assert (await set_password(hospital, made["set_password_token"])).json()["error"] == "invalid_grant"
    assert (await sign_in(hospital, made["email"])).status_code == 200
    seen = (await call(hospital, admin, "GET", f"/staff/{made['id']}")).json()
    assert seen["has_password"] is True
    async with reading(hospital.app.state.database) as session:
        stored = str((await session.execute(select(StaffRow.set_password_hash, StaffRow.password_hash))).all())
        assert made["set_password_token"] not in stored


async def test_a_token_for_a_password_ends_after_three_days(hospital: Hospital) -> None:
    made = (await invite(hospital, await hospital.administrator(), await hospital.ward())).json()
    with later(hours=73):
        assert (await set_password(hospital, made["set_password_token"])).json()["error"] == "invalid_grant"
    assert (await set_password(hospital, "x" * 43)).json()["error"] == "invalid_grant"


async def test_a_lead_manages_the_own_ward_and_sees_no_other(hospital: Hospital) -> None:
    mine, theirs = await hospital.ward(), await hospital.ward()
    lead = await hospital.lead(mine)
    stranger = await hospital.staff_id(theirs)
    made = (await invite(hospital, lead, mine)).json()
    listed = (await call(hospital, lead, "GET", "/staff")).json()["items"]
    assert {each["id"] for each in listed} == {made["id"], subject(lead)}
    for method, path, body in [
        ("GET", f"/staff/{stranger}", None),
        ("PATCH", f"/staff/{stranger}", {"name": "x"}),
        ("POST", f"/staff/{stranger}/password-reset", None),
        ("POST", f"/staff/{stranger}/sign-out", None),
        ("PUT", f"/staff/{stranger}/wards/{mine}", {"role": "clinician"}),
        ("PUT", f"/staff/{made['id']}/wards/{theirs}", {"role": "clinician"}),
        ("DELETE", f"/staff/{made['id']}/wards/{theirs}", None),
        ("PUT", f"/staff/{made['id']}/wards/nonsense", {"role": "clinician"}),
    ]:
        assert (await call(hospital, lead, method, path, body)).status_code == 404, (method, path)
    assert (await invite(hospital, lead, theirs)).status_code == 404
    assert (await call(hospital, lead, "GET", "/staff", ward_id=theirs)).status_code == 404


async def test_roles_elsewhere_are_not_shown_to_a_lead(hospital: Hospital) -> None:
    mine, theirs = await hospital.ward(), await hospital.ward()
    shared = await hospital.staff_id(mine, theirs)
    lead, admin = await hospital.lead(mine), await hospital.administrator()
    path = f"/staff/{shared}"
    assert [each["ward_id"] for each in (await call(hospital, lead, "GET", path)).json()["roles"]] == [mine]
    assert len((await call(hospital, admin, "GET", path)).json()["roles"]) == 2
    # What is the whole account is not the lead's: a new password would open the other ward.
    for method, further, body in [
        ("PATCH", "", {"name": "x"}),
        ("PATCH", "", {"active": False}),
        ("POST", "/password-reset", None),
        ("POST", "/sign-out", None),
    ]:
        assert (await call(hospital, lead, method, path + further, body)).status_code == 403
    assert (await call(hospital, lead, "DELETE", f"{path}/wards/{mine}")).status_code == 204
    assert (await call(hospital, lead, "GET", path)).status_code == 404


async def test_a_lead_gives_less_than_a_lead_has(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    lead = await hospital.lead(ward_id)
    assert (await invite(hospital, lead, ward_id, role="auditor")).status_code == 403
    assert (await invite(hospital, lead, ward_id, administrator=True)).status_code == 403
    colleague = await hospital.staff_id(ward_id)
    path = f"/staff/{colleague}"
    assert (await call(hospital, lead, "PUT", f"{path}/wards/{ward_id}", {"role": "auditor"})).status_code == 403
    assert (await call(hospital, lead, "PATCH", path, {"administrator": True})).status_code == 403
    # Nor takes it away, nor takes an auditor's account over.
    auditor = await hospital.staff_id(ward_id, role="auditor")
    assert (await call(hospital, lead, "DELETE", f"/staff/{auditor}/wards/{ward_id}")).status_code == 403
    assert (await call(hospital, lead, "POST", f"/staff/{auditor}/password-reset")).status_code == 403
    assert (await call(hospital, lead, "PUT", f"{path}/wards/{ward_id}", {"role": "lead"})).status_code == 403
    assert (await call(hospital, lead, "DELETE", f"{path}/wards/{ward_id}")).status_code == 204


@pytest.mark.parametrize("role", ["administrator", "lead"])
async def test_nobody_changes_their_own_rights(hospital: Hospital, role: str) -> None:
    ward_id, other = await hospital.ward(), await hospital.ward()
    header = await (hospital.administrator() if role == "administrator" else hospital.lead(ward_id))
    path = f"/staff/{subject(header)}"
    for method, further, body in [
        ("PUT", f"/wards/{ward_id}", {"role": "lead"}),
        ("DELETE", f"/wards/{ward_id}", None),
        ("PATCH", "", {"administrator": True}),
        ("PATCH", "", {"active": False}),
        ("POST", "/password-reset", None),
    ]:
        assert (await call(hospital, header, method, path + further, body)).status_code == 403, (method, further)
    assert (await call(hospital, header, "PUT", f"{path}/wards/{other}", {"role": "lead"})).status_code == 403
    assert (await call(hospital, header, "PATCH", path, {"name": "New name"})).json()["name"] == "New name"


@pytest.mark.parametrize("role", ["clinician", "auditor", "system"])
async def test_others_manage_nobody(hospital: Hospital, role: str) -> None:
    ward_id = await hospital.ward()
    header = await {"clinician": hospital.clinician, "auditor": hospital.auditor, "system": hospital.system}[role](
        ward_id
    )
    for path in ("/staff", "/clients"):
        assert (await call(hospital, header, "GET", path)).status_code == 403
    assert (await invite(hospital, header, ward_id)).status_code == 403


async def test_an_ended_account_is_signed_out_at_once_and_opened_again(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    header = await hospital.clinician(ward_id)
    path = f"/staff/{subject(header)}"
    assert await me(hospital, header) == 200
    assert (await call(hospital, admin, "PATCH", path, {"active": False})).json()["active"] is False
    assert await me(hospital, header) == 401
    assert (await call(hospital, admin, "PATCH", path, {"active": True})).json()["active"] is True
    assert await me(hospital, header) == 401
    assert await me(hospital, await hospital.token("staff", subject(header))) == 200


async def test_another_role_is_felt_at_once_in_the_same_session(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    header = await hospital.lead(ward_id)
    assert (await call(hospital, header, "GET", "/staff")).status_code == 200
    path = f"/staff/{subject(header)}/wards/{ward_id}"
    assert (await call(hospital, admin, "PUT", path, {"role": "clinician"})).status_code == 200
    assert (await call(hospital, header, "GET", "/staff")).status_code == 403


async def test_a_reset_ends_the_password_and_every_session(hospital: Hospital) -> None:
    admin = await hospital.administrator()
    made = (await invite(hospital, admin, await hospital.ward())).json()
    await set_password(hospital, made["set_password_token"])
    session = {"Authorization": f"Bearer {(await sign_in(hospital, made['email'])).json()['access_token']}"}
    reset = (await call(hospital, admin, "POST", f"/staff/{made['id']}/password-reset")).json()
    assert await me(hospital, session) == 401
    assert (await sign_in(hospital, made["email"])).json()["error"] == "invalid_grant"
    assert (await set_password(hospital, reset["set_password_token"], "another horse battery")).status_code == 204
    assert (await sign_in(hospital, made["email"], "another horse battery")).status_code == 200


async def test_one_changes_the_own_password_with_the_one_before(hospital: Hospital) -> None:
    made = (await invite(hospital, await hospital.administrator(), await hospital.ward())).json()
    await set_password(hospital, made["set_password_token"])
    session = {"Authorization": f"Bearer {(await sign_in(hospital, made['email'])).json()['access_token']}"}
    body = {"current_password": "wrong horse battery", "new_password": "another horse battery"}
    assert (await call(hospital, session, "POST", "/me/password", body)).json()["error"] == "invalid_grant"
    body["current_password"] = PASSWORD
    assert (await call(hospital, session, "POST", "/me/password", body)).status_code == 204
    assert await me(hospital, session) == 401
    assert (await sign_in(hospital, made["email"], "another horse battery")).status_code == 200


@pytest.mark.parametrize("weak", ["short", "password1234", "", " " * 12, "x" * 257])
async def test_a_weak_password_is_refused_with_the_name_of_its_field(hospital: Hospital, weak: str) -> None:
    made = (await invite(hospital, await hospital.administrator(), await hospital.ward())).json()
    refused = [await set_password(hospital, made["set_password_token"], each) for each in (weak, f"1{made['email']}!")]
    assert [each.status_code for each in refused] == [422, 422]
    assert [each["pointer"] for answer in refused for each in answer.json()["errors"]] == ["/password"] * 2
    assert (await set_password(hospital, made["set_password_token"])).status_code == 204
    session = {"Authorization": f"Bearer {(await sign_in(hospital, made['email'])).json()['access_token']}"}
    for each in (weak, f"1{made['email']}!"):
        body = {"current_password": PASSWORD, "new_password": each}
        answer = await call(hospital, session, "POST", "/me/password", body)
        assert [answer.status_code, *(one["pointer"] for one in answer.json()["errors"])] == [422, "/new_password"]
    assert await me(hospital, session) == 200


async def test_an_address_is_used_once(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    first = (await invite(hospital, admin, ward_id)).json()
    assert (await invite(hospital, admin, ward_id, email=f" {first['email'].upper()}")).status_code == 409
    second = (await invite(hospital, admin, ward_id)).json()
    path = f"/staff/{second['id']}"
    answer = await call(hospital, admin, "PATCH", path, {"email": first["email"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert (await call(hospital, admin, "PATCH", path, {"email": second["email"]})).status_code == 200


async def test_two_who_add_the_same_address_at_once_are_told_of_each_other(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    email = f"{new_id()}@ward.test"
    answers = await asyncio.gather(*(invite(hospital, admin, ward_id, email=email) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    each = [(await invite(hospital, admin, ward_id)).json()["id"] for _ in range(4)]
    wanted = {"email": f"{new_id()}@ward.test"}
    changed = await asyncio.gather(*(call(hospital, admin, "PATCH", f"/staff/{one}", wanted) for one in each))
    assert sorted(answer.status_code for answer in changed) == [200] + [409] * 3


async def test_changes_are_audited_and_their_wards_hear_of_them(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    made = (await invite(hospital, admin, ward_id)).json()
    await call(hospital, admin, "PUT", f"/staff/{made['id']}/wards/{ward_id}", {"role": "lead"})
    await call(hospital, admin, "POST", f"/staff/{made['id']}/password-reset")
    await call(hospital, admin, "POST", f"/staff/{made['id']}/sign-out")
    await call(hospital, admin, "PATCH", f"/staff/{made['id']}", {"active": False})
    done = [f"staff.{each}" for each in ("joined", "role_changed", "password_reset", "signed_out", "changed")]
    async with reading(hospital.app.state.database) as session:
        events = (await session.scalars(select(EventRow).order_by(EventRow.number))).all()
        entries = (await session.scalars(select(AuditRow).where(AuditRow.subject_id == made["id"]))).all()
    assert [each.type for each in events] == done
    assert all(each.data == {"staff_id": made["id"]} for each in events)
    of_the_ward = [each for each in entries if each.ward_id == ward_id]
    assert [each.action for each in of_the_ward] == done
    assert {each.actor_id for each in entries} == {subject(admin)}
    assert made["email"] not in str([each.detail for each in entries])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"email": "a\u0000@b.test"}, "/email"),
        ({"email": "a@x.test,b@evil.test"}, "/email"),
        ({"name": ""}, "/name"),
        ({"name": "Sam\u202eelpmaxE"}, "/name"),
        ({"roles": [{"ward_id": new_id(), "role": "owner"}]}, "/roles/0/role"),
        ({"roles": []}, "/roles"),
        ({"administrator": "yes"}, "/administrator"),
        ({"password": "correct horse battery"}, "/password"),
    ],
)
async def test_a_wrong_field_is_named(hospital: Hospital, body: dict[str, Any], pointer: str) -> None:
    answer = await invite(hospital, await hospital.administrator(), await hospital.ward(), **body)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


async def test_an_unknown_ward_is_not_found_even_for_an_administrator(hospital: Hospital) -> None:
    admin = await hospital.administrator()
    assert (await invite(hospital, admin, new_id())).status_code == 404
    colleague = await hospital.staff_id(await hospital.ward())
    path = f"/staff/{colleague}/wards/{new_id()}"
    assert (await call(hospital, admin, "PUT", path, {"role": "lead"})).status_code == 404


async def test_the_list_comes_in_pages_and_by_ward(hospital: Hospital) -> None:
    ward_id, admin = await hospital.ward(), await hospital.administrator()
    made = [(await invite(hospital, admin, ward_id)).json()["id"] for _ in range(3)]
    first = (await call(hospital, admin, "GET", "/staff", ward_id=ward_id, limit=2)).json()
    second = (await call(hospital, admin, "GET", "/staff", ward_id=ward_id, cursor=first["next_cursor"])).json()
    assert [each["id"] for each in first["items"] + second["items"]] == made
    assert second["next_cursor"] is None
