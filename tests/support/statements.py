"""Hearing what is said to a database, also what goes to the driver directly, and that somebody waits in it."""

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


async def somebody_waits(database: Database) -> bool:
    """Whether a transaction waits for what another holds."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with database.reads.connect() as connection:
        return bool(await connection.scalar(text(waiting)))
