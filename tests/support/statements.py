"""Hearing what is said to a database, also what goes to the driver directly, and that somebody waits in it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.storage.engine import Database

Hear = Callable[[Any, str], None]
"""Called with the driver's connection and each statement on it, COMMIT among them."""


@contextmanager
def heard(engine: AsyncEngine, hear: Hear) -> Iterator[None]:
    """Every statement of the engine. PostgreSQL's driver repeats them all itself; SQLite's says nothing, and nothing
    goes past the library there."""
    listening: set[Any] = set()

    def checked_out(connection: Any, _record: Any, _proxy: Any) -> None:
        driver = connection.driver_connection
        if driver not in listening and hasattr(driver, "add_query_logger"):
            listening.add(driver)
            driver.add_query_logger(lambda query: hear(driver, query.query))

    def execute(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        hear(connection.connection.driver_connection, statement)

    def commit(connection: Any) -> None:
        hear(connection.connection.driver_connection, "COMMIT")

    listeners: list[tuple[str, Any]] = [("checkout", checked_out)]
    if engine.url.get_backend_name() == "sqlite":
        listeners = [("before_cursor_execute", execute), ("commit", commit)]
    for name, listener in listeners:
        event.listen(engine.sync_engine, name, listener)
    yield
    for name, listener in listeners:
        event.remove(engine.sync_engine, name, listener)


async def until_somebody_waits(database: Database, seconds: float = 60) -> None:
    """Return when a transaction waits for what another holds; only it knows. Fails after too long."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(seconds), database.reads.connect() as connection:
        while not await connection.scalar(text(waiting)):
            await connection.rollback()  # the next look is at the database as it is then
            await asyncio.sleep(0.01)
