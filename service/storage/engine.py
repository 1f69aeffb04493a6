"""Opening a database: SQLite for one process, PostgreSQL for many. The rest of the service does not know which.

Reads and writes have an engine each. A read connection cannot write (the database refuses it); on SQLite there is
one write connection, so writers queue here and never meet a locked file."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import orjson
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

BUSY_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_SECONDS = 3
STATEMENT_TIMEOUT_MS = 15_000
ANSWER_TIMEOUT_SECONDS = 20.0
"""The server ends a statement after 15 s and says so; one that says nothing at all is given up after this."""
IDLE_SECONDS = 1.0
"""A connection that was not used for so long is asked whether it still stands: after the server was restarted the
first to need one must not be the one who finds out. Busy connections are not asked; that costs a round trip."""


WRITERS_PLAN = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""Every statement of a writer looks up rows by keys. So it is planned once, by index, and not by what is known of a
table that was empty a minute ago: a table read from end to end under locks is what such statistics lead to."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database: one engine that only reads, one that writes."""

    url: URL
    reads: AsyncEngine
    writes: AsyncEngine
    looks: AsyncEngine
    groups: AsyncEngine
    """The same connections as `reads` and as `writes`, for those who begin and commit with the driver itself
    (`direct.py`). Made once: making one costs more than a statement."""

    @property
    def is_embedded(self) -> bool:
        """Whether this is SQLite: one process, one writer."""
        return self.url.get_backend_name() == "sqlite"

    async def close(self) -> None:
        """Close every connection."""
        await self.reads.dispose()
        await self.writes.dispose()


def open_database(url: str, pool_size: int = 8, *, answers_within: float | None = ANSWER_TIMEOUT_SECONDS) -> Database:
    """Open the database at `sqlite:///…` or `postgresql://…`; nothing is connected yet. `answers_within`: seconds a
    server may be silent on a statement, None for as long as it takes."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.set(drivername="sqlite+aiosqlite"), pool_size)
    return _open_postgresql(parsed.set(drivername="postgresql+asyncpg"), pool_size, answers_within)


def _of(url: URL, reads: AsyncEngine, writes: AsyncEngine) -> Database:
    by_driver = {"isolation_level": "AUTOCOMMIT"}
    return Database(url, reads, writes, reads.execution_options(**by_driver), writes.execution_options(**by_driver))


def _common() -> dict[str, Any]:
    return {"hide_parameters": True, "json_serializer": _to_json, "json_deserializer": orjson.loads}


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _open_postgresql(url: URL, pool_size: int, answers_within: float | None) -> Database:
    def engine(read_only: bool) -> AsyncEngine:
        settings = {
            "application_name": "wardwatch-read" if read_only else "wardwatch-write",
            "default_transaction_read_only": "on" if read_only else "off",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "timezone": "UTC",
            **({} if read_only else WRITERS_PLAN),
        }
        timeouts = {"timeout": CONNECT_TIMEOUT_SECONDS, "command_timeout": answers_within}
        made = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_SECONDS,
            pool_use_lifo=True,
            connect_args={"server_settings": settings, **timeouts},
            **_common(),
        )
        _ask_idle_connections(made)
        return made

    return _of(url, engine(read_only=True), engine(read_only=False))


def _ask_idle_connections(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "checkin")
    def put_back(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = perf_counter()

    @event.listens_for(engine.sync_engine, "checkout")
    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        idle_since = record.info.pop("idle_since", None)
        if idle_since is None or perf_counter() - idle_since < IDLE_SECONDS:
            return
        try:
            engine.sync_engine.dialect.do_ping(connection)
        except engine.sync_engine.dialect.loaded_dbapi.Error as problem:
            raise DisconnectionError from problem  # the pool makes another one


def _open_sqlite(url: URL, pool_size: int) -> Database:
    in_memory = url.database in (None, "", ":memory:")
    if in_memory:
        raise ValueError("Wardwatch keeps what it answers: an in-memory database cannot")
    reads = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=pool_size, max_overflow=0, **_common())
    writes = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, **_common())
    _prepare_sqlite(reads, begin="BEGIN", read_only=True)
    _prepare_sqlite(writes, begin="BEGIN IMMEDIATE", read_only=False)
    return _of(url, reads, writes)


def _prepare_sqlite(engine: AsyncEngine, begin: str, read_only: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)


async def server_of(database: Database) -> tuple[str, datetime]:
    """The database's name and version, and its own clock: for `wardwatch check`."""
    async with database.reads.connect() as connection:
        version = getattr(connection.dialect, "server_version_info", None) or ()
        clock = (await connection.execute(select(func.current_timestamp()))).scalar_one()
    name = f"{connection.dialect.name} {'.'.join(str(part) for part in version)}"
    return name, clock if clock.tzinfo else clock.replace(tzinfo=UTC)


_OLDEST_WRITE = text(
    "SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'wardwatch-write' AND pid <> pg_backend_pid()"
)


async def oldest_write(database: Database) -> timedelta:
    """For how long the oldest transaction that writes, in whichever process, has not been committed; zero when there is
    none. What is not counted had ended before this was asked, so a query made after it sees all of that."""
    if database.is_embedded:
        # There is one writer at a time: whoever has had a turn knows that those before have ended.
        async with database.writes.begin():
            return timedelta(0)
    async with database.reads.connect() as connection:
        seconds = (await connection.execute(_OLDEST_WRITE)).scalar()
    return timedelta(seconds=float(seconds or 0))
