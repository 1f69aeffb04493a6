"""The readings of a stay, read back."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.storage.engine import Database
from tests.support.time import START
from tests.support.wards import Partner, open_partner, reading


async def send_many(partner: Partner, stay_id: str, count: int) -> list[str]:
    """Readings of which every two were observed at the same instant; their ids, newest first."""
    rows = [reading(stay_id, START - timedelta(minutes=n // 2), spo2=97) for n in range(count)]
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    kept = [row["reading"] for row in said["results"]]
    kept.sort(key=lambda row: (row["observed_at"], row["reading_id"]), reverse=True)
    return [row["reading_id"] for row in kept]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_give_every_reading_once_newest_first(partner: Partner, stay_id: str, limit: int) -> None:
    ids = await send_many(partner, stay_id, 7)
    seen: list[str] = []
    path: str | None = f"/v1/stays/{stay_id}/readings?limit={limit}"
    while path:
        answer = await partner.ask("GET", path)
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        assert 0 < len(items) <= limit
        seen += [row["reading_id"] for row in items]
        path = answer.links.get("next", {}).get("url")
        assert (path is None) == (answer.json()["next_cursor"] is None)
    assert seen == ids


async def test_from_is_included_and_to_is_not(partner: Partner, stay_id: str) -> None:
    for hour in (5, 6, 7):
        await partner.kept(stay_id, spo2=90 + hour, observed_at=f"2026-11-22T0{hour}:00:00Z")

    async def between(**params: str) -> list[float]:
        items = (await partner.get(f"/v1/stays/{stay_id}/readings", **params))["items"]
        return [row["spo2"] for row in items]

    assert await between() == [97, 96, 95]
    assert await between(**{"from": "2026-11-22T06:00:00Z"}) == [97, 96]
    assert await between(to="2026-11-22T07:00:00Z") == [96, 95]
    assert await between(**{"from": "2026-11-22T08:00:00+02:00", "to": "2026-11-22T09:00:00+02:00"}) == [96]
    assert await between(**{"from": "2026-11-22T07:00:01Z"}) == []


async def test_pages_keep_to_the_limits_that_were_asked_for(partner: Partner, stay_id: str) -> None:
    await send_many(partner, stay_id, 9)
    since = (START - timedelta(minutes=2)).isoformat()
    path: str | None = f"/v1/stays/{stay_id}/readings"
    params: dict[str, Any] | None = {"from": since, "limit": 2}
    seen = 0
    while path:
        answer = await partner.ask("GET", path, params=params)
        seen += len(answer.json()["items"])
        path, params = answer.links.get("next", {}).get("url"), None
    assert seen == 6


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIyMDI2IiwiYSJd", "bnVsbA", "WyIyMDI2LTExLTIyVDA4OjAwOjAwIiwgIngiXQ"])
async def test_a_cursor_that_is_none_of_ours_is_refused(partner: Partner, stay_id: str, cursor: str) -> None:
    answer = await partner.ask("GET", f"/v1/stays/{stay_id}/readings", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invalid_cursor"


@pytest.mark.parametrize("value", ["2026-11-22T08:00:00", "2026-11-22", "1795334400", "yesterday"])
async def test_limits_without_an_offset_are_refused(partner: Partner, stay_id: str, value: str) -> None:
    answer = await partner.ask("GET", f"/v1/stays/{stay_id}/readings", params={"from": value})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_another_wards_token_finds_nothing(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    await partner.kept(stay_id, spo2=97)
    stranger = await open_partner(http, database)
    for path in (f"/v1/stays/{stay_id}/readings", "/v1/stays/nonsense/readings"):
        answer = await stranger.ask("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_reading_needs_its_scope(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    sender = await open_partner(http, database, partner.ward_id, ["readings:write"])
    answer = await sender.ask("GET", f"/v1/stays/{stay_id}/readings")
    assert answer.status_code == 403
    assert answer.json()["required_scopes"] == ["readings:read"]
    assert (await http.get(f"/v1/stays/{stay_id}/readings")).status_code == 401
