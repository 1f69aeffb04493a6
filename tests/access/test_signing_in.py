"""Getting a token: staff with a password, systems with a secret."""

import asyncio
import dataclasses
import json

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from service.access import accounts
from service.access.passwords import _HASHER, _NOBODY, Passwords
from service.clock import real_now
from service.errors import Overloaded
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import reading, writing
from service.storage.tables import METADATA, AuditRow, StaffRow
from tests.access.hospital import Hospital
from tests.conftest import started
from tests.support.time import SettableClock

PASSWORD = "correct horse battery"


async def nurse(app: FastAPI, ward_id: str) -> str:
    password_hash = await app.state.desk.passwords.hash(PASSWORD)
    async with writing(app.state.database) as session:
        return await accounts.add_staff(
            session,
            email="Nurse@Ward.test",
            name="Sam",
            password_hash=password_hash,
            roles={ward_id: "clinician"},
            administrator=False,
            at=real_now(),
        )


async def system(app: FastAPI, ward_id: str) -> tuple[str, str]:
    scopes = ["readings:write", "readings:read"]
    async with writing(app.state.database) as session:
        return await accounts.add_client(session, name="App", scopes=scopes, ward_ids=[ward_id], at=real_now())


async def ask(client: httpx.AsyncClient, **form: str) -> httpx.Response:
    return await client.post("/oauth/token", data=form)


async def sign_in(client: httpx.AsyncClient, password: str = PASSWORD, **more: str) -> httpx.Response:
    return await ask(client, grant_type="password", username="nurse@ward.test ", password=password, **more)


async def refused_sign_ins(app: FastAPI) -> list[AuditRow]:
    async with reading(app.state.database) as session:
        return list((await session.scalars(select(AuditRow).where(AuditRow.outcome == "refused"))).all())


async def test_staff_sign_in_with_their_password_and_get_ten_minutes(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    staff_id = await nurse(hospital.app, ward_id)
    answer = await sign_in(hospital.client)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    got = answer.json()
    assert (got["token_type"], got["expires_in"]) == ("Bearer", 600)
    me = await hospital.client.get("/v1/me", headers={"Authorization": f"Bearer {got['access_token']}"})
    assert me.json() == {
        "principal": {"id": staff_id, "kind": "staff", "name": "Sam"},
        "scopes": sorted(got["scope"].split()),
        "wards": [{"id": ward_id, "name": "Respiratory", "role": "clinician"}],
    }


async def test_wrong_password_and_unknown_address_get_the_same_answer(hospital: Hospital) -> None:
    staff_id = await nurse(hospital.app, await hospital.ward())
    wrong = await sign_in(hospital.client, "wrong horse battery")
    unknown = await ask(hospital.client, grant_type="password", username="nobody@ward.test", password=PASSWORD)
    for answer in (wrong, unknown):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert wrong.json()["detail"] == unknown.json()["detail"]
    # Only the known account is in the trail: else anybody could fill it.
    assert [each.subject_id for each in await refused_sign_ins(hospital.app)] == [staff_id]


async def test_an_unknown_address_costs_a_whole_password_check(hospital: Hospital) -> None:
    assert not _HASHER.check_needs_rehash(_NOBODY)
    hospital.app.state.desk.passwords.most_waiting = 0
    assert (await sign_in(hospital.client)).status_code == 503, "nothing was to be checked"


async def test_too_many_waiting_passwords_are_sent_away() -> None:
    passwords = Passwords()
    try:
        tries = [passwords.matches(None, "wrong horse battery") for _ in range(45)]
        results = await asyncio.gather(*tries, return_exceptions=True)
    finally:
        passwords.close()
    assert sum(isinstance(each, Overloaded) for each in results) == 5
    assert results.count(False) == 40


async def test_an_ended_account_cannot_sign_in(hospital: Hospital) -> None:
    staff_id = await nurse(hospital.app, await hospital.ward())
    async with writing(hospital.app.state.database) as session:
        await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=False))
    assert (await sign_in(hospital.client)).json()["error"] == "invalid_grant"


async def test_the_password_grant_can_be_switched_off(settings: Settings, clock: SettableClock) -> None:
    off = dataclasses.replace(settings, password_grant=False)
    async with started(off, clock) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://ward.test") as client:
            await nurse(app, await Hospital(app, client).ward())
            answer = await sign_in(client)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_a_system_signs_in_by_header_or_by_form_and_gets_an_hour(hospital: Hospital) -> None:
    client_id, secret = await system(hospital.app, await hospital.ward())
    form = {"grant_type": "client_credentials"}
    by_header = await hospital.client.post("/oauth/token", data=form, auth=(client_id, secret))
    by_form = await ask(hospital.client, **form, client_id=client_id, client_secret=secret)
    for answer in (by_header, by_form):
        assert answer.status_code == 200
        assert answer.json()["expires_in"] == 3600
        assert answer.json()["scope"] == "readings:read readings:write"


async def test_a_system_with_a_wrong_secret_is_refused(hospital: Hospital) -> None:
    client_id, secret = await system(hospital.app, await hospital.ward())
    for wrong in ((client_id, secret + "x"), (client_id, ""), ("nobody", secret), ("", "")):
        answer = await hospital.client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=wrong)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert secret not in answer.text


async def test_a_header_for_one_system_and_a_form_for_another_sign_in_neither(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    (one, secret), (other, _) = await system(hospital.app, ward_id), await system(hospital.app, ward_id)
    form = {"grant_type": "client_credentials"}
    for named, status in ((other, 401), ("nobody", 401), ("", 401), (one, 200), (one.upper(), 200)):
        answer = await hospital.client.post("/oauth/token", data={**form, "client_id": named}, auth=(one, secret))
        assert (answer.status_code, answer.json().get("error")) == (status, None if status == 200 else "invalid_client")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic /////w=="])
async def test_a_broken_basic_header_is_a_refusal_and_no_fault(hospital: Hospital, header: str) -> None:
    answer = await hospital.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    )
    assert answer.status_code == 401


async def test_a_client_that_signs_in_two_ways_is_refused(hospital: Hospital) -> None:
    both = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    answer = await hospital.client.post("/oauth/token", data=both, auth=("a", "b"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_token_can_be_asked_for_with_fewer_scopes_and_never_with_more(hospital: Hospital) -> None:
    client_id, secret = await system(hospital.app, await hospital.ward())
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    fewer = await ask(hospital.client, **form, scope="readings:write")
    assert fewer.json()["scope"] == "readings:write"
    for more in ("readings:write alerts:act", "anything"):
        answer = await ask(hospital.client, **form, scope=more)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "invalid_request"),
        (b"grant_type=", "invalid_request"),
        (b"grant_type=password", "invalid_request"),
        (b"grant_type=password&username=a&username=b&password=c", "invalid_request"),
        (b"grant_type=password&username=a%00&password=b", "invalid_request"),
        (b"\xff\xfe", "invalid_request"),
        (b"grant_type=%ff", "invalid_request"),
        (b"grant_type=implicit", "unsupported_grant_type"),
    ],
)
async def test_what_is_no_proper_form_is_refused(hospital: Hospital, body: bytes, error: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await hospital.client.post("/oauth/token", content=body, headers=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_only_a_small_form_is_read(hospital: Hospital) -> None:
    as_json = await hospital.client.post("/oauth/token", json={"grant_type": "password"})
    assert as_json.status_code == 415
    for path in ("/oauth/token", "/oauth/revoke"):
        answer = await hospital.client.post(path)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert answer.json()["title"] == "This call takes application/x-www-form-urlencoded."
    large = await ask(hospital.client, grant_type="x" * 10_000)
    assert large.status_code == 413


async def test_secrets_and_passwords_are_not_stored_as_they_are(hospital: Hospital, database: Database) -> None:
    ward_id = await hospital.ward()
    await nurse(hospital.app, ward_id)
    _, secret = await system(hospital.app, ward_id)
    await sign_in(hospital.client)
    async with database.reads.connect() as connection:
        for table in ("staff", "client", "audit", "signing_key"):
            rows = [dict(row._mapping) for row in await connection.execute(METADATA.tables[table].select())]
            stored = json.dumps(rows, default=str)
            assert secret not in stored
            assert PASSWORD not in stored
            assert "PRIVATE KEY" not in stored
