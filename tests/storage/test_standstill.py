"""Whoever stands still in the middle of a transaction, or of a statement, does not hold up the others for ever."""

import pytest
from sqlalchemy import text

from service.storage.engine import open_database
from service.storage.faults import is_unavailable
from service.storage.roles import Role

LOCK = text("SELECT pg_advisory_xact_lock(7)")


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_a_replica_that_stands_still_has_locked_is_free_in_seconds(database_url: str) -> None:
    still = open_database(database_url, served=True).acting(Role.DESK)
    other = open_database(database_url)
    try:
        async with still.writes.connect() as standing:
            await standing.execute(LOCK)
            async with other.writes.begin() as going_on:
                await going_on.execute(LOCK)
            with pytest.raises(Exception) as told:
                await standing.execute(LOCK)
            assert is_unavailable(told.value), "the sender is not told to send again"
    finally:
        await still.close()
        await other.close()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_waited_too_long_for_what_another_has_locked_is_told_to_send_again(database_url: str) -> None:
    database = open_database(database_url, served=True).acting(Role.DESK)
    try:
        async with database.writes.connect() as holding, database.writes.connect() as waiting:
            await holding.execute(LOCK)
            await waiting.execute(text("SET statement_timeout = 50"))
            with pytest.raises(Exception) as told:
                await waiting.execute(LOCK)
            assert is_unavailable(told.value)
    finally:
        await database.close()
