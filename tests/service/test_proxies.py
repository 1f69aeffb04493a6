"""`wardwatch serve` behind a proxy: whose word is taken for where a request came from."""

import pytest
from sqlalchemy import select

from service.access import accounts
from service.access.passwords import Passwords
from service.clock import real_now
from service.storage.engine import Database
from service.storage.session import reading, writing
from service.storage.tables import AuditRow
from tests.support.cli import serving

EMAIL, CLAIMED = "nurse@ward.test", "198.51.100.9"


async def add_nurse(database: Database) -> None:
    passwords = Passwords()
    try:
        password_hash = await passwords.hash("correct horse battery")
    finally:
        passwords.close()
    async with writing(database) as session:
        await accounts.add_staff(
            session, email=EMAIL, name="Sam", password_hash=password_hash, roles={}, administrator=True, at=real_now()
        )


@pytest.mark.parametrize(
    ("named", "recorded"),
    [("192.0.2.7", "127.0.0.1"), ("127.0.0.1", CLAIMED), ("192.0.2.7,127.0.0.0/8", CLAIMED)],
    ids=["another", "this one", "its network"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_a_proxy_that_is_named_says_where_a_request_came_from(
    database_url: str, database: Database, named: str, recorded: str
) -> None:
    await add_nurse(database)
    form = {"grant_type": "password", "username": EMAIL, "password": "wrong horse battery"}
    forwarded = {"X-Forwarded-For": f"203.0.113.5, {CLAIMED}"}  # the first is what the sender itself said
    async with serving(WARDWATCH_DATABASE_URL=database_url, FORWARDED_ALLOW_IPS=named) as (_, client):
        assert (await client.post("/oauth/token", data=form, headers=forwarded)).status_code == 400
        async with reading(database) as session:
            found = select(AuditRow.address).where(AuditRow.action == "sign_in", AuditRow.outcome == "refused")
            assert (await session.execute(found)).scalars().all() == [recorded]
