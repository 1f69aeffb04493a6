"""Values that have broken other services, in every place of a URL: no fault, on either database."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from service.settings import Settings
from tests.access.furnished import furnished
from tests.access.hospital import Hospital


def cursor(*after: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(after)).decode().rstrip("=")


ID, LATE, EARLY = "01936f5e-7b3a-7c21-9d4f-2a6b8c0d1e2f", "9998-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00"
NAIVE, BIG = "2026-11-22T08:00:00", 2**64 - 1
NASTY = (
    *[
        "%00",
        "a%00b",
        "%FF",
        "%ED%A0%80",
        "%E2%80%AE",
        "%F0%9F%92%A9",
        "%0d%0aX-A:1",
        "'%20OR%201=1",
        "%25s",
        "{}",
        "..%2f",
    ],
    *[
        "-1",
        "0",
        "18446744073709551615",
        "9223372036854775808",
        "1e400",
        "NaN",
        "Infinity",
        "0x1",
        "%EF%BC%91",
        "%D9%A3",
        "true",
        "null",
        "1_000",
    ],
    *["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9998-12-31T23:59:59-23:59", "1900-01-01T00:00:00%2B14:00"],
    *["2026-11-22T08:00:00", "2026-02-30T08:00:00Z", "2026-11-22T24:00:00Z", "2026-06-30T23:59:60Z"],
    *(ID, ID.upper(), f"urn:uuid:{ID}", f"{{{ID}}}", ID.replace("-", ""), "9" * 400, "x" * 3000),
)
"""As they stand in a URL."""
AFTER: tuple[tuple[Any, ...], ...] = (
    *((), (None,), (1,), ([],), ({},), ("x",), (ID,), (BIG,), (-BIG // 2,), (1.5, ID), (True, ID), (BIG, ID)),
    *((ID, ID), (NAIVE, ID), (LATE, "x"), (LATE, ID), (EARLY, ID), ("\0", ID), (ID, "\0")),
    *((BIG, False, LATE, ID), (3, False, NAIVE, ID), (3, True, LATE, "x"), (3, 0, LATE, ID), (3, False, "\0", ID)),
    *((-1, False, EARLY, ID), (3, False, EARLY, ID), (3, False, LATE, "\0")),
    *((EARLY, ID, LATE), (LATE, ID, NAIVE), (LATE, ID, "9999-12-31T23:59:59-14:00")),
)
CURSORS = ("!", "=", "A", *(cursor(*each) for each in AFTER))


@pytest.fixture
def settings(database_url: str, settings: Settings) -> Settings:
    return replace(settings, rate_limit=0)


def urls(path: str, parameters: list[dict[str, Any]], ids: dict[str, str]) -> Iterator[str]:
    """The path with one nasty value after the other, in each of its places."""
    for parameter in parameters:
        name = parameter["name"]
        if parameter["in"] == "query":
            yield from (f"{filled(path, ids)}?{name}={value}" for value in (CURSORS if name == "cursor" else NASTY))
        elif parameter["in"] == "path":
            yield from (filled(path.replace(f"{{{name}}}", value), ids) for value in NASTY)


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with the ids."""
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path


async def test_no_value_in_a_url_is_a_fault(hospital: Hospital) -> None:
    document = (await hospital.client.get("/openapi.json")).json()
    ward = await furnished(hospital)
    ids = {**ward.ids, "number": "1"}
    team = [ward.team, await hospital.auditor(ids["ward_id"])]
    transport = httpx.ASGITransport(hospital.app, raise_app_exceptions=False)
    faults, asked = [], 0
    async with httpx.AsyncClient(transport=transport, base_url="https://wardwatch.test") as client:
        for path, item in document["paths"].items():
            for url in urls(path, item.get("get", {}).get("parameters", []), ids):
                for header in team:
                    answer = await client.get(url, headers=header)
                    asked += 1
                    if answer.status_code >= 500:
                        faults.append(f"{answer.status_code} {url[:300]}")
    assert not faults, "\n".join(faults)
    assert asked > 2_000
