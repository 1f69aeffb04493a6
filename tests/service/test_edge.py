"""What every answer carries, what no request may be, and how many there may be."""

import re
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select

from service.access.rates import OF_STRANGERS
from service.fields import new_id
from service.settings import Settings
from service.storage.session import reading
from service.storage.tables import AuditRow
from tests.access.hospital import Hospital
from tests.conftest import started
from tests.support.time import SettableClock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = "https://board.ward.test"


def client_of(application, url: str = "https://wardwatch.test") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=url)


async def test_every_answer_says_how_it_may_be_used(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    header = await hospital.clinician(ward_id)
    patient = await hospital.patient(header, ward_id)
    for path, status in (
        (f"/v1/patients/{patient['id']}", 200),
        ("/v1/wards", 200),
        ("/nowhere", 404),
        ("/livez", 200),
        (f"/v1/patients/{new_id()}", 404),
    ):
        answer = await hospital.client.get(path, headers=header)
        assert answer.status_code == status
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    queue = await hospital.client.get("/v1/alerts", headers=header)
    assert queue.headers.get_list("cache-control") == ["private, no-cache"]


async def test_a_fault_carries_the_headers_too(app, hospital: Hospital) -> None:
    async def fail() -> None:
        raise RuntimeError

    app.add_api_route("/fails", fail)
    async with client_of(app) as client:
        answer = await client.get("/fails", headers={"X-Request-ID": "look-for-me"})
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get_list("x-request-id") == ["look-for-me"]


async def test_only_encrypted_connections_are_promised(app, settings: Settings, clock: SettableClock) -> None:
    async with client_of(app, "http://wardwatch.test") as client:
        assert "strict-transport-security" not in (await client.get("/livez")).headers
    behind = replace(settings, public_url="https://wardwatch.test")
    async with started(behind, clock) as other, client_of(other, "http://wardwatch.test") as client:
        assert "strict-transport-security" in (await client.get("/livez")).headers


async def test_urls_and_headers_have_limits(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez?" + "x" * 9000)).status_code == 414
    assert (await client.get("/livez", headers={"x-long": "x" * 40_000})).status_code == 431
    many = [(f"x-{number}", "1") for number in range(120)]
    answer = await client.get("/livez", headers=many)
    assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")
    assert (await client.get("/livez?" + "x" * 4000, headers=many[:80])).status_code == 200


async def test_the_page_of_calls_loads_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.status_code == 200
    assert "/v1/readings" in answer.text
    assert not re.search(r"<script|<link|<img|(?:src|href)=\"(?!/openapi\.json|#)", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert (await client.get("/redoc")).status_code == 404


async def test_security_txt_says_whom_to_tell(app, settings: Settings, clock: SettableClock) -> None:
    async with client_of(app) as client:
        assert (await client.get("/.well-known/security.txt")).status_code == 404
    named = replace(settings, security_contact="mailto:security@ward.test")
    async with started(named, clock) as other, client_of(other) as client:
        text = (await client.get("/.well-known/security.txt")).text
    assert re.fullmatch(
        r"Contact: mailto:security@ward\.test\nExpires: 20\d\d-\d\d-\d\dT00:00:00Z\nPreferred-Languages: en\n", text
    )


async def test_pages_from_elsewhere_are_let_in_only_by_name(app, settings: Settings, clock: SettableClock) -> None:
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    async with client_of(app) as client:
        assert (await client.options("/v1/alerts", headers=asks)).status_code == 405
        assert "access-control-allow-origin" not in (await client.get("/livez", headers={"Origin": PAGE})).headers
    async with started(replace(settings, cors_origins=(PAGE,)), clock) as other, client_of(other) as client:
        allowed = await client.options("/v1/alerts", headers=asks)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
        answer = await client.get("/v1/alerts", headers={"Origin": PAGE})
        assert answer.status_code == 401
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert exposed >= {"ETag", "Link", "Retry-After", "X-Request-ID", "Idempotency-Replayed"}
        assert "access-control-allow-credentials" not in answer.headers
        stranger = await client.get("/livez", headers={"Origin": "https://elsewhere.test"})
        assert "access-control-allow-origin" not in stranger.headers


async def test_where_a_request_came_from_is_no_text_of_any_length(hospital: Hospital) -> None:
    header = await hospital.clinician(await hospital.ward())
    transport = httpx.ASGITransport(hospital.app, client=("x" * 500, 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://wardwatch.test") as client:
        assert (await client.post("/v1/me/sign-out-everywhere", headers=header)).status_code == 204
    async with reading(hospital.app.state.database) as session:
        addresses = (await session.execute(select(AuditRow.address).where(AuditRow.action == "sign_out"))).scalars()
        assert [each and len(each) for each in addresses] == [64]


# How many a minute -----------------------------------------------------------------------------------------


async def test_a_principal_has_a_number_of_requests_a_minute(settings: Settings, clock: SettableClock) -> None:
    async with started(replace(settings, rate_limit=3), clock) as app, client_of(app) as client:
        hospital = Hospital(app, client)
        ward_id = await hospital.ward()
        header, other = await hospital.clinician(ward_id), await hospital.clinician(ward_id)
        for left in (2, 1, 0):
            answer = await client.get("/v1/alerts", headers=header)
            assert answer.status_code == 200
            assert re.fullmatch(rf'"minute";r={left};t=(\d+)', answer.headers["ratelimit"])
        refused = await client.get("/v1/alerts", headers=header)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit"].startswith('"minute";r=0;')
        assert (await client.post("/v1/readings", headers=header, json={})).status_code == 429
        assert (await client.get("/v1/alerts", headers=other)).status_code == 200


async def test_an_address_that_brings_no_valid_token_is_slowed_down(app, client: httpx.AsyncClient) -> None:
    hospital = Hospital(app, client)
    header = await hospital.clinician(await hospital.ward())
    wrong = {"Authorization": "Bearer nonsense"}
    asked = [(await client.get("/v1/wards", headers=wrong)).status_code for _ in range(OF_STRANGERS)]
    assert set(asked) == {401}
    assert (await client.get("/v1/wards", headers=wrong)).status_code == 429
    assert (await client.get("/v1/wards")).status_code == 429
    assert (await client.post("/oauth/token", data={"grant_type": "password"})).status_code == 429
    assert (await client.get("/v1/wards", headers=header)).status_code == 200
