"""Who may send, and how: tokens, scopes, sizes, kinds of body, and the order in which these are refused."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from service.body import BATCH_LIMIT, BODY_LIMIT
from service.storage.engine import Database
from tests.readings.refused import assert_refused, send_text
from tests.support.wards import Partner, open_partner, reading


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "bearer " + "x" * 3000]
)
async def test_without_a_token_that_holds_nobody_sends(partner: Partner, stay_id: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/v1/readings", "/v1/readings/batch"):
        answer = await partner.http.post(path, json=reading(stay_id), headers=headers)
        assert_refused(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_that_was_tampered_with_is_refused(partner: Partner, stay_id: str) -> None:
    head, claims, signature = partner.token.split(".")
    forged = signature[:-8] + ("A" if signature[-8] != "A" else "B") + signature[-7:]
    broken = replace(partner, token=f"{head}.{claims}.{forged}")
    assert_refused(await broken.send(stay_id), 401, "not_authenticated")


async def test_a_token_without_the_scope_is_told_which(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    reader = await open_partner(http, database, partner.ward_id, ["readings:read"])
    for path in ("/v1/readings", "/v1/readings/batch"):
        answer = await reader.ask("POST", path, reading(stay_id))
        problem = assert_refused(answer, 403, "scope_missing")
        assert problem["required_scopes"] == ["readings:write"]
        assert problem["granted_scopes"] == ["readings:read"]


# How it may be sent ----------------------------------------------------------------------------------------


def large(size: int) -> bytes:
    return b'{"spo2": 97, "x": "' + b"a" * size + b'"}'


async def in_pieces(text: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(text), 65_536):
        yield text[start : start + 65_536]


async def test_a_body_over_the_limit_is_refused(partner: Partner) -> None:
    assert_refused(await send_text(partner, large(BODY_LIMIT)), 413, "body_too_large")
    headers = {**partner.headers, "Content-Type": "application/json"}
    for path, limit in (("/v1/readings", BODY_LIMIT), ("/v1/readings/batch", BATCH_LIMIT)):
        chunked = await partner.http.post(path, content=in_pieces(large(limit)), headers=headers)
        assert "content-length" not in chunked.request.headers
        assert_refused(chunked, 413, "body_too_large")


async def test_a_small_gzip_that_grows_beyond_the_limit_is_refused(partner: Partner) -> None:
    for bomb in (gzip.compress(b" " * 50_000_000), gzip.compress(large(BODY_LIMIT))):
        assert len(bomb) < BODY_LIMIT
        answer = await send_text(partner, bomb, **{"Content-Encoding": "gzip"})
        assert_refused(answer, 413, "body_too_large")


async def test_a_reading_may_come_compressed(partner: Partner, stay_id: str) -> None:
    packed = gzip.compress(json.dumps(reading(stay_id, spo2=96)).encode())
    answer = await send_text(partner, packed, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 201
    assert (await partner.history(stay_id))[0]["spo2"] == 96
    for broken in (b"no gzip", packed[:-9]):
        answer = await send_text(partner, broken, **{"Content-Encoding": "gzip"})
        assert_refused(answer, 400, "malformed_json")


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {"Content-Type": "application/xml"}, {"Content-Encoding": "br"}],
)
async def test_other_kinds_of_body_are_not_read(partner: Partner, headers: dict[str, str]) -> None:
    assert_refused(await send_text(partner, b"{}", **headers), 415, "unsupported_media_type")


async def test_a_reading_sent_to_a_wrong_address_or_in_a_wrong_way_is_told_that_nobody_has_seen_it(
    partner: Partner, stay_id: str
) -> None:
    sent = reading(stay_id)
    for path in ("/v1/readings", "/v1/readings/batch", f"/v1/readings/{stay_id}/answers"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            assert_refused(await partner.ask(method, path, sent), 405, "method_not_allowed")
        for ending in ("/", "//"):
            assert_refused(await partner.ask("POST", path + ending, sent), 404, "not_found")
    for method, path in (("GET", "/v1/readings/x"), ("POST", f"/v1/readings/{stay_id}/evaluation"), ("GET", "/v1/x")):
        assert "safety_text" not in (await partner.ask(method, path)).json(), path


async def test_refusals_come_in_the_promised_order(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    """Each request is wrong in everything that comes after its own refusal, too."""
    reader = await open_partner(http, database, partner.ward_id, ["readings:read"])
    stranger = await open_partner(http, database)
    kept = reading(stay_id)
    await partner.ask("POST", "/v1/readings", kept)
    wrong = json.dumps({**kept, "spo2": 101}).encode()
    plain = {"Content-Type": "text/plain"}

    async def refused(by: Partner, text: bytes, **headers: str) -> int:
        return (await send_text(by, text, **headers)).status_code

    assert await refused(replace(partner, token="x"), large(BODY_LIMIT), **plain) == 401
    assert await refused(reader, large(BODY_LIMIT), **plain) == 403
    assert await refused(partner, large(BODY_LIMIT)) == 413
    assert await refused(partner, b"{", **plain) == 415
    assert await refused(partner, wrong[:-1]) == 400
    assert await refused(stranger, wrong) == 404
    assert await refused(partner, wrong) == 422
    assert await refused(stranger, json.dumps(kept).encode(), **{"Idempotency-Key": "x" * 129}) == 404
    assert await refused(partner, json.dumps({**kept, "spo2": 99}).encode()) == 409
