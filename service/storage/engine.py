"""Opening a database: SQLite for one process, PostgreSQL for many. The rest of the service does not know which.

Reads and writes have an engine each. A read connection cannot write (the database refuses it); on SQLite there is
one write connection, so writers queue here and never meet a locked file.

On PostgreSQL each connection of the service has a role that sees next to nothing, and each transaction says on whose
behalf it is (`acting`). The intake's groups and the look at the feeds have connections, and roles, of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from sqlite3 import OperationalError
from time import perf_counter
from typing import Any

import orjson
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from service.storage.acting import take_role
from service.storage.roles import SESSION_USER, Acting, Role

BUSY_TIMEOUT_MS, SERVED_BUSY_TIMEOUT_MS = 5_000, 2_000
"""How long a writer waits for a SQLite file that another program holds: the service less, where many wait for one."""
WAL_TRIES = 5
CONNECT_TIMEOUT_SECONDS = 10
"""How long a request waits for a connection: a server that restarts, or a machine that stands still for a moment, must
not turn away what it can still take. One that refuses is told from that at once."""
STATEMENT_TIMEOUT_MS, STANDSTILL_TIMEOUT_MS = 15_000, 10_000
ANSWER_TIMEOUT_SECONDS = 20.0
"""The server ends a statement after 15 s and says so; one that is silent is given up after this. What a replica that
stands still in a transaction, or whose machine is gone, has locked is free after 10 s."""
IDLE_SECONDS = 1.0
"""A connection unused for so long is asked whether it still stands. Busy ones are not; that costs a round trip."""

WRITERS_PLAN = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "cpu_operator_cost": "0",
}
"""Every statement of a writer looks up rows by keys. So it is planned once, and by index, whatever is known of a table
that was empty a minute ago. With only pages to count, indexes of which nothing is known cost the same, and the order
in which a statement wants its rows decides (`portable.for_each`)."""

LZ4 = """SELECT set_config(name, 'lz4', false) FROM pg_settings
WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)"""
"""Writers compress with LZ4 where the server has it: the usual way is most of what updating an alert costs."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database: one engine that only reads, one that writes; `groups` for the intake and `looks` for the feeds'
    numbers begin and commit with the driver itself (`direct.py`)."""

    url: URL
    _reads: AsyncEngine
    _writes: AsyncEngine
    groups: AsyncEngine
    looks: AsyncEngine
    _who: Callable[[], Acting] | None = None

    @property
    def reads(self) -> AsyncEngine:
        """Connections that cannot write."""
        return self._reads if self._who is None else self._reads.execution_options(acting=self._who)

    @property
    def writes(self) -> AsyncEngine:
        """Connections that can."""
        return self._writes if self._who is None else self._writes.execution_options(acting=self._who)

    def acting(self, who: Callable[[], Acting] | Role) -> "Database":
        """The same database on somebody's behalf: asked when a transaction begins, and told to the database with it."""
        if self.is_embedded:
            return self
        if isinstance(who, Role):
            always = Acting(who)
            return replace(self, _who=lambda: always)
        return replace(self, _who=who)

    @property
    def session_user(self) -> AsyncEngine:
        """Reads as the user who signed in: nobody else is told what that user's other connections do."""
        return self._reads.execution_options(acting=lambda: SESSION_USER)

    @property
    def is_embedded(self) -> bool:
        """Whether this is SQLite: one process, one writer."""
        return self.url.get_backend_name() == "sqlite"

    async def close(self) -> None:
        """Close every connection."""
        for engine in (self._reads, self._writes, self.groups, self.looks):
            await engine.dispose()


def open_database(
    url: str, pool_size: int = 8, *, answers_within: float | None = ANSWER_TIMEOUT_SECONDS, served: bool = False
) -> Database:
    """Open the database at `sqlite:///…` or `postgresql://…`; nothing is connected yet. `answers_within`: seconds a
    server may be silent on a statement, None for as long as it takes. `served`: for the service, where a transaction on
    nobody's behalf sees nothing; else as the database's own user, who sees everything."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.set(drivername="sqlite+aiosqlite"), pool_size, served)
    return _open_postgresql(parsed.set(drivername="postgresql+asyncpg"), pool_size, answers_within, served)


def _common() -> dict[str, Any]:
    return {"hide_parameters": True, "json_serializer": _to_json, "json_deserializer": orjson.loads}


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _open_postgresql(url: URL, pool_size: int, answers_within: float | None, served: bool) -> Database:
    def engine(role: Role, *, read_only: bool, **options: Any) -> AsyncEngine:
        settings = {
            "application_name": "wardwatch-read" if read_only else "wardwatch-write",
            "default_transaction_read_only": "on" if read_only else "off",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "timezone": "UTC",
            "datestyle": "ISO",  # some instants come as text (`readings.windows`)
            "jit": "off",  # it compiles for longer than any statement of ours takes
            "idle_in_transaction_session_timeout": str(STANDSTILL_TIMEOUT_MS if served and not read_only else 0),
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
            **options,
            **_common(),
        )
        if served:
            take_role(made, role)
        _ask_idle_connections(made)
        if not read_only:
            event.listen(made.sync_engine, "connect", _compress)
        return made

    by_itself = {"isolation_level": "AUTOCOMMIT"}
    return Database(
        url,
        engine(Role.TEAM, read_only=True),
        engine(Role.TEAM, read_only=False),
        groups=engine(Role.INTAKE, read_only=False, **by_itself),
        looks=engine(Role.FEED, read_only=True, **by_itself),
    )


def _compress(connection: Any, _record: Any) -> None:
    connection.run_async(lambda driver: driver.execute(LZ4))


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


def _open_sqlite(url: URL, pool_size: int, served: bool) -> Database:
    if url.database in (None, "", ":memory:"):
        raise ValueError("Wardwatch keeps what it answers: an in-memory database cannot")
    reads = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=pool_size, max_overflow=0, **_common())
    writes = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, **_common())
    patience_ms = SERVED_BUSY_TIMEOUT_MS if served else BUSY_TIMEOUT_MS
    _prepare_sqlite(reads, patience_ms, begin="BEGIN", read_only=True)
    _prepare_sqlite(writes, patience_ms, begin="BEGIN IMMEDIATE", read_only=False)
    return Database(url, reads, writes, groups=writes, looks=reads)


def _prepare_sqlite(engine: AsyncEngine, patience_ms: int, *, begin: str, read_only: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {patience_ms}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            _use_wal(cursor)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)


def _use_wal(cursor: Any) -> None:
    """Write-ahead logging. While a new file changes to it SQLite lets nobody wait, but for a transaction."""
    for attempt in range(1, WAL_TRIES + 1):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except OperationalError:
            if attempt == WAL_TRIES:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("COMMIT")
        else:
            return


async def name_and_clock(database: Database) -> tuple[str, datetime]:
    """The database's name and version, and its own clock: for `wardwatch check`."""
    async with database.reads.connect() as connection:
        version = getattr(connection.dialect, "server_version_info", None) or ()
        clock = (await connection.execute(select(func.current_timestamp()))).scalar_one()
    name = f"{connection.dialect.name} {'.'.join(map(str, version))}"
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
    async with database.session_user.connect() as connection:
        seconds = (await connection.execute(_OLDEST_WRITE)).scalar()
    return timedelta(seconds=float(seconds or 0))
