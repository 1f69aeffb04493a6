"""A reading entered in error, over HTTP: marked, never deleted, judged again without it, and told."""

from typing import Any

import httpx
import pytest

from service.storage.engine import Database
from tests.support.time import SettableClock
from tests.support.wards import Partner, open_partner, rows_of


async def enter(partner: Partner, reading_id: str, reason: str = "wrong patient") -> httpx.Response:
    return await partner.ask("POST", f"/v1/readings/{reading_id}/entered-in-error", {"reason": reason})


async def entered(partner: Partner, reading_id: str) -> Any:
    answer = await enter(partner, reading_id)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_it_is_marked_and_the_alert_left_without_evidence_is_recovered(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    wrong = (await partner.kept(stay_id, spo2=88, breathlessness=1))["reading_id"]
    clock.advance(minutes=5)
    assert (await entered(partner, wrong))["entered_in_error"] is True
    (alert,) = await partner.alerts(stay_id)
    assert (alert["state"], alert["severity"]) == ("recovered", "critical")
    assert "entered in error" in alert["explanation"]["text"]
    (kept,) = await partner.history(stay_id)
    assert (kept["reading_id"], kept["spo2"], kept["entered_in_error"]) == (wrong, 88, True)
    told = [event for event in await partner.events() if event["type"] == "reading.corrected"]
    assert [event["subject"]["id"] for event in told] == [wrong]
    recovered = [event for event in await partner.events() if event["type"] == "alert.recovered"]
    assert [event["data"]["reason"] for event in recovered] == ["a reading was entered in error"]


async def test_from_then_on_it_is_in_no_window_and_no_curve(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    wrong = (await partner.kept(stay_id, spo2=40))["reading_id"]
    await entered(partner, wrong)
    at = clock.advance(minutes=5)
    after = await partner.kept(stay_id, spo2=45, observed_at=at)
    assert after["assessment"]["severity"] == "high", "a second value below 50 would be critical"
    points = (await partner.get(f"/v1/stays/{stay_id}/trend", points=1))["buckets"]
    assert points[0]["count"] + points[0]["others"] <= 1
    receipt = await partner.get(f"/v1/readings/{after['reading_id']}/evaluation")
    assert receipt["readings_known"] == 0


async def test_a_receipt_still_knows_what_was_known_when_it_was_given(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    wrong = (await partner.kept(stay_id, spo2=40))["reading_id"]
    second = await partner.kept(stay_id, spo2=45, observed_at=clock.advance(minutes=5))
    assert second["assessment"]["severity"] == "critical"
    clock.advance(minutes=5)
    await entered(partner, wrong)
    receipt = await partner.get(f"/v1/readings/{second['reading_id']}/evaluation")
    assert (receipt["severity"], receipt["severity_at_receipt"]) == ("critical", "critical")


async def test_what_an_error_had_cleared_stands_again(partner: Partner, stay_id: str, clock: SettableClock) -> None:
    await partner.kept(stay_id, spo2=94, breathlessness=0)
    await partner.kept(stay_id, spo2=97, observed_at=clock.advance(minutes=20))
    wrong = await partner.kept(stay_id, spo2=98, observed_at=clock.advance(minutes=20))
    assert await partner.alerts(stay_id) == []
    clock.advance(minutes=1)
    await entered(partner, wrong["reading_id"])
    (alert,) = await partner.alerts(stay_id)
    assert (alert["family"], alert["state"]) == ("oxygen", "open")
    assert alert["previous_alert_id"] is not None


async def test_said_twice_it_is_one_correction(partner: Partner, stay_id: str, database: Database) -> None:
    wrong = (await partner.kept(stay_id, spo2=88))["reading_id"]
    first, again = await entered(partner, wrong), await entered(partner, wrong)
    assert first == again
    assert [event["type"] for event in await partner.events()].count("reading.corrected") == 1
    assert len(await rows_of(database, "audit", action="reading.entered_in_error")) == 1


async def test_the_reason_is_kept_with_the_reading_and_told_to_nobody(
    partner: Partner, stay_id: str, database: Database
) -> None:
    wrong = (await partner.kept(stay_id, spo2=88))["reading_id"]
    assert (await enter(partner, wrong, "it was Mr Sentinel's")).status_code == 200
    assert "Sentinel" not in str(await partner.events())
    assert "Sentinel" not in str(await rows_of(database, "audit"))
    (row,) = await rows_of(database, "reading")
    assert row.entered_in_error_reason == "it was Mr Sentinel's"
    assert row.entered_in_error_by == partner.client_id


async def test_a_system_may_correct_only_what_it_sent(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    wrong = (await partner.kept(stay_id, spo2=88))["reading_id"]
    colleague = await open_partner(http, database, partner.ward_id)
    answer = await enter(colleague, wrong)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    stranger = await open_partner(http, database)
    assert (await enter(stranger, wrong)).status_code == 404
    assert (await enter(partner, "nonsense")).status_code == 404


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\0b"])
async def test_a_correction_needs_a_reason(partner: Partner, stay_id: str, reason: str) -> None:
    wrong = (await partner.kept(stay_id, spo2=88))["reading_id"]
    answer = await enter(partner, wrong, reason)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")
