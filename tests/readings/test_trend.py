"""The trend of a stay: what the values did, where nothing came, what the limits were, which alerts stood."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.storage.engine import Database
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, open_partner


async def trend(partner: Partner, stay_id: str, **params: Any) -> Any:
    return await partner.get(f"/v1/stays/{stay_id}/trend", **params)


def span(hours: float = 4, **more: Any) -> dict[str, Any]:
    return {"from": START.isoformat(), "to": (START + timedelta(hours=hours)).isoformat(), **more}


async def test_each_point_holds_the_lowest_the_middle_and_the_highest(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    clock.advance(hours=4)
    for minutes, spo2 in ((0, 97), (10, 91), (59, 95), (60, 96), (239, 99)):
        await partner.kept(stay_id, spo2=spo2, observed_at=START + timedelta(minutes=minutes))
    said = await trend(partner, stay_id, **span(points=4))
    assert [each["spo2"] for each in said["buckets"]] == [
        {"min": 91, "median": 95, "max": 97},
        {"min": 96, "median": 96, "max": 96},
        None,
        {"min": 99, "median": 99, "max": 99},
    ]
    assert [each["count"] for each in said["buckets"]] == [3, 1, 0, 1]
    assert said["bucket_seconds"] == 3600
    assert said["buckets"][0]["from"] == said["from"] == "2026-11-22T08:00:00Z"
    assert said["buckets"][-1]["to"] == said["to"]


async def test_effort_and_poor_signals_are_counted_but_not_drawn(partner: Partner, stay_id: str) -> None:
    await partner.kept(stay_id, spo2=97)
    await partner.kept(stay_id, spo2=80, context="post_exertion_40_steps")
    await partner.kept(stay_id, spo2=60, signal_quality="poor")
    await partner.kept(stay_id, spo2=85, context="unknown")
    (point,) = (await trend(partner, stay_id, **span(points=1)))["buckets"]
    assert (point["spo2"]["min"], point["count"], point["others"]) == (97, 1, 3)


async def test_a_pause_longer_than_the_plan_leaves_room_for_is_a_gap(partner: Partner, clock: SettableClock) -> None:
    stay_id = await partner.admit(reading_times=["08:00", "20:00"])
    clock.advance(hours=60)
    for hours in (1, 13, 40):
        await partner.kept(stay_id, spo2=97, observed_at=START + timedelta(hours=hours))
    said = await trend(partner, stay_id, **span(72))
    assert said["gaps"] == [
        {"from": "2026-11-22T21:00:00Z", "to": "2026-11-24T00:00:00Z"},
        {"from": "2026-11-24T00:00:00Z", "to": "2026-11-24T20:00:00Z"},
    ], "the second ends now, not at the end of what was asked for"


async def test_limits_are_those_of_each_plan_version(partner: Partner, stay_id: str, clock: SettableClock) -> None:
    clock.advance(hours=2)
    version = (await partner.get(f"/v1/stays/{stay_id}"))["version"]
    body = {"profile": "hypercapnic", "baseline_spo2": 90, "version": version}
    answer = await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", body)
    assert answer.status_code == 200, answer.text
    first, second = (await trend(partner, stay_id, **span(4)))["limits"]
    assert (first["plan_version"], first["red_at"], first["amber_at"], first["baseline_spo2"]) == (1, 92, 94, None)
    assert (second["plan_version"], second["red_at"], second["baseline_spo2"]) == (2, 85, 90)
    assert (first["from"], first["to"]) == ("2026-11-22T08:00:00Z", second["from"])
    assert second["to"] == "2026-11-22T12:00:00Z"
    (only,) = (await trend(partner, stay_id, **span(1)))["limits"]
    assert only["plan_version"] == 1


async def test_alerts_of_the_span_are_shown_to_who_may_read_alerts(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database, clock: SettableClock
) -> None:
    clock.advance(hours=3)
    await partner.kept(stay_id, spo2=90, observed_at=START + timedelta(hours=3))
    (alert,) = (await trend(partner, stay_id, **span(4)))["alerts"]
    assert (alert["severity"], alert["peak_severity"], alert["state"]) == ("critical", "critical", "open")
    assert (await trend(partner, stay_id, **span(2)))["alerts"] == []
    reader = await open_partner(http, database, partner.ward_id, ["readings:read"])
    assert (await trend(reader, stay_id, **span(4)))["alerts"] is None


async def test_unless_said_it_is_the_week_up_to_now_in_a_hundred_points(partner: Partner, stay_id: str) -> None:
    said = await trend(partner, stay_id)
    assert (said["from"], said["to"]) == ("2026-11-15T08:00:00Z", "2026-11-22T08:00:00Z")
    assert len(said["buckets"]) == 100
    assert said["gaps"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-11-22T08:00:00Z", "to": "2026-11-22T08:00:00Z"},
        {"from": "2020-11-22T08:00:00Z", "to": "2026-11-22T08:00:00Z"},
        {"points": 0},
        {"points": 1001},
        {"from": "yesterday"},
    ],
)
async def test_a_span_that_cannot_be_drawn_is_refused(partner: Partner, stay_id: str, params: Any) -> None:
    answer = await partner.ask("GET", f"/v1/stays/{stay_id}/trend", params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_another_wards_stay_is_not_found(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    stranger = await open_partner(http, database)
    for path in (f"/v1/stays/{stay_id}/trend", "/v1/stays/nonsense/trend"):
        assert (await stranger.ask("GET", path)).status_code == 404
