"""Pairing codes: who gets one, what is kept of it, and what becomes of guesses."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from service.access.codes import ALPHABET, clean_code, new_code
from service.access.pairing import MOST_FAILURES
from service.clock import real_now
from service.fields import new_id
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.access.at_home import BIRTH_DATE, bearer, bedside, bring, reading, refresh
from tests.access.hospital import Hospital
from tests.conftest import started
from tests.support.time import SettableClock

CODE = METADATA.tables["pairing_code"]
AUDIT = METADATA.tables["audit"]


def test_a_code_is_ten_characters_that_nobody_misreads() -> None:
    assert len({new_code() for _ in range(50)}) == 50
    assert all(len(code) == 10 and set(code) <= set(ALPHABET) for code in (new_code() for _ in range(50)))
    assert not set("ILOU") & set(ALPHABET)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("0123456789", "0123456789"),
        ("abcde-fghjk", "ABCDEFGHJK"),
        (" oil12 34567 ", "0111234567"),
        ("ABCDEFGHJ", None),
        ("ABCDEFGHJKM", None),
        ("ABCDEFGHJU", None),
        ("", None),
        ("-" * 100_000, None),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, read: str | None) -> None:
    assert clean_code(typed) == read


async def test_a_code_and_the_birth_date_give_tokens_bound_to_the_stay(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = await bed.new_code()
    assert (code["kind"], code["status"], code["stay_id"]) == ("patient", "open", bed.stay["id"])
    answer = await bring(hospital.client, code["code"].lower())
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert tokens["scope"] == "readings:read readings:write"
    assert tokens["expires_in"] == 600
    me = (await hospital.client.get("/v1/me", headers=bearer(tokens))).json()
    assert (me["principal"]["id"], me["principal"]["kind"]) == (bed.stay["patient_id"], "patient")
    assert [(ward["id"], ward["role"]) for ward in me["wards"]] == [(bed.ward_id, "patient")]
    again = (await refresh(hospital.client, tokens)).json()
    sent = await hospital.client.post("/v1/readings", headers=bearer(again), json=reading())
    assert (sent.status_code, sent.json()["stay_id"]) == (201, bed.stay["id"])


async def test_a_code_is_good_once(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    answers = await asyncio.gather(*(bring(hospital.client, code) for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 4}
    assert (await bring(hospital.client, code)).json()["code"] == "invalid_grant"
    assert [each["status"] for each in await bed.listed("pairing-codes")] == ["used"]
    assert len(await bed.listed("pairings")) == 1


async def test_a_code_is_no_good_after_a_day(hospital: Hospital, database: Database) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    async with writing(database) as session:
        await session.execute(update(CODE).values(expires_at=real_now() - timedelta(seconds=1)))
    assert (await bring(hospital.client, code)).status_code == 400
    assert [each["status"] for each in await bed.listed("pairing-codes")] == ["expired"]


async def test_every_refusal_sounds_the_same(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    other = new_code()
    wrong = [
        await bring(hospital.client, other),
        await bring(hospital.client, code, "1950-06-29"),
        await bring(hospital.client, code, "no date"),
        await bring(hospital.client, code, "0001-01-01"),
        await bring(hospital.client, "short"),
    ]
    said = {(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in wrong}
    assert len(said) == 1
    assert said.pop()[:2] == (400, "invalid_grant")


@pytest.mark.parametrize("missing", ["code", "birth_date"])
async def test_both_are_needed(hospital: Hospital, missing: str) -> None:
    form = {"grant_type": "urn:wardwatch:pairing", "code": new_code(), "birth_date": BIRTH_DATE}
    del form[missing]
    answer = await hospital.client.post("/oauth/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_guesses_on_two_replicas_are_counted_together_and_end_the_code(
    hospital: Hospital, settings: Settings, clock: SettableClock
) -> None:
    """Fifty wrong dates and the right one last, at once on two replicas: five are looked at, the code has ended."""
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    async with started(settings, clock) as second:
        transport = httpx.ASGITransport(second)
        async with httpx.AsyncClient(transport=transport, base_url="https://other.test") as other:
            dates = [f"19{year:02}-06-30" for year in range(51, 91)]
            both = (hospital.client, other)
            guesses = await asyncio.gather(*(bring(both[n % 2], code, day) for n, day in enumerate(dates)))
            assert {answer.status_code for answer in guesses} == {400}
            assert {(await bring(each, code)).status_code for each in both} == {400}
    listed = await bed.listed("pairing-codes")
    assert [(each["status"], each["failures"]) for each in listed] == [("ended", MOST_FAILURES)]
    assert await bed.listed("pairings") == []


async def test_four_wrong_dates_are_forgiven(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    for _ in range(MOST_FAILURES - 1):
        assert (await bring(hospital.client, code, "1950-06-29")).status_code == 400
    assert (await bring(hospital.client, code)).status_code == 200


async def test_neither_the_code_nor_the_birth_date_is_kept(hospital: Hospital, database: Database) -> None:
    first, second = await bedside(hospital), await bedside(hospital)
    codes = [(await each.new_code())["code"] for each in (first, second)]
    async with database.reads.connect() as connection:
        rows = (await connection.execute(select(CODE))).mappings().all()
        trail = (await connection.execute(select(AUDIT.c.detail))).scalars().all()
    kept = f"{[dict(row) for row in rows]} {trail}"
    assert not [secret for secret in (*codes, BIRTH_DATE) if secret in kept]
    # The same birth date, and not the same hash.
    assert len({row["birth_date_hash"] for row in rows}) == 2


async def test_the_list_never_shows_a_code(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    answer = await hospital.client.get(f"{bed.path}/pairing-codes", headers=bed.team)
    assert len(answer.json()["items"]) == 1
    assert code not in answer.text


async def test_a_new_code_for_the_same_person_ends_the_one_before(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    carers = await bed.new_code(carer={"name": "Kim Example"})
    first, second = await bed.new_code(), await bed.new_code()
    assert (await bring(hospital.client, first["code"])).status_code == 400
    assert (await bring(hospital.client, second["code"])).status_code == 200
    assert (await bring(hospital.client, carers["code"])).status_code == 200


async def test_a_code_can_be_taken_back_until_it_is_used(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = await bed.new_code()
    path = f"{bed.path}/pairing-codes/{code['id']}"
    assert (await hospital.client.delete(path, headers=bed.team)).status_code == 204
    assert (await hospital.client.delete(path, headers=bed.team)).status_code == 404
    assert (await bring(hospital.client, code["code"])).status_code == 400


async def test_a_code_ends_with_its_stay(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    code = (await bed.new_code())["code"]
    await bed.discharge()
    assert (await bring(hospital.client, code)).status_code == 400
    answer = await hospital.client.post(f"{bed.path}/pairing-codes", headers=bed.team, json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "stay_discharged")


async def test_only_those_who_may_change_patients_give_out_codes(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    stranger = await hospital.clinician(await hospital.ward())
    auditor = await hospital.auditor(bed.ward_id)
    path = f"{bed.path}/pairing-codes"
    refused = [
        (await hospital.client.post(path, headers=who, json={})).status_code
        for who in (stranger, auditor, await bed.app(), await hospital.administrator())
    ]
    assert refused == [404, 403, 403, 403]


async def test_a_code_names_one_person_of_this_patient(hospital: Hospital) -> None:
    bed, other = await bedside(hospital), await bedside(hospital)
    theirs = (await other.new_code(carer={"name": "Kim Example"}))["carer"]["id"]
    for body in (
        {"carer_id": theirs},
        {"carer_id": new_id()},
        {"carer": {"name": "Kim"}, "carer_id": theirs},
        {"carer": {"name": ""}},
        {"carer": {"name": "Kim", "scopes": ["alerts:read"]}},
    ):
        answer = await hospital.client.post(f"{bed.path}/pairing-codes", headers=bed.team, json=body)
        assert answer.status_code == 422, body
