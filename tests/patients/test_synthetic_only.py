"""A service for trying things out takes test numbers only."""

from dataclasses import replace

import httpx
import pytest

from service.settings import Settings
from tests.access.hospital import Hospital
from tests.conftest import started
from tests.support.time import SettableClock

REAL_RANGE, TEST_RANGE = "4010232137", "9990000018"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_number_that_somebody_could_have_is_refused(settings: Settings, clock: SettableClock) -> None:
    async with started(replace(settings, synthetic_only=True), clock) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://wardwatch.test") as client:
            hospital = Hospital(app, client)
            ward_id = await hospital.ward()
            header = await hospital.clinician(ward_id)
            person = {"family_name": "A", "given_name": "B", "birth_date": "1950-01-01"}
            numbered = [{"system": "mrn", "value": "4"}, {"system": "nhs_number", "value": REAL_RANGE}]
            refused = await client.post(
                f"/v1/wards/{ward_id}/patients", headers=header, json={**person, "identifiers": numbered}
            )
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["pointer"] == "/identifiers/1/value"
            assert REAL_RANGE not in refused.text
            good = [{"system": "nhs_number", "value": TEST_RANGE}]
            patient = await hospital.patient(header, ward_id, identifiers=good)
            change = {"identifiers": numbered, "version": 1}
            changed = await client.patch(f"/v1/patients/{patient['id']}", headers=header, json=change)
            assert (changed.status_code, changed.json()["errors"][0]["code"]) == (422, "not_synthetic")
