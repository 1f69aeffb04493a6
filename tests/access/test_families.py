"""Staying signed in, signing out, and what becomes of tokens that were stolen."""

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from fastapi import FastAPI
from sqlalchemy import event, select, update

from service.access import changes
from service.access.refresh import RefreshToken, RefreshTokens
from service.access.store import find_principal
from service.clock import real_now
from service.fields import new_id
from service.settings import Settings
from service.storage.session import reading, writing
from service.storage.tables import METADATA, AuditRow, MembershipRow, StaffRow, TokenFamilyRow
from tests.access.hospital import Hospital
from tests.conftest import SECRET_KEY, started
from tests.support.time import SettableClock, later


@pytest.fixture
async def replica(settings: Settings, clock: SettableClock) -> AsyncIterator[httpx.AsyncClient]:
    """Another process on the same database, which looks for changes as in service."""
    async with started(dataclasses.replace(settings, timers=False), clock) as app:
        app.state.tokens.listener.start()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://other.test") as client:
            yield client


async def signed_in(hospital: Hospital, staff_id: str) -> dict[str, Any]:
    """What a password would have got."""
    async with reading(hospital.app.state.database) as session:
        who = await find_principal(session, "staff", staff_id)
    assert who is not None
    given = await hospital.app.state.desk.admit(who, who.scopes)
    return {"access_token": given.access_token, "refresh_token": given.refresh_token}


async def refresh(hospital: Hospital, token: str, **more: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, **more}
    return await hospital.client.post("/oauth/token", data=form)


async def revoke(hospital: Hospital, token: str) -> httpx.Response:
    return await hospital.client.post("/oauth/revoke", data={"token": token})


async def status(client: httpx.AsyncClient, access_token: str) -> int:
    return (await client.get("/v1/me", headers={"Authorization": f"Bearer {access_token}"})).status_code


async def audited(app: FastAPI, action: str) -> list[AuditRow]:
    async with reading(app.state.database) as session:
        return list((await session.scalars(select(AuditRow).where(AuditRow.action == action))).all())


async def test_a_refresh_token_is_changed_for_new_tokens(hospital: Hospital) -> None:
    first = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    answer = await refresh(hospital, first["refresh_token"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert await status(hospital.client, second["access_token"]) == 200
    assert (await refresh(hospital, second["refresh_token"])).status_code == 200


async def test_the_last_token_is_answered_again_for_a_minute_with_the_same(hospital: Hospital) -> None:
    first = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    one = (await refresh(hospital, first["refresh_token"])).json()
    with later(seconds=59):
        two = (await refresh(hospital, first["refresh_token"])).json()
        assert two["refresh_token"] == one["refresh_token"]
        assert (await refresh(hospital, two["refresh_token"])).status_code == 200


async def test_two_who_refresh_at_once_get_the_same_token(hospital: Hospital) -> None:
    first = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    answers = await asyncio.gather(*(refresh(hospital, first["refresh_token"]) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


@pytest.mark.parametrize("thief_is_first", [True, False])
async def test_an_old_token_ends_the_family_whoever_uses_it(hospital: Hospital, thief_is_first: bool) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    first = await signed_in(hospital, staff_id)
    second = (await refresh(hospital, first["refresh_token"])).json()
    if thief_is_first:
        wait = 61
    else:
        second = (await refresh(hospital, second["refresh_token"])).json()
        wait = 0
    with later(seconds=wait):
        reused = await refresh(hospital, first["refresh_token"])
        assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
        assert reused.json()["title"].startswith("The refresh token is wrong")
        assert (await refresh(hospital, second["refresh_token"])).json()["error"] == "invalid_grant"
        assert await status(hospital.client, second["access_token"]) == 401
        # Another sign-in of the same person is another family.
        assert await status(hospital.client, (await signed_in(hospital, staff_id))["access_token"]) == 200
    assert [each.subject_id for each in await audited(hospital.app, "token.reused")] == [staff_id]


def changed(token: str) -> list[str]:
    """What a forger might try."""
    made = RefreshTokens(SECRET_KEY).read(token)
    assert made is not None
    other = RefreshTokens("another secret key that is long enough")
    raw = bytearray(base64.urlsafe_b64decode(token))
    raw[19] ^= 3  # the generation
    return [
        "",
        "x",
        "é" * 80,
        token[:-4],
        token + "AAAA",
        token[:40],
        token * 50,
        other.write(made),
        other.write(RefreshToken(new_id(), 1, b"x" * 24)),
        base64.urlsafe_b64encode(raw).decode(),
    ]


async def test_a_forged_refresh_token_does_nothing_and_asks_no_database(hospital: Hospital) -> None:
    given = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    asked: list[str] = []
    for engine in (hospital.app.state.served.reads, hospital.app.state.served.writes):
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for forged in changed(given["refresh_token"]):
        answer = await refresh(hospital, forged)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert asked == []
    assert (await refresh(hospital, given["refresh_token"])).status_code == 200


async def test_an_access_token_is_no_refresh_token_nor_the_other_way_round(hospital: Hospital) -> None:
    given = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    assert (await refresh(hospital, given["access_token"])).json()["error"] == "invalid_grant"
    assert await status(hospital.client, given["refresh_token"]) == 401


async def test_a_refresh_gives_fewer_scopes_and_never_more(hospital: Hospital) -> None:
    first = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    more = await refresh(hospital, first["refresh_token"], scope="system:admin")
    assert more.json()["error"] == "invalid_scope"
    fewer = (await refresh(hospital, first["refresh_token"], scope="alerts:read")).json()
    assert fewer["scope"] == "alerts:read"
    # Fewer for that access token; the next may have all again (RFC 6749, section 6).
    assert "alerts:act" in (await refresh(hospital, fewer["refresh_token"])).json()["scope"]


@pytest.mark.parametrize(("minutes", "expected"), [(29, 200), (31, 400)])
async def test_staff_who_are_away_for_half_an_hour_sign_in_again(
    hospital: Hospital, minutes: int, expected: int
) -> None:
    given = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    with later(minutes=minutes):
        assert (await refresh(hospital, given["refresh_token"])).status_code == expected


async def test_after_a_shift_staff_sign_in_again_however_busy_they_are(hospital: Hospital) -> None:
    token = (await signed_in(hospital, await hospital.staff_id(await hospital.ward())))["refresh_token"]
    began = real_now()
    for minutes in range(25, 12 * 60, 25):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            token = (await refresh(hospital, token)).json()["refresh_token"]
    with time_machine.travel(began + timedelta(hours=12, seconds=1), tick=False):
        assert (await refresh(hospital, token)).json()["error"] == "invalid_grant"


async def test_an_ended_account_is_not_refreshed(hospital: Hospital) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    given = await signed_in(hospital, staff_id)
    async with writing(hospital.app.state.database) as session:
        await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=False))
    assert (await refresh(hospital, given["refresh_token"])).json()["error"] == "invalid_grant"


async def test_systems_get_no_refresh_token(hospital: Hospital) -> None:
    await hospital.system(await hospital.ward())
    async with reading(hospital.app.state.database) as session:
        families = (await session.scalars(select(TokenFamilyRow))).all()
    assert [(each.subject_kind, each.current_hash) for each in families] == [("client", None)]


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_signing_out_ends_both_tokens_at_once(hospital: Hospital, which: str) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    mine, elsewhere = await signed_in(hospital, staff_id), await signed_in(hospital, staff_id)
    assert await status(hospital.client, mine["access_token"]) == 200
    assert (await revoke(hospital, mine[which])).status_code == 200
    assert await status(hospital.client, mine["access_token"]) == 401
    assert (await refresh(hospital, mine["refresh_token"])).json()["error"] == "invalid_grant"
    assert await status(hospital.client, elsewhere["access_token"]) == 200
    assert [each.subject_id for each in await audited(hospital.app, "sign_out")] == [staff_id]


async def test_signing_out_everywhere_ends_every_session(hospital: Hospital) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    sessions = [await signed_in(hospital, staff_id) for _ in range(3)]
    colleague = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    header = {"Authorization": f"Bearer {sessions[0]['access_token']}"}
    assert (await hospital.client.post("/v1/me/sign-out-everywhere", headers=header)).status_code == 204
    for each in sessions:
        assert await status(hospital.client, each["access_token"]) == 401
        assert (await refresh(hospital, each["refresh_token"])).json()["error"] == "invalid_grant"
    assert await status(hospital.client, colleague["access_token"]) == 200


async def test_what_is_no_token_is_revoked_without_a_word(hospital: Hospital) -> None:
    given = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    for nonsense in ("x", "a.b.c", given["access_token"][:-2], new_id()):
        assert (await revoke(hospital, nonsense)).status_code == 200
    assert await status(hospital.client, given["access_token"]) == 200
    assert (await hospital.client.post("/oauth/revoke", data={"x": "y"})).json()["error"] == "invalid_request"


@pytest.mark.parametrize("what", ["signed out", "account ended", "role lost"])
async def test_every_replica_feels_a_change_within_five_seconds(
    hospital: Hospital, replica: httpx.AsyncClient, what: str
) -> None:
    ward_id = await hospital.ward()
    staff_id = await hospital.staff_id(ward_id)
    given = await signed_in(hospital, staff_id)
    header = {"Authorization": f"Bearer {given['access_token']}"}

    async def seen() -> int:
        return (await replica.get(f"/v1/wards/{ward_id}", headers=header)).status_code

    assert await seen() == 200
    if what == "signed out":
        await revoke(hospital, given["refresh_token"])
    else:
        async with writing(hospital.app.state.database) as session:
            if what == "account ended":
                await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=False))
            else:
                table = METADATA.tables["membership"]
                await session.execute(table.delete().where(MembershipRow.staff_id == staff_id))
            await changes.note(session, "staff", staff_id, real_now())
    # A replica looks for changes by itself and tells nobody: only its answers show when it has felt one. Two looks fit
    # into five seconds; on a machine that stands still for a while they come later, and so does everything else.
    assert changes.LOOK_SECONDS <= 2.5
    async with asyncio.timeout(60):
        felt = await seen()
        while felt == 200:
            await asyncio.sleep(0.05)
            felt = await seen()
    assert felt == (403 if what == "role lost" else 401)


async def test_a_look_up_that_began_before_the_change_is_not_believed(hospital: Hospital) -> None:
    """The account was read, then ended, and only then was the answer remembered."""
    staff_id = await hospital.staff_id(await hospital.ward())
    given = await signed_in(hospital, staff_id)
    tokens = hospital.app.state.tokens
    async with writing(hospital.app.state.database) as session:
        await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=False))
        await changes.note(session, "staff", staff_id, real_now())
    await tokens.catch_up()
    async with writing(hospital.app.state.database) as session:
        await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=True))
    assert await status(hospital.client, given["access_token"]) == 200  # as if read before the end
    async with writing(hospital.app.state.database) as session:
        await session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(active=False))
    await tokens.catch_up()
    assert await status(hospital.client, given["access_token"]) == 401


async def test_those_who_did_not_change_are_not_looked_up_again(hospital: Hospital) -> None:
    mine = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    other = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    tokens = hospital.app.state.tokens
    kept = await tokens.principal_of(mine["access_token"])
    await tokens.principal_of(other["access_token"])
    await revoke(hospital, other["access_token"])
    assert await tokens.principal_of(mine["access_token"]) is kept
    assert len(tokens._remembered) == 1


async def test_ended_families_do_not_pile_up(hospital: Hospital) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    for _ in range(3):
        await signed_in(hospital, staff_id)
    with later(hours=13):
        await signed_in(hospital, staff_id)
    async with reading(hospital.app.state.database) as session:
        assert len((await session.scalars(select(TokenFamilyRow))).all()) == 1


async def test_no_refresh_token_is_stored(hospital: Hospital) -> None:
    given = await signed_in(hospital, await hospital.staff_id(await hospital.ward()))
    second = (await refresh(hospital, given["refresh_token"])).json()
    async with reading(hospital.app.state.database) as session:
        stored = str((await session.execute(select(METADATA.tables["token_family"]))).all())
    for token in (given["refresh_token"], second["refresh_token"]):
        made = RefreshTokens(SECRET_KEY).read(token)
        assert made is not None
        assert made.secret.hex() not in stored
        assert token not in stored
