"""Where SQLite and PostgreSQL differ, told once: column types, inserts that may meet an existing row, errors."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import DateTime, Dialect, String, Table, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.types import TypeDecorator, TypeEngine

SERIALIZATION_STATES = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of serialization failure, deadlock and lock not available: the whole transaction may be tried again."""


UNAVAILABLE_CLASSES = ("08", "53", "57P", "58", "25006")
"""SQLSTATE beginnings: connection lost, out of resources, shutting down, system error, a stand-by that only reads."""
SQLITE_UNAVAILABLE = ("database is locked", "unable to open", "disk I/O", "database or disk is full", "no active connection")


class IdType(TypeDecorator[str]):
    """A UUID as its canonical text in Python: a native uuid on PostgreSQL, 36 characters on SQLite."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(UUID(as_uuid=False))
        return dialect.type_descriptor(String(36))


class InstantType(TypeDecorator[datetime]):
    """An aware UTC instant: timestamptz on PostgreSQL, fixed-width ISO text on SQLite (which sorts by time)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(32))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs an offset")
        if dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value
        return datetime.fromisoformat(value)


def insert_or_skip(
    where: AsyncConnection | AsyncSession | Connection, table: Table, keys: Iterable[str]
) -> Any:
    """An INSERT that leaves a row with the same `keys` alone; add `.values(...)` and `.returning(...)`."""
    dialect = where.bind.dialect.name if isinstance(where, AsyncSession) else where.dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    return insert(table).on_conflict_do_nothing(index_elements=list(keys))


def rows_of(connection: AsyncConnection, types: Mapping[str, type[TypeEngine[Any]]], rows: Sequence[Sequence[Any]]) -> Any:
    """Rows given as one parameter, to join with: one SQL text whatever their number, so that its plan is kept.

    `types` names the columns: IdType, InstantType or a type that is stored as it is."""
    names = list(types)
    columns = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in names]
    if connection.dialect.name == "postgresql":
        arrays = [cast(values, ARRAY(_native(types[name]))) for name, values in zip(names, columns, strict=True)]
        given = func.unnest(*arrays).table_valued(*(column(name, types[name]) for name in names), name="given")
        return given.render_derived()
    table = func.json_each(literal(_rows_text(rows), String)).table_valued("value", name="each")
    return select(
        *(func.json_extract(table.c.value, f"$[{i}]", type_=types[name]()).label(name) for i, name in enumerate(names))
    ).subquery("given")


def _rows_text(rows: Sequence[Sequence[Any]]) -> str:
    """The rows as JSON, instants written as InstantType stores them."""
    return orjson.dumps(
        [[v.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(v, datetime) else v for v in r] for r in rows]
    ).decode()


def _native(kind: type[TypeEngine[Any]]) -> TypeEngine[Any]:
    return UUID(as_uuid=False) if kind is IdType else DateTime(timezone=True) if kind is InstantType else kind()


def placement(_ward_id: str) -> str:
    """Which machine holds a ward's rows: one for all on a single database; each ward its own once spread (Citus)."""
    return "one"


def is_unavailable(problem: BaseException) -> bool:
    """Whether an error means that the database cannot be reached or used now, and may be later."""
    if isinstance(problem, (OSError, InterfaceError, PoolTimeout)):
        return True
    if not isinstance(problem, DBAPIError):
        return False
    if problem.connection_invalidated:
        return True
    state = str(getattr(problem.orig, "sqlstate", None) or "")
    if state:
        return state.startswith(UNAVAILABLE_CLASSES)
    return any(sign in str(problem.orig) for sign in SQLITE_UNAVAILABLE)


def may_be_retried(problem: BaseException) -> bool:
    """Whether a transaction failed only because of others running beside it."""
    if not isinstance(problem, DBAPIError):
        return False
    state = getattr(problem.orig, "sqlstate", None) or getattr(problem.orig, "pgcode", None)
    return state in SERIALIZATION_STATES or "database is locked" in str(problem.orig)
