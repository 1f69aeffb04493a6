"""Who may call what: every route is guarded, refusals come in order, nobody sees another ward."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert

from service.access.guards import Public, Requires, guard_of
from service.access.principals import ROLE_SCOPES, SCOPES, Principal
from service.fields import new_id
from service.openapi import routes_of
from service.storage.session import writing
from service.storage.tables import MembershipRow
from tests.access.hospital import Hospital


@pytest.mark.hazard("H9")
async def test_every_route_is_guarded_or_says_why_not(app: FastAPI) -> None:
    routes = list(routes_of(app))
    assert len(routes) >= 20
    in_the_interface = [route for route in routes if route.path_format.startswith(("/v1", "/oauth", "/.well"))]
    assert len(in_the_interface) >= 18
    for route in in_the_interface:
        guard = guard_of(route)
        assert guard is not None, route.path_format
        assert not isinstance(guard, Public) or not route.path_format.startswith("/v1"), route.path_format


async def test_every_guarded_route_asks_for_a_token(app: FastAPI, client: httpx.AsyncClient) -> None:
    asked = 0
    for route in routes_of(app):
        if isinstance(guard_of(route), Requires):
            path = route.path_format.replace("{", "").replace("}", "")
            for method in route.methods:
                answer = await client.request(method, path, content=b"{")
                assert answer.status_code == 401, (method, path)
                asked += 1
    assert asked >= 15


def test_every_role_has_only_scopes_that_exist() -> None:
    assert all(scopes <= set(SCOPES) for scopes in ROLE_SCOPES.values())
    clinical = {
        "readings:read",
        "readings:write",
        "patients:read",
        "patients:write",
        "alerts:read",
        "alerts:act",
    }
    assert not ROLE_SCOPES["administrator"] & clinical


async def test_the_docs_can_sign_in(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]
    assert set(flows) == {"password", "clientCredentials"}
    assert all(flow["tokenUrl"] == "/oauth/token" for flow in flows.values())
    assert document["paths"]["/v1/wards"]["post"]["security"] == [{"oauth2": ["system:admin"]}]
    assert document["paths"]["/v1/readings"]["post"]["security"] == [{"oauth2": ["readings:write"]}]


async def test_refusals_come_in_the_promised_order(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    clinician = await hospital.clinician(ward_id)
    patient = await hospital.patient(clinician, ward_id)
    auditor = await hospital.auditor(ward_id)
    stranger = await hospital.clinician(await hospital.ward())
    path = f"/v1/patients/{patient['id']}"
    large = b'"' + b"x" * (1024 * 1024 + 1) + b'"'
    text = {"Content-Type": "text/plain"}

    async def status(headers: dict[str, str], content: bytes) -> int:
        return (await hospital.client.patch(path, headers=headers, content=content)).status_code

    assert await status(text, large) == 401
    assert await status({**auditor, **text}, large) == 403
    assert await status({**stranger, **text}, large) == 404
    assert await status(clinician, large) == 413
    assert await status({**clinician, **text}, b"{") == 415
    assert await status(clinician, b"{") == 400
    assert await status(clinician, b'{"family_name": 1}') == 422
    assert await status(clinician, b'{"family_name": "New"}') == 428
    assert await status(clinician, b'{"family_name": "New", "version": 7}') == 412
    assert await status(clinician, b'{"family_name": "New", "version": 1}') == 200


async def test_two_tokens_are_none(hospital: Hospital) -> None:
    """A proxy may have looked at the other one."""
    token = (await hospital.clinician(await hospital.ward()))["Authorization"]

    async def status(*values: str) -> int:
        headers = [("Authorization", value) for value in values]
        return (await hospital.client.get("/v1/me", headers=headers)).status_code

    assert [await status(token), await status(token, "Bearer x"), await status("Bearer x", token)] == [200, 401, 401]


@pytest.mark.parametrize(
    "path", ["/v1/wards?{}&limit=2", "/v1/wards/{ward}/events?after=0&{}", "/v1/me?{}", "/v1/wards/{ward}/stays?{}"]
)
async def test_a_mistyped_filter_is_refused_and_does_not_show_everything(hospital: Hospital, path: str) -> None:
    ward_id = await hospital.ward()
    here, elsewhere = await hospital.clinician(ward_id), await hospital.clinician(await hospital.ward())
    asked = path.replace("{ward}", ward_id)
    wrong = asked.format("statuss=active")
    answer = await hospital.client.get(wrong, headers=here)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/statuss", "extra_forbidden")]
    assert (await hospital.client.get(asked.replace("{}", ""), headers=here)).status_code == 200
    assert (await hospital.client.get(wrong)).status_code == 401
    if "events" in path:
        assert (await hospital.client.get(wrong, headers=elsewhere)).status_code == 404


async def test_a_missing_scope_is_named(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    header = await hospital.system(ward_id, scopes=("readings:write", "readings:read"))
    answer = await hospital.client.get(f"/v1/wards/{ward_id}", headers=header)
    assert answer.status_code == 403
    problem = answer.json()
    assert (problem["code"], problem["required_scopes"]) == ("scope_missing", ["wards:read"])
    assert problem["granted_scopes"] == ["readings:read", "readings:write"]
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_a_scope_of_one_ward_is_worth_nothing_on_another(hospital: Hospital) -> None:
    """Clinician here, auditor there: the token holds `patients:write`, and it opens only the first ward."""
    here, there = await hospital.ward(), await hospital.ward()
    staff_id = await hospital.staff_id(here)
    from_both = await _with_role(hospital, staff_id, there, "auditor")
    person = {"family_name": "Example", "given_name": "Pat", "birth_date": "1950-06-30"}

    async def register(ward_id: str) -> int:
        path = f"/v1/wards/{ward_id}/patients"
        return (await hospital.client.post(path, headers=from_both, json=person)).status_code

    assert await register(here) == 201
    assert await register(there) == 404
    stays = await hospital.client.get(f"/v1/wards/{there}/stays", headers=from_both)
    assert stays.status_code == 200


@pytest.mark.parametrize("kind", ["foreign", "unknown", "no id at all"])
@pytest.mark.hazard("H3")
async def test_what_is_on_another_ward_is_not_there(hospital: Hospital, kind: str) -> None:
    mine, theirs = await hospital.ward(), await hospital.ward()
    their_stay = await hospital.stay(await hospital.clinician(theirs), theirs)
    me = await hospital.clinician(mine)
    other = {"unknown": new_id(), "no id at all": "not-an-id"}.get(kind)
    ward, stay, patient = other or theirs, other or their_stay["id"], other or their_stay["patient_id"]
    reason: dict[str, Any] = {"reason": "x", "version": 1}
    calls: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/wards/{ward}", None),
        ("GET", f"/v1/wards/{ward}/staff", None),
        ("GET", f"/v1/wards/{ward}/stays", None),
        ("POST", f"/v1/wards/{ward}/patients", {}),
        ("POST", f"/v1/wards/{ward}/patients/lookup", {}),
        ("POST", f"/v1/wards/{ward}/stays", {}),
        ("GET", f"/v1/patients/{patient}", None),
        ("PATCH", f"/v1/patients/{patient}", {"version": 1}),
        ("GET", f"/v1/stays/{stay}", None),
        ("GET", f"/v1/stays/{stay}/plans", None),
        ("PATCH", f"/v1/stays/{stay}/plan", {"version": 1}),
        ("POST", f"/v1/stays/{stay}/plan/approve", {"version": 1}),
        ("POST", f"/v1/stays/{stay}/pause", reason),
        ("POST", f"/v1/stays/{stay}/resume", {"version": 1}),
        ("POST", f"/v1/stays/{stay}/discharge", reason),
    ]
    for method, path, body in calls:
        answer = await hospital.client.request(method, path, headers=me, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


def test_a_principal_is_narrowed_to_the_wards_of_the_scope() -> None:
    a, b = sorted([new_id(), new_id()])
    scopes = ROLE_SCOPES["lead"] | ROLE_SCOPES["auditor"]
    who = Principal(new_id(), "staff", "Sam", scopes, {b: "auditor", a: "lead"})
    assert who.ward_ids == (a, b)
    assert who.on("alerts:read").ward_ids == (a, b)
    assert who.on("alerts:act").ward_ids == (a,)
    assert who.on("audit:read").ward_ids == (b,)
    assert who.on("system:admin").ward_ids == ()
    assert who.on("alerts:act") is who.on("alerts:act")


async def _with_role(hospital: Hospital, staff_id: str, ward_id: str, role: str) -> dict[str, str]:
    async with writing(hospital.app.state.database) as session:
        await session.execute(insert(MembershipRow).values(staff_id=staff_id, ward_id=ward_id, role=role))
    return await hospital.token("staff", staff_id)
