"""Every route, as every role: the answers are those of docs/access.md."""

from dataclasses import replace

import pytest
from sqlalchemy import delete

from service.settings import Settings
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.access.furnished import furnished
from tests.access.hospital import Headers, Hospital
from tests.access.table import PAGE, ROLES, cell, render, routes
from tests.access.walking import called, denied, named

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OWNED = {"ward_id", "stay_id", "patient_id", "alert_id", "reading_id", "carer_id"}
TEAM = tuple(role for role in ROLES if role not in ("patient", "carer"))


@pytest.fixture
def settings(database_url: str, settings: Settings) -> Settings:
    return replace(settings, rate_limit=0)


async def as_role(hospital: Hospital, role: str, ward_id: str) -> Headers:
    if role == "administrator":
        return await hospital.administrator()
    if role == "partner":
        return await hospital.system(ward_id)
    return await hospital.token("staff", await hospital.staff_id(ward_id, role=role))


def test_the_page_is_that_of_the_code(database_url: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "write it anew: python -m tests.access.table"


@pytest.mark.parametrize("role", TEAM)
async def test_the_own_ward(hospital: Hospital, role: str) -> None:
    ids = (await furnished(hospital, "Sentinel")).ids
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
    ward, elsewhere = await furnished(hospital, "Sentinel"), await hospital.ward("Elsewhere")
    ids, hidden = ward.ids, ward.clinical if role == "administrator" else ward.mark  # who manages accounts sees wards
    for route in routes():
        header = await as_role(hospital, role, elsewhere)
        status, code, text = await called(hospital, route, header, ids)
        place, may = (role, route.methods, route.path, text), cell(route, role)
        assert status < 500, place
        assert hidden not in text, place
        if may == "own wards":
            assert not [each for each in ids.values() if each in text], place
            if named(route) & OWNED:
                assert (status, code) == (404, "not_found"), place


async def test_without_a_ward_there_is_nothing(hospital: Hospital) -> None:
    ids, left = (await furnished(hospital, "Sentinel")).ids, await hospital.ward("Left")
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
