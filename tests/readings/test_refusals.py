"""What cannot be taken is refused with a reason and a safety text, and nothing of it stays."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.body import BATCH_LIMIT, BODY_LIMIT
from service.fields import new_id
from service.storage.engine import Database
from tests.support.time import SettableClock
from tests.support.wards import Partner, everything_in, open_partner, reading, rows_of

SENTINEL = "Zebedee-4711"


def assert_refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The one shape of every refusal of a reading."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
        "errors",
        "safety_text",
    }
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"].endswith(code)
    assert "not recorded" in problem["safety_text"]
    assert "999" in problem["safety_text"]
    return problem


async def send_text(partner: Partner, text: str | bytes, **headers: str) -> httpx.Response:
    return await partner.http.post(
        "/v1/readings",
        content=text,
        headers={**partner.headers, "Content-Type": "application/json", **headers},
    )


BAD_VALUES = [
    ("/spo2", '"94%"'), ("/spo2", "101"), ("/spo2", "100.1"), ("/spo2", "-1"), ("/spo2", "NaN"),
    ("/spo2", "Infinity"), ("/spo2", "1e999"), ("/spo2", "true"), ("/spo2", '"97"'), ("/spo2", "[97]"), ("/spo2", "{}"),
    ("/pulse_rate", "19"), ("/pulse_rate", "251"), ("/pulse_rate", "80.5"), ("/pulse_rate", '"80"'),
    ("/pulse_rate", "1" + "0" * 400), ("/respiratory_rate", "2"), ("/respiratory_rate", "61"), ("/systolic_bp", "49"),
    ("/systolic_bp", "301"), ("/diastolic_bp", "19"), ("/diastolic_bp", "201"), ("/temperature", "29.9"),
    ("/temperature", "43.1"), ("/oxygen_flow", "-0.1"), ("/oxygen_flow", "61"), ("/breathlessness", "10.5"),
    ("/breathlessness", "1.3"), ("/breathlessness", "-1"), ("/consciousness", '"awake"'), ("/feeling", '"fine"'),
    ("/context", '"sitting"'), ("/signal_quality", '"excellent"'), ("/source", '"fax"'), ("/symptoms/0", '["cough"]'),
    ("/symptoms", '"rash"'), ("/perfusion_index", "31"), ("/device", '"SN1"'), ("/device/serial", '{"serial": "1"}'),
    ("/observed_at", '"2026-11-22T08:00:00"'), ("/observed_at", '"2026-11-22"'), ("/observed_at", "1795334400"),
    ("/observed_at", '"1795334400"'), ("/observed_at", "null"), ("/observed_at", '"2026-02-30T08:00:00Z"'),
    ("/observed_at", '"2026-11-22T08:00:00Z\\u0000"'), ("/client_sent_at", '"2026-11-22T08:00:00"'),
    ("/client_reading_id", '""'), ("/client_reading_id", '"a\\u0000b"'), ("/client_reading_id", '"' + "x" * 129 + '"'),
    ("/client_reading_id", "7"), ("/entered_by", '"' + "x" * 121 + '"'), ("/device/id", '{"id": "' + "x" * 121 + '"}'),
    ("/device/model", '{"model": "' + "x" * 121 + '"}'), ("/sp02", "97"), ("/stay", '"x"'),
]  # fmt: skip


async def test_what_cannot_be_a_value_is_refused_with_a_pointer(partner: Partner, stay_id: str) -> None:
    for pointer, value in BAD_VALUES:
        name = pointer.split("/")[1]
        body = {**reading(stay_id), name: 0}
        text = json.dumps(body).replace(f'"{name}": 0', f'"{name}": {value}')
        problem = assert_refused(await send_text(partner, text), 422, "invalid")
        assert [error["pointer"] for error in problem["errors"]] == [pointer], (pointer, value)
        assert all(error["code"] and error["message"] for error in problem["errors"])
    assert await partner.history(stay_id) == []


async def test_the_longest_texts_that_are_taken_are_kept(partner: Partner, stay_id: str) -> None:
    longest = {
        "client_reading_id": "é" * 128,
        "entered_by": "é" * 120,
        "device": {"id": "é" * 120, "model": "é" * 120},
    }
    await partner.kept(stay_id, **longest, spo2=97)
    (row,) = await partner.history(stay_id)
    assert {name: row[name] for name in longest} == longest


async def test_every_refused_field_is_named(partner: Partner, stay_id: str) -> None:
    answer = await partner.send(stay_id, spo2=101, pulse_rate=1, oxygen=2)
    pointers = {error["pointer"] for error in assert_refused(answer, 422, "invalid")["errors"]}
    assert pointers == {"/spo2", "/pulse_rate", "/oxygen"}


@pytest.mark.parametrize("fields", [{}, {"oxygen_flow": 2}, {"perfusion_index": 2}, {"spo2": None}])
async def test_a_reading_that_says_nothing_about_the_person_is_refused(
    partner: Partner, stay_id: str, fields: dict[str, Any]
) -> None:
    body = {"stay_id": stay_id, "observed_at": "2026-11-22T08:00:00Z", **fields}
    problem = assert_refused(await partner.ask("POST", "/v1/readings", body), 422, "invalid")
    assert problem["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    "text", [b"", b"{", b"spo2=97", b'{"spo2": 97,}', b"\xff\xfe", b'{"a": "\\ud800"}', b"[" * 100_000]
)
async def test_what_is_no_json_is_malformed(partner: Partner, text: bytes) -> None:
    assert_refused(await send_text(partner, text), 400, "malformed_json")


@pytest.mark.parametrize("text", [b"[]", b"null", b'"x"', b"97", b"[{}]"])
async def test_json_that_is_no_reading_is_refused(partner: Partner, text: bytes) -> None:
    assert_refused(await send_text(partner, text), 422, "invalid")


async def test_a_stay_nobody_knows_is_not_found(partner: Partner) -> None:
    for unknown in (new_id(), new_id().upper()):
        assert_refused(await partner.send(unknown), 404, "not_found")
    assert_refused(await partner.send("stay-1"), 422, "invalid")
    answer = await partner.ask("POST", "/v1/readings", {"observed_at": "2026-11-22T08:00:00Z", "spo2": 97})
    assert assert_refused(answer, 422, "invalid")["errors"][0]["pointer"] == "/stay_id"


async def test_a_stay_of_another_ward_is_not_found_whatever_else_is_wrong(
    stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    stranger = await open_partner(http, database)
    for fields in ({"spo2": 97}, {"spo2": 101}, {"oxygen": 1}, {"source": "staff"}, {"observed_at": "now"}):
        assert_refused(await stranger.send(stay_id, **fields), 404, "not_found")
    rows = [reading(stay_id), reading(stay_id, spo2=101)]
    said = (await stranger.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    assert [row["problem"]["code"] for row in said["results"]] == ["not_found", "not_found"]
    assert await rows_of(database, "refusal") == []


async def test_a_stay_this_process_knows_is_still_not_found_by_others(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    await partner.kept(stay_id)
    assert_refused(await (await open_partner(http, database)).send(stay_id), 404, "not_found")


async def test_an_id_in_capitals_is_the_same_stay(partner: Partner, stay_id: str) -> None:
    assert (await partner.kept(stay_id.upper()))["stay_id"] == stay_id


async def test_a_discharged_stay_takes_no_new_reading(partner: Partner, stay_id: str) -> None:
    await partner.kept(stay_id)
    await partner.discharge(stay_id)
    assert_refused(await partner.send(stay_id, spo2=80), 409, "stay_discharged")
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": [reading(stay_id)]})).json()
    assert said["results"][0]["problem"]["code"] == "stay_discharged"
    assert len(await partner.history(stay_id)) == 1


async def test_a_client_does_not_speak_as_staff(partner: Partner, stay_id: str) -> None:
    problem = assert_refused(await partner.send(stay_id, source="staff"), 422, "invalid")
    assert problem["errors"][0]["pointer"] == "/source"


# Who may send ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "bearer " + "x" * 3000]
)
async def test_without_a_token_that_holds_nobody_sends(
    partner: Partner, stay_id: str, header: str | None
) -> None:
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


# Nothing of it stays ---------------------------------------------------------------------------------------


async def test_a_refused_value_is_neither_echoed_nor_kept(
    partner: Partner, stay_id: str, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong: list[dict[str, Any]] = [
        {name: SENTINEL}
        for name in (
            "spo2",
            "pulse_rate",
            "observed_at",
            "consciousness",
            "context",
            "feeling",
            "source",
            "device",
        )
    ]
    wrong += [{"symptoms": [SENTINEL]}, {"oxygen": SENTINEL}, {"spo2": 101.4711, "entered_by": SENTINEL}]
    wrong += [{"device": {"id": SENTINEL, "model": SENTINEL, "serial": SENTINEL}}, {"pulse_rate": 4711}]
    for fields in wrong:
        answer = await partner.send(stay_id, **{"client_reading_id": SENTINEL, **fields})
        assert_refused(answer, 422, "invalid")
        assert "4711" not in answer.text
    rows = [reading(stay_id, **{"client_reading_id": SENTINEL, **fields}) for fields in wrong]
    answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert answer.json()["rejected"] == len(wrong)
    assert "4711" not in answer.text
    for text in (f'{{"spo2": "{SENTINEL}"', json.dumps(SENTINEL), json.dumps({"stay_id": SENTINEL})):
        assert SENTINEL not in (await send_text(partner, text)).text
    assert "4711" not in await everything_in(database)
    assert "4711" not in "".join(capfd.readouterr())


# Something is sending and nothing arrives (R20) ------------------------------------------------------------


async def technical(partner: Partner, stay_id: str) -> list[tuple[str, str]]:
    return [
        (alert["title"], alert["severity"])
        for alert in await partner.alerts(stay_id)
        if alert["channel"] == "technical"
    ]


async def test_the_second_refusal_within_a_day_is_an_alert_until_one_is_accepted(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.send(stay_id, spo2=101)
    assert await technical(partner, stay_id) == []
    clock.advance(hours=23, minutes=59)
    await partner.send(stay_id, spo2="94%", observed_at=clock.now())
    assert await technical(partner, stay_id) == [("refused", "medium")]
    clock.advance(minutes=5)
    await partner.kept(stay_id, spo2=97, observed_at=clock.now())
    assert await technical(partner, stay_id) == []


async def test_refusals_more_than_a_day_apart_are_no_alert(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    await partner.send(stay_id, spo2=101)
    clock.advance(hours=24, minutes=1)
    await partner.send(stay_id, spo2=101)
    assert await technical(partner, stay_id) == []


async def test_refusals_of_two_stays_are_not_added_up(partner: Partner, stay_id: str) -> None:
    other = await partner.admit()
    for each in (stay_id, other):
        await partner.send(each, spo2=101)
        assert await technical(partner, each) == []


@pytest.mark.parametrize("fields", [{"source": "staff"}, {"oxygen": 1}, {"observed_at": "now"}])
async def test_every_kind_of_invalid_reading_counts(
    partner: Partner, stay_id: str, fields: dict[str, Any]
) -> None:
    for _ in range(2):
        assert_refused(await partner.send(stay_id, **fields), 422, "invalid")
    assert await technical(partner, stay_id) == [("refused", "medium")]


async def test_refused_rows_of_a_batch_count(partner: Partner, stay_id: str) -> None:
    rows = [reading(stay_id, spo2=101), reading(stay_id, source="staff")]
    await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert await technical(partner, stay_id) == [("refused", "medium")]


async def test_what_time_brought_about_is_told_when_a_refusal_is_noted(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    """The ward's events and counts follow, whatever made somebody look at the clock."""
    await partner.kept(stay_id, spo2=93)
    clock.advance(minutes=20)
    await partner.send(stay_id, spo2=101)
    (alert,) = await partner.alerts(stay_id)
    assert alert["severity"] == "high"
    assert (await partner.events())[-1]["type"] == "alert.worsened"
    counts = (await partner.get("/v1/alerts"))["meta"]["counts"]
    assert (counts["by_severity"]["high"], counts["by_severity"]["medium"]) == (1, 0)


async def test_a_refusal_says_when_and_why_but_not_what(
    partner: Partner, stay_id: str, database: Database, clock: SettableClock
) -> None:
    clock.advance(minutes=1)
    await partner.send(stay_id, spo2=101)
    (row,) = await rows_of(database, "refusal")
    assert (row.stay_id, row.code) == (stay_id, "less_than_equal")
    assert row.at - clock.now() < timedelta(seconds=1)
