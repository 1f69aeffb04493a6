"""What the page for partners says about signing in with a key is what happens."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import update

from service.access import accounts
from service.access.assertions import LIVES_AT_MOST
from service.access.client_keys import ALGORITHMS
from service.access.store import CLIENT
from service.clock import real_now
from service.storage.engine import Database
from service.storage.session import writing
from service.wards.setup import open_ward
from tests.conftest import ROOT
from tests.support.cli import serving

PAGE = (ROOT / "docs" / "identity.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def registered(database: Database, jwks: Any) -> str:
    """The id of a client with these keys and no secret."""
    async with writing(database) as session:
        ward = await open_ward(session, None, real_now(), name="Respiratory")
        client_id, _ = await accounts.add_client(
            session, name="Records", scopes=["readings:read"], ward_ids=[ward.id], at=real_now()
        )
        keys = {"jwks": jwks, "secret_hash": ""}
        await session.execute(update(CLIENT).where(CLIENT.c.id == client_id).values(keys))
    return client_id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_example_gets_a_token(database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    makes_key, signs_in = BLOCKS
    names: dict[str, Any] = {}
    exec(makes_key, names)
    async with serving(WARDWATCH_DATABASE_URL=database_url) as (_, client):
        names |= {"URL": str(client.base_url).rstrip("/"), "CLIENT_ID": await registered(database, names["jwks"])}
        await asyncio.to_thread(exec, signs_in, names)
        answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {names['token']}"})
    assert (answer.status_code, answer.json()["scopes"]) == (200, ["readings:read"]), answer.text


def test_the_algorithms_and_the_time_are_those_of_the_code() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `alg` |"))
    assert set(re.findall(r"`(\w+)`", row)) == {"alg", *(each for some in ALGORITHMS.values() for each in some)}
    assert f"by {LIVES_AT_MOST.total_seconds() / 60:.0f} minutes at most" in PAGE
