"""Guessing passwords is slow, and shuts nobody out."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from service.access import accounts, new_password
from service.access.attempts import ATTEMPT, PACES, Attempts, network
from service.access.refusals import SlowDown
from service.clock import real_now
from service.edge import address
from service.errors import Overloaded
from service.storage.engine import Database
from service.storage.session import writing
from tests.access.at_home import bedside, bring
from tests.access.hospital import Hospital
from tests.conftest import SECRET_KEY

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PASSWORD = "correct horse battery"
ATTEMPTS = Attempts(SECRET_KEY)


@pytest.fixture(autouse=True)
def at_home() -> Iterator[None]:
    kept = address.set("192.0.2.1")
    yield
    address.reset(kept)


async def fail(database: Database, account: str = "nurse@ward.test", at: datetime = NOW, times: int = 1) -> None:
    """So many wrong passwords, each as soon as it is looked at at all."""
    for _ in range(times):
        async with writing(database) as session:
            await ATTEMPTS.begin(session, account, at)


async def wait(database: Database, account: str = "nurse@ward.test", at: datetime = NOW) -> int:
    """The seconds that a try would have to wait; 0: it would be looked at. It leaves nothing behind."""
    try:
        async with writing(database) as session:
            await ATTEMPTS.begin(session, account, at)
            await session.rollback()
    except SlowDown as refusal:
        return int(refusal.headers["Retry-After"])
    return 0


async def succeed(database: Database, account: str = "nurse@ward.test", at: datetime = NOW) -> None:
    async with writing(database) as session:
        await ATTEMPTS.begin(session, account, at)
        await ATTEMPTS.succeeded(session, account, at)


async def test_five_tries_are_free_and_then_each_waits_twice_as_long(database: Database) -> None:
    await fail(database, times=5)
    at, waits = NOW, []
    for _ in range(12):
        waits.append(await wait(database, at=at))
        at += timedelta(seconds=waits[-1])
        assert await wait(database, at=at) == 0
        await fail(database, at=at)
    assert waits == [2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 901, 901]


async def test_a_try_that_has_to_wait_does_not_count(database: Database) -> None:
    await fail(database, times=5)
    before = await wait(database)
    for _ in range(20):
        assert await wait(database) == before


async def test_failures_from_everywhere_slow_the_account_for_a_minute_at_most(database: Database) -> None:
    for number in range(40):
        address.set(f"198.51.100.{number}")
        await fail(database, at=NOW + timedelta(minutes=2 * number))
    address.set("203.0.113.1")
    last = NOW + timedelta(minutes=2 * 39)
    assert await wait(database, at=last) == 61
    assert await wait(database, at=last + timedelta(seconds=61)) == 0
    assert await wait(database, "colleague@ward.test", at=last) == 0


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_whoever_comes_back_the_next_day_does_not_wait_for_others_who_do(database: Database) -> None:
    await fail(database, "colleague@ward.test")
    async with writing(database) as colleague, asyncio.timeout(60):
        await colleague.execute(select(ATTEMPT).with_for_update())
        address.set("198.51.100.1")
        await fail(database, at=NOW + timedelta(hours=25))
        left = (await colleague.execute(select(func.count()).select_from(ATTEMPT))).scalar_one()
    assert left == 6


async def test_a_colleague_gets_in_from_a_known_address_while_somebody_guesses_elsewhere(database: Database) -> None:
    await succeed(database)
    for number in range(30):
        address.set(f"198.51.100.{number}")
        await fail(database, at=NOW + timedelta(minutes=2 * number))
    at = NOW + timedelta(minutes=2 * 29)
    assert await wait(database, at=at) > 50
    address.set("192.0.2.1")
    assert await wait(database, at=at) == 0
    assert await wait(database, at=NOW + timedelta(days=31)) == 0


async def test_one_address_that_tries_everybody_is_slowed_down(database: Database) -> None:
    for number in range(50):
        await fail(database, f"nurse{number}@ward.test")
    assert await wait(database, "next@ward.test") == 2
    address.set("192.0.2.2")
    assert await wait(database, "next@ward.test") == 0


async def test_a_right_password_clears_only_what_came_from_there(database: Database) -> None:
    for number in range(19):
        address.set(f"198.51.100.{number}")
        await fail(database)
    address.set("192.0.2.1")
    await fail(database, times=1)
    assert await wait(database) == 2
    await succeed(database, at=NOW + timedelta(seconds=2))
    address.set("203.0.113.1")
    assert await wait(database, at=NOW + timedelta(seconds=2)) == 2


SHARED, AT_HOME, ELSEWHERE = "192.0.2.1", "203.0.113.1", "198.51.100.200"


async def set_anew(database: Database, at: datetime, account: str = "nurse@ward.test") -> None:
    async with writing(database) as session:
        await ATTEMPTS.begin_anew(session, account, at)


async def guess_from_everywhere(database: Database) -> datetime:
    """Somebody makes the nurse wait at the shared address, and from elsewhere; and others there. Gives until when."""
    for number in range(PACES["account"].free - 1):
        address.set(f"198.51.100.{number}")
        await fail(database)
    address.set(SHARED)
    at, times = NOW, 14
    for number in range(PACES["address"].free - times):
        await fail(database, f"nurse{number}@ward.test")
    for _ in range(times):
        at += timedelta(seconds=await wait(database, at=at))
        await fail(database, at=at)
    assert await wait(database, at=at) > 200
    return at


@pytest.mark.parametrize("set_at", [SHARED, AT_HOME])
async def test_a_new_password_ends_the_waiting_everywhere(database: Database, set_at: str) -> None:
    at = await guess_from_everywhere(database)
    address.set(set_at)
    await set_anew(database, at)
    for place in (SHARED, AT_HOME, ELSEWHERE):
        address.set(place)
        assert await wait(database, at=at) == 0
    address.set(SHARED)
    assert await wait(database, "colleague@ward.test", at=at) == 2, "the address still waits for other accounts"


async def test_where_a_new_password_was_set_others_who_guess_there_hold_nobody_up(database: Database) -> None:
    at = await guess_from_everywhere(database)
    address.set(SHARED)
    await set_anew(database, at)
    at += timedelta(seconds=1)
    address.set(ELSEWHERE)
    await fail(database, at=at)  # from now on the new password is guessed at
    address.set(SHARED)
    assert await wait(database, "colleague@ward.test", at=at - timedelta(seconds=1)) == 2
    assert await wait(database, at=at) == 0
    await fail(database, at=at, times=5)
    assert await wait(database, at=at) == 2


async def test_guessing_at_a_new_password_is_as_slow_as_before(database: Database) -> None:
    await set_anew(database, NOW)
    address.set(ELSEWHERE)
    await fail(database, at=NOW + timedelta(seconds=1), times=5)
    assert await wait(database, at=NOW + timedelta(seconds=1)) == 2
    for number in range(PACES["account"].free - 5):
        address.set(f"198.51.100.{number}")
        await fail(database, at=NOW + timedelta(seconds=1))
    address.set(AT_HOME)
    assert await wait(database, at=NOW + timedelta(seconds=1)) == 2


async def test_a_new_password_under_both_secret_keys_is_new_for_replicas_that_have_one(database: Database) -> None:
    at = await guess_from_everywhere(database)
    async with writing(database) as session:
        await Attempts("another secret key for the tests, as long", SECRET_KEY).begin_anew(
            session, "nurse@ward.test", at
        )
    assert await wait(database, at=at) == 0


async def test_tries_at_the_same_instant_are_all_counted(database: Database) -> None:
    async def one() -> bool:
        try:
            await fail(database)
        except SlowDown:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(12)))) == 5


async def test_old_failures_are_forgotten_and_cleared_away(database: Database) -> None:
    await fail(database, times=5)
    assert await wait(database, at=NOW + timedelta(hours=1)) == 0
    await fail(database, "other@ward.test", at=NOW + timedelta(hours=25))
    async with database.reads.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(ATTEMPT))).scalar_one() == 3


async def test_neither_addresses_nor_names_are_kept(database: Database) -> None:
    await fail(database)
    async with database.reads.connect() as connection:
        stored = str((await connection.execute(select(ATTEMPT))).all())
    assert stored != "[]"
    assert "192.0.2.1" not in stored
    assert "nurse" not in stored


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "no address", True),
    ],
)
def test_a_household_is_one_address(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


# Over HTTP -------------------------------------------------------------------------------------------------


async def nurse(app: FastAPI, ward_id: str) -> str:
    password_hash = await app.state.desk.passwords.hash(PASSWORD)
    async with writing(app.state.database) as session:
        return await accounts.add_staff(
            session, email="nurse@ward.test", name="Sam", password_hash=password_hash, roles={ward_id: "clinician"},
            administrator=False, at=real_now(),
        )  # fmt: skip


async def sign_in(client: httpx.AsyncClient, password: str, username: str = "nurse@ward.test") -> httpx.Response:
    form = {"grant_type": "password", "username": username, "password": password}
    return await client.post("/oauth/token", data=form)


async def test_whoever_was_kept_out_by_somebody_at_the_same_address_gets_in_with_a_new_password(
    hospital: Hospital,
) -> None:
    staff_id = await nurse(hospital.app, await hospital.ward())
    for _ in range(8):
        await sign_in(hospital.client, "wrong horse battery")
    assert (await sign_in(hospital.client, PASSWORD)).json()["code"] == "slow_down"
    async with writing(hospital.app.state.database) as session:
        token, _ = await new_password.issue(session, staff_id, real_now())
    body = {"token": token, "password": "another horse battery"}
    assert (await hospital.client.post("/oauth/password", json=body)).status_code == 204
    assert (await sign_in(hospital.client, body["password"])).status_code == 200


@pytest.mark.parametrize("username", ["nurse@ward.test", "nobody@ward.test"])
async def test_after_wrong_passwords_even_the_right_one_waits_whoever_it_is(hospital: Hospital, username: str) -> None:
    await nurse(hospital.app, await hospital.ward())
    # Some more than are free: the first waits are over before the next try comes.
    answers = [await sign_in(hospital.client, "wrong horse battery", username) for _ in range(12)]
    assert {answer.json()["error"] for answer in answers} == {"invalid_grant", "slow_down"}
    answer = await sign_in(hospital.client, PASSWORD, username.upper())
    assert (answer.status_code, answer.json()["code"]) == (429, "slow_down")
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_address_from_which_many_pairing_codes_were_wrong_has_to_wait(
    hospital: Hospital, database: Database
) -> None:
    bed = await bedside(hospital)
    for _ in range(20):  # who is right is never slowed down
        await bed.tokens()
    assert (await bring(hospital.client, "0123456789")).status_code == 400
    async with writing(database) as session:
        (counted,) = (await session.execute(select(ATTEMPT.c.failures))).scalars()
        assert counted == 1
        await session.execute(update(ATTEMPT).values(failures=PACES["codes"].free + 5, last_at=real_now()))
    answer = await bring(hospital.client, (await bed.new_code())["code"])
    assert (answer.status_code, answer.json()["code"]) == (429, "slow_down")
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert (await sign_in(hospital.client, PASSWORD)).json()["code"] == "invalid_grant"  # passwords are for themselves


async def test_a_try_for_which_there_was_no_room_does_not_count(hospital: Hospital) -> None:
    hospital.app.state.desk.passwords.most_waiting = 0
    for _ in range(8):
        answer = await sign_in(hospital.client, PASSWORD)
        assert answer.json()["code"] == Overloaded.code
