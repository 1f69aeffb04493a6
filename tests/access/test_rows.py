"""The second line behind every route: without the first one, still nothing of another ward is shown."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import true

from service.access import visibility
from service.access.principals import Principal
from service.storage import acting
from tests.access.at_home import bedside
from tests.access.furnished import Furnished, furnished
from tests.access.hospital import Headers, Hospital
from tests.access.table import routes
from tests.access.walking import called

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
READS = [route for route in routes() if "GET" in route.methods]


def take_away_the_first_line(patch: pytest.MonkeyPatch) -> None:
    """Every query is shown everything, and every ward is everybody's."""
    for name, open_to_all in (
        ("visible", lambda _who, _owned: true()),
        ("require_ward", lambda _who, _ward_id: None),
    ):
        real = getattr(visibility, name)
        for module in list(sys.modules.values()):
            if module.__dict__.get(name) is real:
                patch.setattr(module, name, open_to_all)


@pytest.fixture
def without_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away_the_first_line(monkeypatch)


@pytest.fixture
def without_both(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the second line were not drawn either: what the tests look for is then found."""
    monkeypatch.setattr(acting, "TAKE_ROLE", "SELECT NULL WHERE $1::text IS NULL")
    take_away_the_first_line(monkeypatch)
    yield


async def shown(hospital: Hospital, header: Headers, ward: Furnished) -> list[str]:
    """The routes whose answers tell something of the ward's patients."""
    found = []
    for route in READS:
        status, _, text = await called(hospital, route, header, ward.ids)
        if route.path == "/v1/audit" and status == 200:
            # Entries of the whole service have no ward; a database cannot tell whom they concern.
            text = json.dumps([entry for entry in json.loads(text)["items"] if entry["ward_id"] is not None])
        if status == 200 and (ward.clinical in text or any(each in text for each in ward.known)):
            found.append(route.path)
        assert status < 500, (route.path, text)
    return found


@pytest.mark.usefixtures("without_the_first_line")
@pytest.mark.parametrize("role", ["clinician", "lead", "auditor", "partner", "administrator", "patient"])
async def test_nobody_is_shown_anything_of_another_ward(hospital: Hospital, role: str) -> None:
    ward, elsewhere = await furnished(hospital, "Sentinel"), await hospital.ward("Elsewhere")
    if role == "administrator":
        header = await hospital.administrator()
    elif role == "patient":
        header = await (await bedside(hospital, elsewhere)).app()
    elif role == "partner":
        header = await hospital.system(elsewhere)
    else:
        header = await hospital.token("staff", await hospital.staff_id(elsewhere, role=role))
    assert await shown(hospital, header, ward) == []


@pytest.mark.usefixtures("without_the_first_line")
async def test_somebody_at_home_is_shown_nothing_of_the_bed_beside(hospital: Hospital) -> None:
    ward = await furnished(hospital, "Sentinel")
    header = await (await bedside(hospital, ward.ids["ward_id"])).app()
    assert await shown(hospital, header, ward) == []


@pytest.mark.usefixtures("without_both")
async def test_without_both_lines_the_other_ward_is_shown(hospital: Hospital) -> None:
    ward, elsewhere = await furnished(hospital, "Sentinel"), await hospital.ward("Elsewhere")
    found = await shown(hospital, await hospital.clinician(elsewhere), ward)
    assert {"/v1/stays/{stay_id}", "/v1/patients/{patient_id}", "/v1/alerts/{alert_id}"} <= set(found)


@pytest.mark.usefixtures("without_the_first_line")
@pytest.mark.parametrize("verb", ["discharge", "pause", "transfer"])
async def test_nobody_changes_anything_of_another_ward(hospital: Hospital, verb: str) -> None:
    ids, elsewhere = (await furnished(hospital)).ids, await hospital.ward("Elsewhere")
    header = await hospital.clinician(elsewhere)
    body: dict[str, Any] = {
        "discharge": {"reason": "better", "outcomes": {}, "version": 1},
        "pause": {"until": "2030-01-01T00:00:00Z", "reason": "away", "version": 1},
        "transfer": {"ward_id": elsewhere, "version": 1},
    }[verb]
    answer = await hospital.client.post(f"/v1/stays/{ids['stay_id']}/{verb}", headers=header, json=body)
    assert answer.status_code == 404, answer.text
    own = await hospital.clinician(ids["ward_id"])
    stay = (await hospital.client.get(f"/v1/stays/{ids['stay_id']}", headers=own)).json()
    assert stay["status"] == "active"


@pytest.mark.usefixtures("without_the_first_line")
async def test_a_principal_that_claims_another_ward_is_told_to_the_database_with_their_own(hospital: Hospital) -> None:
    # What a guard lets through is not what the database is told: that comes from the token.
    ids, elsewhere = (await furnished(hospital)).ids, await hospital.ward("Elsewhere")
    who = Principal("x", "staff", "Sam", frozenset(), {elsewhere: "clinician"})
    assert who.acting.ward_ids == (elsewhere,)
    header = await hospital.clinician(elsewhere)
    answer = await hospital.client.get("/v1/alerts", params={"ward_id": ids["ward_id"]}, headers=header)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert ids["ward_id"] not in answer.text
