"""Keys are changed without anybody noticing: the signing key, and the secret key under replicas that are restarted one
after another."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from service.access.keys import SigningKeys
from service.access.rotation import LAST_TOKEN_ENDS_AFTER, PUBLISHED_BEFORE, rotate
from service.access.unchecked import look_into
from service.clock import real_now
from service.errors import NotAuthenticated, SettingInvalid
from service.settings import Settings, from_environ, secret_keys_of
from service.storage.roles import Role
from service.storage.session import reading, writing
from service.storage.tables import SigningKeyRow
from tests.access.at_home import bedside, bring
from tests.access.at_home import refresh as refresh_app
from tests.access.hospital import Hospital
from tests.conftest import SECRET_KEY, started
from tests.support.time import SettableClock, later

NEW = "another secret key for the tests, as long"
PASSWORD = "correct horse battery"


async def rotated(hospital: Hospital, *secret_keys: str, **more: Any) -> str:
    async with writing(hospital.app.state.database) as session:
        return (await rotate(session, secret_keys or (SECRET_KEY,), real_now(), **more))[0]


async def token(hospital: Hospital, staff_id: str) -> str:
    return (await hospital.token("staff", staff_id))["Authorization"].removeprefix("Bearer ")


def signed_with(text: str) -> str:
    seen = look_into(text, 10_000)
    assert seen is not None
    return str(seen[0]["kid"])


async def published(hospital: Hospital) -> set[str]:
    return {key["kid"] for key in (await hospital.client.get("/.well-known/jwks.json")).json()["keys"]}


async def is_taken(hospital: Hospital, text: str) -> bool:
    try:
        await hospital.app.state.tokens.principal_of(text)
    except NotAuthenticated:
        return False
    return True


# The signing key ----------------------------------------------------------------------------------------------------


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_believed_after(hospital: Hospital) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    before = await token(hospital, staff_id)
    old = signed_with(before)
    assert await published(hospital) == {old}
    new = await rotated(hospital)
    with later(seconds=2):
        assert await published(hospital) == {old, new}
    with later(seconds=31):
        assert signed_with(await token(hospital, staff_id)) == old
    with later(seconds=PUBLISHED_BEFORE.total_seconds() - 20):  # this test itself takes time
        last = await token(hospital, staff_id)
        assert signed_with(last) == old
    with later(seconds=PUBLISHED_BEFORE.total_seconds() + 1):
        assert signed_with(await token(hospital, staff_id)) == new
        assert await is_taken(hospital, last)
        assert await published(hospital) == {old, new}
    with later(seconds=(PUBLISHED_BEFORE + LAST_TOKEN_ENDS_AFTER).total_seconds() + 1):
        assert await published(hospital) == {new}
        assert signed_with(await token(hospital, staff_id)) == new


async def test_a_replica_takes_a_token_signed_with_a_key_it_has_not_heard_of(
    hospital: Hospital, settings: Settings, clock: SettableClock
) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    async with started(settings, clock) as other:
        assert await is_taken(Hospital(other, hospital.client), await token(hospital, staff_id))
        await rotated(hospital, at_once=True)
        with later(seconds=5):
            hospital.app.state.tokens.keys._read_at = None
            fresh = await token(hospital, staff_id)
            assert await is_taken(Hospital(other, hospital.client), fresh)


async def test_a_key_somebody_else_may_have_ends_at_once_with_all_it_signed(hospital: Hospital) -> None:
    staff_id = await hospital.staff_id(await hospital.ward())
    before = await token(hospital, staff_id)
    new = await rotated(hospital, at_once=True)
    with later(seconds=31):
        assert not await is_taken(hospital, before)
        assert await published(hospital) == {new}
        assert signed_with(await token(hospital, staff_id)) == new


async def test_keys_that_ended_are_cleared_away_by_the_next_rotation(hospital: Hospital) -> None:
    await token(hospital, await hospital.staff_id(await hospital.ward()))
    for hours in (0, 2, 4):
        with later(hours=hours):
            await rotated(hospital)
    async with reading(hospital.app.state.database) as session:
        assert len((await session.execute(select(SigningKeyRow.id))).all()) == 2


async def test_a_key_put_into_the_database_by_somebody_else_is_not_believed(hospital: Hospital) -> None:
    """Whoever can write to the database has a key pair of their own, and no secret key."""
    staff_id = await hospital.staff_id(await hospital.ward())
    await token(hospital, staff_id)
    forger = SigningKeys([NEW], hospital.app.state.database)
    await forger.get()
    assert await published(hospital) == {hospital.app.state.tokens.keys.first_id}
    with later(seconds=31):
        ours = await token(hospital, staff_id)
        assert signed_with(ours) != forger.first_id
        assert await is_taken(hospital, ours)
        assert await hospital.app.state.tokens.keys.find(forger.first_id) is None


async def test_keys_of_another_secret_key_are_not_rotated(hospital: Hospital) -> None:
    await token(hospital, await hospital.staff_id(await hospital.ward()))
    with pytest.raises(SettingInvalid, match="WARDWATCH_SECRET_KEY is not the one"):
        await rotated(hospital, NEW)


# The secret key -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def replica(settings: Settings, clock: SettableClock, first: str, other: str = "") -> AsyncIterator[Hospital]:
    """A process with these secret keys."""
    changed = dataclasses.replace(settings, secret_key=first, other_secret_key=other)
    async with (
        started(changed, clock) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://wardwatch.test") as client,
    ):
        yield Hospital(app, client)


async def test_nobody_notices_a_new_secret_key_under_replicas_restarted_one_after_another(
    settings: Settings, clock: SettableClock
) -> None:
    async with AsyncExitStack() as running:

        async def start(first: str, other: str = "") -> Hospital:
            return await running.enter_async_context(replica(settings, clock, first, other))

        one, two = await start(SECRET_KEY), await start(SECRET_KEY)
        bed = await bedside(one)
        staff_id = await one.staff_id(bed.ward_id)
        app, code = await bed.tokens(), (await bed.new_code())["code"]

        async def works(*replicas: Hospital) -> None:
            """What each gives out is good at each."""
            nonlocal app
            for giving in replicas:
                text = await token(giving, staff_id)
                answer = await refresh_app(giving.client, app)
                assert answer.status_code == 200, answer.text
                for taking in replicas:
                    assert await is_taken(taking, text)
                    again = await refresh_app(taking.client, app)  # the answer was lost
                    assert again.status_code == 200, again.text
                app = again.json()

        await works(one, two)
        one = await start(SECRET_KEY, NEW)
        await works(one, two)
        two = await start(SECRET_KEY, NEW)
        one = await start(NEW, SECRET_KEY)
        await works(one, two)
        two = await start(NEW, SECRET_KEY)
        await works(one, two)
        assert (await bring(two.client, code)).status_code == 200, "a code of before is good"
        await rotated(one, NEW, SECRET_KEY)
        with later(minutes=16):
            await works(one, two)
            one = await start(NEW)
            await works(one, two)
            two = await start(NEW)
            await works(one, two)


async def test_failed_sign_ins_are_counted_through_a_change_of_the_secret_key(
    settings: Settings, clock: SettableClock
) -> None:
    form = {"grant_type": "password", "username": "nobody@ward.test", "password": "wrong password"}
    async with (
        replica(settings, clock, SECRET_KEY, NEW) as one,
        replica(settings, clock, NEW, SECRET_KEY) as two,
        replica(settings, clock, NEW) as three,
    ):
        with later():  # the wait is short, and this machine may be slow
            for number in range(5):
                assert (await (one, two)[number % 2].client.post("/oauth/token", data=form)).status_code == 400
            for each in (one, two, three):
                assert (await each.client.post("/oauth/token", data=form)).json()["error"] == "slow_down"


async def test_with_another_secret_key_alone_everything_of_before_ends(
    settings: Settings, clock: SettableClock
) -> None:
    async with replica(settings, clock, SECRET_KEY) as before, replica(settings, clock, NEW) as after:
        bed = await bedside(before)
        app, code = await bed.tokens(), (await bed.new_code())["code"]
        assert not await is_taken(after, app["access_token"])
        assert (await refresh_app(after.client, app)).status_code == 400
        assert (await bring(after.client, code)).status_code == 400


def test_an_other_secret_key_that_cannot_be_used_is_named() -> None:
    good = {"WARDWATCH_SECRET_KEY": SECRET_KEY}
    assert secret_keys_of(from_environ({**good, "WARDWATCH_OTHER_SECRET_KEY": NEW})) == (SECRET_KEY, NEW)
    for wrong in ("short", SECRET_KEY):
        with pytest.raises(SettingInvalid, match="WARDWATCH_OTHER_SECRET_KEY") as refused:
            secret_keys_of(from_environ({**good, "WARDWATCH_OTHER_SECRET_KEY": wrong}))
        assert wrong not in refused.value.detail


async def test_a_first_key_signs_at_once_though_the_clock_of_the_replica_that_made_it_is_ahead(
    settings: Settings, clock: SettableClock
) -> None:
    async with started(settings, clock) as app:
        with later(seconds=30):
            made = await SigningKeys(secret_keys_of(settings), app.state.served.acting(Role.DESK)).get()
        found = await SigningKeys(secret_keys_of(settings), app.state.served.acting(Role.DESK)).get()
        assert found.thumbprint() == made.thumbprint()
