"""The database goes away and comes back: 503 meanwhile, and the same body may be sent again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text

from service.settings import Settings
from service.storage.engine import Database, open_database
from service.storage.migrations import migrate
from tests.conftest import SECRET_KEY, started
from tests.support.postgres import Server
from tests.support.time import SettableClock
from tests.support.wards import Partner, calling, open_partner, reading, rows_of

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("nothing_is_left_for_the_next_test")]


async def until_taken(partner: Partner, body: dict[str, object], seconds: float = 60) -> list[int]:
    """Send the same body until it is taken; every status there was."""
    codes: list[int] = []
    async with asyncio.timeout(seconds):
        while not codes or codes[-1] == 503:
            answer = await partner.ask("POST", "/v1/readings", body)
            codes.append(answer.status_code)
            if answer.status_code == 503:
                assert answer.headers["retry-after"].isdigit()
            await asyncio.sleep(0)
    return codes


async def test_a_stopped_database_is_503_and_the_same_body_is_kept_once_when_it_is_back(
    postgres_server: Callable[..., Server], clock: SettableClock
) -> None:
    server = postgres_server()
    url = server.url()
    await migrate(url)
    database = open_database(url)
    async with started(Settings(database_url=url, secret_key=SECRET_KEY), clock) as app, calling(app) as http:
        partner = await open_partner(http, database)
        stay_id = await partner.admit()
        await partner.kept(stay_id, spo2=97)
        await database.close()
        server.stop("immediate")
        bodies = [reading(stay_id, spo2=90, client_reading_id=str(n)) for n in range(8)]
        answers = await asyncio.gather(*(partner.ask("POST", "/v1/readings", body) for body in bodies))
        for answer in answers:
            assert_unavailable(answer)
        batch = await partner.ask("POST", "/v1/readings/batch", {"readings": bodies})
        assert_unavailable(batch)
        stranger = replace(partner, token=partner.token[:-4] + "AAAA")
        assert (await stranger.ask("POST", "/v1/readings", bodies[0])).status_code in (401, 503)
        server.start()
        for body in bodies:
            codes = await until_taken(partner, body)
            assert codes[-1] == 201
        again = [(await partner.ask("POST", "/v1/readings", body)).status_code for body in bodies]
        assert again == [200] * 8
        assert len(await rows_of(database, "reading")) == 9
        await database.close()
        assert app.state.intake.alive


def assert_unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert "not recorded" in answer.json()["safety_text"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_connections_that_are_cut_lose_nothing(partner: Partner, stay_id: str, database: Database) -> None:
    bodies = [reading(stay_id, spo2=90, client_reading_id=str(n)) for n in range(30)]
    sending = [asyncio.create_task(until_taken(partner, body)) for body in bodies]
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for _ in range(3):
        async with database.writes.connect() as connection:
            await connection.execute(cut)
        await asyncio.sleep(0)
    codes = await asyncio.gather(*sending)
    assert {each[-1] for each in codes} <= {200, 201}
    assert len(await rows_of(database, "reading")) == 30
    assert len({row.client_reading_id for row in await rows_of(database, "reading")}) == 30
