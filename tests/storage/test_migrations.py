"""From an empty database to today's tables, on both databases."""

from service.storage.engine import Database
from service.storage.migrations import current, head


async def test_a_migrated_database_is_at_head(database: Database) -> None:
    assert await current(database) == head()


async def test_the_service_starts(client) -> None:
    assert (await client.get("/openapi.json")).status_code == 200


async def test_ready(client) -> None:
    answer = await client.get("/readyz")
    assert answer.json() == {"status": "ready"}
