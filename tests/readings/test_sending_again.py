"""Sending again is safe: the same reading is the same, whoever lost the answer."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from service.readings.schemas import ReadingIn
from service.readings.sending import submission
from service.readings.store import reading_table
from service.storage.engine import Database
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, open_partner, reading, rows_of


@pytest.mark.hazard("H10")
async def test_the_same_reading_again_is_the_one_that_is_kept(partner: Partner, stay_id: str) -> None:
    body = reading(stay_id, spo2=91, breathlessness=1)
    first = await partner.ask("POST", "/v1/readings", body)
    again = await partner.ask("POST", "/v1/readings", {**body, "client_sent_at": "2026-11-22T08:01:00Z"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    same = ("reading_id", "stay_id", "observed_at", "received_at", "judged_spo2", "news2", "late", "quality")
    assert {name: again.json()[name] for name in same} == {name: first.json()[name] for name in same}
    assert again.json()["alerts"] == []
    assert len(await partner.history(stay_id)) == 1
    (alert,) = await partner.alerts(stay_id)
    assert alert["reading_count"] == 1


@pytest.mark.hazard("H10")
async def test_the_same_id_with_other_content_is_a_conflict_and_the_first_stands(
    partner: Partner, stay_id: str
) -> None:
    body = reading(stay_id, spo2=96)
    await partner.ask("POST", "/v1/readings", body)
    for other in ({"spo2": 95}, {"observed_at": "2026-11-22T08:00:01Z"}, {"breathlessness": 0}):
        answer = await partner.ask("POST", "/v1/readings", {**body, **other})
        assert answer.status_code == 409
        assert answer.json()["code"] == "reading_differs"
        assert "999" in answer.json()["safety_text"]
    assert [row["spo2"] for row in await partner.history(stay_id)] == [96]


async def test_the_same_instant_written_with_another_offset_is_the_same_reading(partner: Partner, stay_id: str) -> None:
    body = reading(stay_id, spo2=96)
    await partner.ask("POST", "/v1/readings", body)
    answer = await partner.ask("POST", "/v1/readings", {**body, "observed_at": "2026-11-22T10:00:00+02:00"})
    assert answer.status_code == 200


async def test_the_same_id_from_another_client_is_another_reading(
    partner: Partner, stay_id: str, http: httpx.AsyncClient, database: Database
) -> None:
    other = await open_partner(http, database, partner.ward_id)
    body = reading(stay_id, spo2=96, client_reading_id="7")
    answers = [await each.ask("POST", "/v1/readings", body) for each in (partner, other)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["reading_id"] for answer in answers}) == 2


async def test_the_same_id_for_another_stay_is_another_reading(partner: Partner, stay_id: str) -> None:
    for each in (stay_id, await partner.admit()):
        assert (await partner.send(each, client_reading_id="7")).status_code == 201


async def test_the_idempotency_key_names_a_reading_without_an_id(partner: Partner, stay_id: str) -> None:
    async def send(key: str, spo2: float) -> int:
        body = reading(stay_id, client_reading_id=None, spo2=spo2)
        return (await partner.ask("POST", "/v1/readings", body, headers={"Idempotency-Key": key})).status_code

    assert await send("first", 96) == 201
    assert await send("first", 96) == 200
    assert await send("first", 95) == 409
    assert await send("second", 96) == 201
    assert len(await partner.history(stay_id)) == 2


async def test_the_id_in_the_body_goes_before_the_header(partner: Partner, stay_id: str) -> None:
    async def send(name: str) -> int:
        body = reading(stay_id, client_reading_id=name)
        answer = await partner.ask("POST", "/v1/readings", body, headers={"Idempotency-Key": "one request"})
        return answer.status_code

    assert [await send("a"), await send("b"), await send("a")] == [201, 201, 200]


async def test_without_any_name_the_exact_instant_and_values_are_the_reading(partner: Partner, stay_id: str) -> None:
    async def send(**fields: float) -> int:
        return (await partner.send(stay_id, **{"client_reading_id": None, "spo2": 96, **fields})).status_code

    assert await send() == 201
    assert await send() == 200
    assert await send(breathlessness=0) == 201
    assert await send(spo2=95) == 201
    assert len(await partner.history(stay_id)) == 3


async def test_an_id_cannot_be_mistaken_for_a_key_or_a_content(partner: Partner, stay_id: str) -> None:
    await partner.kept(stay_id, client_reading_id="request:x")
    body = reading(stay_id, client_reading_id=None)
    answer = await partner.ask("POST", "/v1/readings", body, headers={"Idempotency-Key": "x"})
    assert answer.status_code == 201


@pytest.mark.hazard("H7")
async def test_a_replay_is_answered_with_the_assessment_of_now(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    early = reading(stay_id, spo2=96, breathlessness=1)
    first = await partner.ask("POST", "/v1/readings", early)
    assert first.json()["assessment"]["advice_code"] == "carry_on"
    clock.advance(hours=3)
    await partner.kept(stay_id, spo2=90, breathlessness=1, observed_at=clock.now())
    clock.advance(minutes=5)
    await partner.kept(stay_id, spo2=90, breathlessness=1, observed_at=clock.now())
    again = (await partner.ask("POST", "/v1/readings", early)).json()
    assert again["reading_id"] == first.json()["reading_id"]
    assert again["assessment"]["advice_code"] == "emergency"
    assert again["assessment"]["assessed_at"] == "2026-11-22T11:05:00Z"
    assert again["received_at"] == "2026-11-22T08:00:00Z"


async def test_a_replay_after_the_discharge_is_still_the_reading_that_was_kept(partner: Partner, stay_id: str) -> None:
    body = reading(stay_id)
    first = await partner.ask("POST", "/v1/readings", body)
    await partner.discharge(stay_id)
    again = await partner.ask("POST", "/v1/readings", body)
    assert again.status_code == 200
    assert again.json()["reading_id"] == first.json()["reading_id"]


async def test_whatever_is_sent_after_the_discharge_alerts_nobody(
    partner: Partner, stay_id: str, clock: SettableClock
) -> None:
    """Not even of what the watch over the stay had not seen yet: another plan, in the last seconds."""
    body = reading(stay_id)
    await partner.ask("POST", "/v1/readings", body)
    plan = {"reading_times": ["09:00", "12:00"], "version": (await partner.get(f"/v1/stays/{stay_id}"))["version"]}
    assert (await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", plan)).status_code == 200
    await partner.discharge(stay_id)
    events = await partner.events()
    clock.advance(hours=40)
    again, new = await partner.ask("POST", "/v1/readings", body), await partner.send(stay_id, spo2=80)
    assert (again.status_code, new.status_code) == (200, 409)
    assert await partner.alerts(stay_id) == []
    assert await partner.events() == events


@pytest.mark.hazard("H10")
async def test_the_same_reading_at_the_same_moment_is_kept_once(
    partner: Partner, stay_id: str, database: Database
) -> None:
    body = reading(stay_id, spo2=90, breathlessness=1)
    answers = await asyncio.gather(*(partner.ask("POST", "/v1/readings", body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["reading_id"] for answer in answers}) == 1
    assert {answer.json()["assessment"]["severity"] for answer in answers} == {"critical"}
    assert len(await rows_of(database, "reading")) == len(await rows_of(database, "idempotency")) == 1


async def test_two_contents_under_one_id_at_the_same_moment_leave_one(partner: Partner, stay_id: str) -> None:
    bodies = [reading(stay_id, client_reading_id="7", spo2=90 + n % 2) for n in range(10)]
    answers = await asyncio.gather(*(partner.ask("POST", "/v1/readings", body) for body in bodies))
    codes = [answer.status_code for answer in answers]
    kept = codes.index(201)
    assert codes == [201 if n == kept else 200 if n % 2 == kept % 2 else 409 for n in range(10)]
    assert [row["spo2"] for row in await partner.history(stay_id)] == [90 + kept % 2]


async def test_a_reading_twice_in_one_batch_is_kept_once(partner: Partner, stay_id: str) -> None:
    one = reading(stay_id, client_reading_id="a", spo2=90)
    rows = [
        one,
        one,
        {**one, "spo2": 91},
        reading(stay_id, client_reading_id=None),
        reading(stay_id, client_reading_id=None),
    ]
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": rows})).json()
    words = [row["status"] for row in said["results"]]
    assert words == ["created", "replayed", "rejected", "created", "replayed"]
    assert said["results"][2]["problem"]["code"] == "reading_differs"
    assert said["results"][0]["reading"]["reading_id"] == said["results"][1]["reading"]["reading_id"]
    assert len(await partner.history(stay_id)) == 2


@pytest.mark.hazard("H10")
async def test_a_batch_sent_again_is_replayed_row_by_row(partner: Partner, stay_id: str) -> None:
    rows = [{"stay_id": stay_id, "observed_at": f"2026-11-22T0{hour}:00:00Z", "spo2": 97} for hour in (5, 6, 7)]

    async def send() -> list[tuple[str, str]]:
        answer = await partner.ask(
            "POST", "/v1/readings/batch", {"readings": rows}, headers={"Idempotency-Key": "night"}
        )
        return [(row["status"], row["reading"]["reading_id"]) for row in answer.json()["results"]]

    first, again = await send(), await send()
    assert [word for word, _ in first] == ["created"] * 3
    assert again == [("replayed", reading_id) for _, reading_id in first]


async def test_what_was_sent_alone_is_known_again_in_a_batch(partner: Partner, stay_id: str) -> None:
    body = reading(stay_id, observed_at=START - timedelta(hours=1))
    first = await partner.ask("POST", "/v1/readings", body)
    said = (await partner.ask("POST", "/v1/readings/batch", {"readings": [body]})).json()
    assert said["replayed"] == 1
    assert said["results"][0]["reading"]["reading_id"] == first.json()["reading_id"]


def test_the_digest_of_a_reading_is_the_one_that_is_stored_of_it_already() -> None:
    # Computed when the digest was first stored. Another one would make every reading that is sent again a conflict.
    said = {
        "observed_at": "2026-11-22T08:30:15.25+05:45", "spo2": 93.5, "pulse_rate": 88, "respiratory_rate": 18.0,
        "systolic_bp": 121, "diastolic_bp": 78, "temperature": 38.05, "consciousness": "alert", "oxygen_flow": 2,
        "context": "sleep", "breathlessness": 2.5, "feeling": "worse", "perfusion_index": 0.5,
        "symptoms": ["chest_pain", "blue_lips", "chest_pain"], "signal_quality": "fair",
        "device": {"id": "SN1", "model": None}, "source": "web", "entered_by": "Ada Example",
    }  # fmt: skip
    whole, least = submission(ReadingIn.model_validate(said)), submission(ReadingIn(observed_at=START, symptoms=[]))
    assert (whole.content, whole.row["symptoms"]) == ("9a73bd1cdfee0bc0c92bc512c6bad9a8", "blue_lips,chest_pain")
    assert (whole.row["observed_offset"], whole.row["device_id"]) == (345, "SN1")
    assert (least.content, least.row["symptoms"]) == ("98bf236fd296f898604187cd4439a6e5", "")
    assert set(whole.row) == set(least.row) <= set(reading_table.c.keys())
