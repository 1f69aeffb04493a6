"""What cannot be a reading is refused, with a pointer to what is wrong and what to do if unwell."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.fields import new_id
from service.storage.engine import Database
from tests.readings.refused import assert_refused, send_text
from tests.support.wards import Partner, open_partner, reading, rows_of

BAD_VALUES = [
    ("/spo2", '"94%"'), ("/spo2", "101"), ("/spo2", "100.1"), ("/spo2", "-1"), ("/spo2", "NaN"),
    ("/spo2", "Infinity"), ("/spo2", "1e999"), ("/spo2", "true"), ("/spo2", '"97"'), ("/spo2", "[97]"),
    ("/spo2", "{}"), ("/pulse_rate", "19"), ("/pulse_rate", "251"), ("/pulse_rate", "80.5"),
    ("/pulse_rate", '"80"'), ("/pulse_rate", "1" + "0" * 400), ("/respiratory_rate", "2"),
    ("/respiratory_rate", "61"), ("/systolic_bp", "49"), ("/systolic_bp", "301"),
    ("/diastolic_bp", "19"), ("/diastolic_bp", "201"), ("/temperature", "29.9"),
    ("/temperature", "43.1"), ("/oxygen_flow", "-0.1"), ("/oxygen_flow", "61"),
    ("/breathlessness", "10.5"), ("/breathlessness", "1.3"), ("/breathlessness", "-1"),
    ("/consciousness", '"awake"'), ("/feeling", '"fine"'), ("/context", '"sitting"'),
    ("/signal_quality", '"excellent"'), ("/source", '"fax"'), ("/symptoms/0", '["cough"]'),
    ("/symptoms", '"rash"'), ("/perfusion_index", "31"), ("/device", '"SN1"'),
    ("/device/serial", '{"serial": "1"}'), ("/observed_at", '"2026-11-22T08:00:00"'),
    ("/observed_at", '"2026-11-22"'), ("/observed_at", "1795334400"), ("/observed_at", '"1795334400"'),
    ("/observed_at", "null"), ("/observed_at", '"2026-02-30T08:00:00Z"'),
    ("/observed_at", '"2026-11-22T08:00:00Z\\u0000"'), ("/client_sent_at", '"2026-11-22T08:00:00"'),
    ("/client_reading_id", '""'), ("/client_reading_id", '"a\\u0000b"'),
    ("/client_reading_id", '"' + "x" * 129 + '"'), ("/client_reading_id", "7"),
    ("/entered_by", '"' + "x" * 121 + '"'), ("/device/id", '{"id": "' + "x" * 121 + '"}'),
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


@pytest.mark.hazard("H3")
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


async def test_a_refusal_for_a_stay_that_was_removed_is_nobodys_and_harms_no_other(
    app: FastAPI, partner: Partner, stay_id: str, database: Database
) -> None:
    intake, gone = app.state.intake, new_id()
    await asyncio.gather(*(intake.refuse(partner.ward_id, each, "invalid") for each in (gone, stay_id)))
    assert [row.stay_id for row in await rows_of(database, "refusal")] == [stay_id]
