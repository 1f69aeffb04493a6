"""A batch: every row stands alone."""

import gzip
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.fields import new_id
from service.storage.engine import Database
from tests.support.time import START
from tests.support.wards import Partner, open_partner, reading, rows_of


async def test_a_batch_loses_only_its_bad_rows(partner: Partner, stay_id: str) -> None:
    other = await partner.admit()
    rows = [
        reading(stay_id, spo2=97),
        reading(stay_id, spo2=101),
        reading(other, spo2=90),
        "not a reading",
        reading(new_id()),
        reading(stay_id, source="staff"),
        {"observed_at": "2026-11-22T08:00:00Z", "spo2": 97},
        reading(stay_id, spo2=96, observed_at="08:00", pulse_rate=1),
        reading(other, spo2=91, device={"serial": "x/y~z"}),
        reading(stay_id, spo2=95),
    ]
    answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["created"], said["replayed"], said["rejected"]) == (3, 0, 7)
    assert [row["index"] for row in said["results"]] == list(range(10))
    assert {row["index"] for row in said["results"] if row["status"] == "created"} == {0, 2, 9}
    pointers = {
        row["index"]: [error["pointer"] for error in row["problem"]["errors"]]
        for row in said["results"]
        if row["status"] == "rejected"
    }
    assert pointers == {
        1: ["/readings/1/spo2"],
        3: ["/readings/3"],
        4: [],
        5: ["/readings/5/source"],
        6: ["/readings/6/stay_id"],
        7: ["/readings/7/observed_at", "/readings/7/pulse_rate"],
        8: ["/readings/8/device/serial"],
    }
    assert said["results"][4]["problem"]["status"] == 404
    assert all("999" in row["problem"]["safety_text"] for row in said["results"] if "problem" in row)
    assert sorted(row["spo2"] for row in await partner.history(stay_id)) == [95, 97]
    assert [alert["stay_id"] for alert in await partner.alerts() if alert["family"] == "oxygen"] == [other]


async def test_rows_are_judged_by_time_of_observation_and_answered_as_sent(partner: Partner, stay_id: str) -> None:
    rows = [
        reading(stay_id, START - timedelta(minutes=minute), spo2=spo2, breathlessness=1)
        for minute, spo2 in ((0, 97), (40, 91), (20, 96), (35, 90))
    ]
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    assert [row["reading"]["judged_spo2"] for row in said["results"]] == [97, 91, 96, 90]
    assert [[each["change"] for each in row["reading"]["alerts"]] for row in said["results"]] == [
        ["recovered"],
        ["opened"],
        [],
        ["confirmed"],
    ]
    assert {row["reading"]["received_at"] for row in said["results"]} == {"2026-11-22T08:00:00Z"}
    (alert,) = await partner.alerts(stay_id)
    assert (alert["state"], alert["severity"], alert["confirmed"]) == ("recovered", "high", True)


async def test_a_thousand_rows_are_taken_and_one_more_is_refused(partner: Partner, stay_id: str) -> None:
    rows = [reading(stay_id, START - timedelta(seconds=n), spo2=97) for n in range(1001)]
    answer = await partner.ask("POST", "/v1/readings/batch", {"readings": rows})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/readings"
    assert await partner.history(stay_id) == []
    body = gzip.compress(json.dumps({"readings": rows[:1000]}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", **partner.headers}
    for word in ("created", "replayed"):
        answer = await partner.http.post("/v1/readings/batch", content=body, headers=headers)
        assert answer.json()[word] == 1000
    assert [row["observed_at"] for row in await partner.history(stay_id)] == sorted(
        {row["observed_at"] for row in await partner.history(stay_id)}, reverse=True
    )


async def test_a_thousand_bad_rows_share_their_commits(partner: Partner, stay_id: str, database: Database) -> None:
    rows = [reading(stay_id, spo2=101) for _ in range(1000)]
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    assert said["rejected"] == len(await rows_of(database, "refusal")) == 1000
    (alert,) = await partner.alerts(stay_id)
    assert (alert["title"], alert["severity"]) == ("refused", "medium")


async def test_what_is_no_batch_is_refused_as_a_whole(partner: Partner) -> None:
    for body, pointer in (
        ({}, "/readings"),
        ({"readings": []}, "/readings"),
        ({"readings": {}}, "/readings"),
        ({"readings": [], "more": 1}, "/readings"),
        ([], ""),
    ):
        answer = await partner.ask("POST", "/v1/readings/batch", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert "999" in answer.json()["safety_text"]
    for text in (b'{"readings": [', b'{"readings": ["\\ud83d"]', b'{"readings": ["\xff"]}', b"[" * 100_000):
        answer = await partner.http.post("/v1/readings/batch", content=text, headers=partner.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


async def test_rows_of_several_wards_are_kept_by_who_works_on_both(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    other = await open_partner(http, database)
    elsewhere = await other.admit()
    rows = [reading(stay_id, spo2=90), reading(elsewhere, spo2=90)]
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    assert [row["status"] for row in said["results"]] == ["created", "rejected"]
    assert said["results"][1]["problem"]["code"] == "not_found"
    assert await other.alerts() == []


@pytest.mark.hazard("H1")
async def test_half_an_emoji_loses_its_own_row_and_no_other(partner: Partner, stay_id: str) -> None:
    faults: dict[str, dict[str, Any]] = {
        "/readings/1/device/model": {"device": {"model": "Oximeter \ud83d"}},
        "/readings/2/client_reading_id": {"client_reading_id": "\ude00"},
        "/readings/3/consciousness": {"consciousness": "\ud83d"},
        "/readings/4/stay_id": {"stay_id": "\ud83d"},
        "/readings/5/device": {"device": {"\ud83d": 1}},
        "/readings/6": {"note \ud83d": 1},
    }
    bad = [{**reading(stay_id, spo2=89), **fault} for fault in faults.values()]
    rows = [reading(stay_id, spo2=90), *bad, reading(stay_id, spo2=88)]
    headers = {"Content-Type": "application/json", **partner.headers}
    answer = await partner.http.post("/v1/readings/batch", content=json.dumps({"readings": rows}), headers=headers)
    assert answer.status_code == 200
    said = answer.json()["results"]
    assert [row["status"] for row in said] == ["created", *["rejected"] * 6, "created"]
    problems = [row["problem"] for row in said[1:-1]]
    assert [error["pointer"] for problem in problems for error in problem["errors"]] == list(faults)
    assert sorted(row["spo2"] for row in await partner.history(stay_id)) == [88, 90]


@pytest.mark.hazard("H1")
async def test_a_name_given_twice_loses_its_own_row_and_no_other(partner: Partner, stay_id: str) -> None:
    good = json.dumps(reading(stay_id, spo2=90))
    head = f'{{"observed_at": "2026-11-22T08:00:00Z", "spo2": 97, "stay_id": "{stay_id}"'
    faults = {
        "/readings/1/spo2": f'{head}, "spo2": 90}}',
        "/readings/2/device": f'{head}, "device": {{"id": "a", "id": "b"}}}}',
        "/readings/3/stay_id": f'{head}, "stay_id": "{new_id()}"}}',
        "/readings/4": f'{head}, "\\ud83d": 1, "\\ud83d": 2}}',
        "/readings/5/pulse_rate": f'{head}, "pulse_rate": {"9" * 5000}}}',
        "/readings/6": "[]",
    }
    body = f'{{"readings": [{good}, {",".join(faults.values())}]}}'
    headers = {"Content-Type": "application/json", **partner.headers}
    answer = await partner.http.post("/v1/readings/batch", content=body, headers=headers)
    assert answer.status_code == 200
    said = answer.json()["results"]
    assert [row["status"] for row in said] == ["created", *["rejected"] * 6]
    errors = [error for row in said[1:] for error in row["problem"]["errors"]]
    assert [error["pointer"] for error in errors] == list(faults)
    assert {error["code"] for error in errors[:4]} == {"given_twice"}
    assert errors[-1]["message"] == "Input should be an object"
    assert [row["spo2"] for row in await partner.history(stay_id)] == [90]
