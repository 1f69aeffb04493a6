"""Every route, as every role: the answers are those of docs/access.md."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete

from service.access.guards import RequiresAtHome, guard_of
from service.access.principals import ROLE_SCOPES
from service.clock import real_now
from service.fields import new_id
from service.settings import Settings
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.access.at_home import bedside
from tests.access.hospital import Headers, Hospital
from tests.access.table import PAGE, ROLES, cell, render, routes

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OWNED = {"ward_id", "stay_id", "patient_id", "alert_id", "reading_id"}
TEAM = tuple(role for role in ROLES if role not in ("patient", "carer"))


@pytest.fixture
def settings(database_url: str, settings: Settings) -> Settings:
    return replace(settings, rate_limit=0)


async def scene(hospital: Hospital) -> dict[str, str]:
    """A ward with one of everything: the ids by their names in paths."""
    ward_id = await hospital.ward("Own")
    header = await hospital.system(ward_id)
    stay = await hospital.stay(header, ward_id, family_name="Sentinel")
    body = {"stay_id": stay["id"], "observed_at": hospital.app.state.clock.now().isoformat(), "spo2": 85}
    kept = (await hospital.client.post("/v1/readings", headers=header, json=body)).json()
    ids = {"ward_id": ward_id, "stay_id": stay["id"], "patient_id": stay["patient_id"]}
    return {**ids, "alert_id": kept["alerts"][0]["alert_id"], "reading_id": kept["reading_id"]}


async def as_role(hospital: Hospital, role: str, ward_id: str) -> Headers:
    if role == "administrator":
        return await hospital.administrator()
    if role == "partner":
        return await hospital.system(ward_id)
    return await hospital.token("staff", await hospital.staff_id(ward_id, role=role))


async def called(hospital: Hospital, route: Any, header: Headers, ids: dict[str, str]) -> tuple[int, str, str]:
    """Status, code and text of the answer; whatever the call takes is missing from it."""
    path = route.path
    for part in route.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            path = path.replace(part, "1" if name == "number" else ids.get(name) or new_id())
    (method,) = route.methods
    body = {"content": b""} if method in ("GET", "DELETE") else {"json": {}}
    answer = await hospital.client.request(method, path, headers=header, **body)
    problem = answer.json() if "problem" in answer.headers.get("content-type", "") else {}
    return answer.status_code, problem.get("code", ""), answer.text


def denied(route: Any, role: str) -> tuple[int, str]:
    """The answer to who may not."""
    guard = guard_of(route)
    at_home = isinstance(guard, RequiresAtHome) and ROLE_SCOPES[role].intersection(guard.scopes)
    if at_home:
        return 404, "not_found"
    holds = ROLE_SCOPES[role].intersection(getattr(guard, "scopes", ()))
    return 403, "not_allowed" if holds else "scope_missing"


def named(route: Any) -> set[str]:
    return {part.strip("{}") for part in route.path.split("/") if part.startswith("{")}


def test_the_page_is_that_of_the_code(database_url: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write it anew: python -m tests.access.table"


@pytest.mark.parametrize("role", TEAM)
async def test_the_own_ward(hospital: Hospital, role: str) -> None:
    ids = await scene(hospital)
    for route in routes():
        header = await as_role(hospital, role, ids["ward_id"])
        status, code, text = await called(hospital, route, header, ids)
        place, may = (role, route.methods, route.path, text), cell(route, role)
        assert status < 500, place
        if may == "–":
            assert (status, code) == denied(route, role), place
        else:
            assert code not in ("not_authenticated", "scope_missing"), place
            if role != "administrator" and named(route) <= OWNED:
                assert status != 404, place


@pytest.mark.parametrize("role", TEAM)
async def test_another_ward_is_not_there(hospital: Hospital, role: str) -> None:
    ids, elsewhere = await scene(hospital), await hospital.ward("Elsewhere")
    for route in routes():
        header = await as_role(hospital, role, elsewhere)
        status, code, text = await called(hospital, route, header, ids)
        place, may = (role, route.methods, route.path, text), cell(route, role)
        assert status < 500, place
        assert "Sentinel" not in text, place
        if may == "own wards":
            assert not [each for each in ids.values() if each in text], place
            if named(route) & OWNED:
                assert (status, code) == (404, "not_found"), place


async def test_without_a_ward_there_is_nothing(hospital: Hospital) -> None:
    ids, left = await scene(hospital), await hospital.ward("Left")
    staff_id = await hospital.staff_id(left)
    async with writing(hospital.app.state.database) as session:
        membership = METADATA.tables["membership"]
        await session.execute(delete(membership).where(membership.c.staff_id == staff_id))
    for route in routes():
        header = await hospital.token("staff", staff_id)
        status, code, text = await called(hospital, route, header, ids)
        if cell(route, "clinician") not in ("any", "yes"):
            assert (status, code) == (403, "scope_missing"), (route.path, text)
        assert "Sentinel" not in text


async def test_a_token_that_has_expired_opens_nothing(hospital: Hospital) -> None:
    ids = await scene(hospital)
    staff_id = await hospital.staff_id(ids["ward_id"], role="lead")
    with time_machine.travel(real_now() - timedelta(minutes=11), tick=True):
        expired = await hospital.token("staff", staff_id)
    refused = 0
    for route in routes():
        if cell(route, "lead") != "any":
            status, code, text = await called(hospital, route, expired, ids)
            assert (status, code) == (401, "not_authenticated"), (route.path, text)
            refused += 1
    assert refused > 60


async def test_a_discharged_stay_can_be_read_and_takes_no_reading(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    await bed.discharge()
    path = bed.path
    for suffix in ("", "/plans", "/readings"):
        assert (await hospital.client.get(path + suffix, headers=bed.team)).status_code == 200
    stay_id = path.rpartition("/")[2]
    body = {"stay_id": stay_id, "observed_at": hospital.app.state.clock.now().isoformat(), "spo2": 95}
    answer = await hospital.client.post("/v1/readings", headers=bed.team, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "stay_discharged")
