"""An alert whose checkpoint cannot be read, one of another release, say: people can still work it, and end the stay. A
plan that cannot be read: its stay can be moved."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from service.storage.engine import Database
from service.storage.tables import METADATA
from tests.access.hospital import Headers, Hospital
from tests.support.time import SettableClock
from tests.support.wards import Partner

ALERT, PLAN = METADATA.tables["alert"], METADATA.tables["plan"]
STANDS = ("family", "title", "severity", "peak_severity", "explanation", "first_breach_at", "reading_count")


@pytest.fixture
async def nurse(hospital: Hospital, partner: Partner) -> Headers:
    return await hospital.clinician(partner.ward_id)


async def spoil(database: Database, alert_id: str, **values: Any) -> None:
    async with database.writes.begin() as connection:
        values = {"machine": {"from": "elsewhere"}, **values}
        await connection.execute(update(ALERT).where(ALERT.c.id == alert_id).values(values))


async def red(partner: Partner, database: Database, **spoilt: Any) -> dict[str, Any]:
    """A critical alert as it is shown, which can no longer be read."""
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=90, breathlessness=1)
    (alert,) = await partner.alerts(stay_id)
    await spoil(database, alert["id"], **spoilt)
    found: dict[str, Any] = alert
    return found


async def end(partner: Partner, stay_id: str, outcomes: dict[str, str]) -> httpx.Response:
    version = (await partner.get(f"/v1/stays/{stay_id}"))["version"]
    body = {"reason": "better", "outcomes": outcomes, "version": version}
    return await partner.ask("POST", f"/v1/stays/{stay_id}/discharge", body)


async def test_its_stay_ends_with_the_outcome_that_it_needs(partner: Partner, database: Database) -> None:
    alert = await red(partner, database)
    refused = await end(partner, alert["stay_id"], {})
    assert [each["pointer"] for each in refused.json()["errors"]] == [f"/outcomes/{alert['id']}"]
    ended = await end(partner, alert["stay_id"], {alert["id"]: "admitted_to_hospital"})
    assert ended.status_code == 200, ended.text
    closed = await partner.get(f"/v1/alerts/{alert['id']}")
    assert (closed["state"], closed["outcome"]) == ("resolved", "admitted_to_hospital")
    assert {name: closed[name] for name in STANDS} == {name: alert[name] for name in STANDS}
    counts = (await partner.get("/v1/alerts"))["meta"]["counts"]
    assert set(counts["by_state"].values()) == {0}


async def test_a_person_takes_it_and_no_reading_lowers_it_by_itself(
    partner: Partner, database: Database, nurse: Headers, clock: SettableClock
) -> None:
    alert = await red(partner, database)
    path = f"/v1/alerts/{alert['id']}"
    taken = await partner.http.post(f"{path}/acknowledge", headers=nurse, json={"version": alert["version"]})
    assert taken.status_code == 200, taken.text
    assert {name: taken.json()[name] for name in STANDS} == {name: alert[name] for name in STANDS}
    for _ in range(3):
        clock.advance(minutes=20)
        await partner.kept(alert["stay_id"], spo2=97, observed_at=clock.now())
    after = await partner.get(path)
    assert (after["state"], after["severity"], after["recovered_at"]) == (
        "acknowledged", "critical", "2026-11-22T08:40:00Z",
    )  # fmt: skip


@pytest.mark.parametrize("rule_ids", [["R20"], ["X9"]], ids=["its rules are known", "rules of another release"])
async def test_a_transfer_raises_it_again_as_severe(
    partner: Partner, database: Database, hospital: Hospital, rule_ids: list[str]
) -> None:
    there = await hospital.ward("Birch")
    both = await hospital.clinician(partner.ward_id, there)
    stay_id = await partner.admit()
    for spo2 in (101, 102):
        assert (await partner.send(stay_id, spo2=spo2)).status_code == 422
    (alert,) = await partner.alerts(stay_id)
    await spoil(database, alert["id"], explanation={**alert["explanation"], "rule_ids": rule_ids}, severity=4)
    body = {"version": 1, "ward_id": there}
    moved = await partner.http.post(f"/v1/stays/{stay_id}/transfer", headers=both, json=body)
    assert moved.status_code == 200, moved.text
    found = await partner.http.get("/v1/alerts", headers=both, params={"ward_id": there})
    (again,) = found.json()["items"]
    assert (again["family"], again["severity"], again["state"]) == ("technical", "critical", "open")
    assert again["explanation"]["rule_ids"] == rule_ids


async def test_a_stay_whose_plan_cannot_be_read_moves_with_its_alerts(
    partner: Partner, database: Database, hospital: Hospital
) -> None:
    there = await hospital.ward("Birch")
    both = await hospital.clinician(partner.ward_id, there)
    stay_id = await partner.admit()
    async with database.writes.begin() as connection:
        await connection.execute(update(PLAN).where(PLAN.c.stay_id == stay_id).values(red_at=50))
    await partner.kept(stay_id, spo2=90)
    body = {"version": 1, "ward_id": there}
    moved = await partner.http.post(f"/v1/stays/{stay_id}/transfer", headers=both, json=body)
    assert moved.status_code == 200, moved.text
    found = await partner.http.get("/v1/alerts", headers=both, params={"ward_id": there})
    assert [(each["family"], each["severity"]) for each in found.json()["items"]] == [
        ("oxygen", "critical"),
        ("technical", "high"),
    ]
