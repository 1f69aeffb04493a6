"""A request that is wrong in several ways is refused for the first of them, in the order the API promises."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request

from service.access.guards import RequiresOnWard
from service.access.principals import Principal
from service.body import JsonBody, Schema
from service.errors import Conflict
from service.fields import new_id
from service.versions import require_version, seen_version
from tests.access.hospital import Hospital

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Change(Schema):
    name: str
    version: int | None = None


@pytest.fixture
def scratch(app: FastAPI) -> None:
    router = APIRouter()

    @router.post("/scratch/{ward_id}")
    async def change(
        request: Request,
        who: Annotated[Principal, Depends(RequiresOnWard("patients:write"))],
        body: Annotated[Change, Depends(JsonBody(Change, 1000))],
    ) -> None:
        require_version(seen_version(request, body.version), 7, {"name": "as it is"})
        raise Conflict

    app.include_router(router)


async def test_each_wrong_is_named_only_when_those_before_it_are_right(scratch: None, hospital: Hospital) -> None:
    ward, other = await hospital.ward(), await hospital.ward()
    may, may_not = await hospital.clinician(ward), await hospital.auditor(ward)
    large, text, broken = b"x" * 1001, {"content-type": "text/plain"}, b"{"
    json, good = {"content-type": "application/json"}, b'{"name": "n"}'
    steps = [
        (401, ward, {}, text, large),
        (403, other, may_not, text, large),
        (404, other, may, text, large),
        (404, "no id at all", may, text, large),
        (404, new_id(), may, text, large),
        (413, ward, may, json, large),
        (415, ward, may, text, broken),
        (400, ward, may, json, broken),
        (422, ward, may, json, b"{}"),
        (428, ward, may, json, good),
        (412, ward, may, json | {"if-match": '"6"'}, good),
        (409, ward, may, json | {"if-match": '"7"'}, good),
    ]
    for status, ward_id, token, headers, body in steps:
        answer = await hospital.client.post(f"/scratch/{ward_id}", content=body, headers=token | headers)
        assert answer.status_code == status, (status, answer.text)


async def test_who_may_not_is_told_what_it_takes(scratch: None, hospital: Hospital) -> None:
    ward = await hospital.ward()
    answer = await hospital.client.post(f"/scratch/{ward}", headers=await hospital.auditor(ward))
    assert answer.json()["required_scopes"] == ["patients:write"]
    assert "audit:read" in answer.json()["granted_scopes"]


async def test_who_is_late_is_shown_the_current_state(scratch: None, hospital: Hospital) -> None:
    ward = await hospital.ward()
    answer = await hospital.client.post(
        f"/scratch/{ward}", headers=await hospital.clinician(ward), json={"name": "n", "version": 6}
    )
    assert answer.status_code == 412
    assert answer.json()["current"] == {"name": "as it is"}
    assert answer.headers["etag"] == '"7"'
