"""The shortest way to the database, for the statements of a group.

A `Statement` is built with Core once and compiled once; inside a group its text and its values go to the driver as
they are, which costs a third of what the library's execution layer does. Everything else, in a group or outside,
uses `execute` as usual: both run in the same transaction."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Executable, Table, bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.engine import Database
from service.storage.faults import is_outdated
from service.storage.portable import Compiled, compiled_for, dialect_of, rows_of
from service.storage.rows import RowsOf

Row = Sequence[Any]


class Where(Protocol):
    """Where a statement is carried out: what an AsyncConnection, an AsyncSession and a Direct have in common."""

    async def execute(self, statement: Any, parameters: Any = None, /) -> Any:
        """The result of one statement."""


class Statement:
    """A statement that is carried out again and again; `build(dialect)` gives it in Core, for the dialect named."""

    def __init__(self, build: Callable[[str], Any]) -> None:
        self._build = build
        self._built: dict[str, Any] = {}
        self._compiled: dict[str, Compiled] = {}

    def core(self, dialect: str) -> Executable:
        """The statement in Core."""
        if dialect not in self._built:
            self._built[dialect] = self._build(dialect)
        built: Executable = self._built[dialect]
        return built

    def compiled(self, connection: AsyncConnection) -> Compiled:
        """The statement as the driver of this connection takes it."""
        kind = dialect_of(connection)
        if kind not in self._compiled:
            self._compiled[kind] = compiled_for(connection, self.core(kind))
        return self._compiled[kind]


class Direct:
    """A transaction on the driver's own connection."""

    def __init__(self, connection: AsyncConnection, driver: Any, known: dict[Table, RowsOf]) -> None:
        self._connection = connection
        self._driver = driver
        self._known = known

    def get_bind(self) -> AsyncConnection:
        """The connection, as a session gives it."""
        return self._connection

    async def execute(self, statement: Any, parameters: Any = None, /) -> Any:
        """The result of any statement, by the usual way."""
        return await self._connection.execute(statement, parameters)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
        """The rows of a statement."""
        compiled = statement.compiled(self._connection)
        given = {**compiled.constants, **values} if compiled.constants else values
        rows: Sequence[Row] = await self._driver.fetch(compiled.text, *[given[name] for name in compiled.names])
        if not compiled.to_python or not rows:
            return rows
        return [_converted(row, compiled.to_python) for row in rows]

    async def write(self, changes: Sequence["Insert | Update"]) -> None:
        """Write all of it in one statement."""
        texts, values = [], []
        for number, change in enumerate(changes, 1):
            shape = await self._shape(change.table)
            text = shape.insert if isinstance(change, Insert) else shape.update
            texts.append(text(change.rows[0], number))
            values.append(shape.values(change.rows))
        before = ", ".join(f"w{number} AS ({text})" for number, text in enumerate(texts[:-1], 1))
        await self._driver.fetch(f"WITH {before} {texts[-1]}" if before else texts[-1], *values)

    async def _shape(self, table: Table) -> RowsOf:
        if table not in self._known:
            self._known[table] = await rows_of(self._connection, table)
        return self._known[table]


def _converted(row: Row, to_python: Sequence[Callable[[Any], Any] | None]) -> Row:
    return [
        value if convert is None or value is None else convert(value)
        for value, convert in zip(row, to_python, strict=True)
    ]


async def fetch(where: Where, statement: Statement, values: Mapping[str, Any]) -> Sequence[Row]:
    """The rows of a statement, whatever it is carried out on."""
    if isinstance(where, Direct):
        return await where.fetch(statement, values)
    result = await where.execute(statement.core(dialect_of(where)), values)
    return result.all() if result.returns_rows else ()


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows of the same columns for a table."""

    table: Table
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Update:
    """Rows of a table, each with its primary key and the columns that change: the same ones for all."""

    table: Table
    rows: Sequence[Mapping[str, Any]]


async def write(where: Where, *changes: Insert | Update) -> None:
    """Write changes that do not depend on each other: a group's in one statement, in no order."""
    wanted = [change for change in changes if change.rows]
    if not wanted:
        return
    if isinstance(where, Direct):
        await where.write(wanted)
        return
    for change in wanted:
        if isinstance(change, Insert):
            await where.execute(insert(change.table), list(change.rows))
        else:
            await _update(where, change.table, change.rows)


async def insert_rows(where: Where, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns."""
    await write(where, Insert(table, rows))


async def update_rows(where: Where, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows, each given with its primary key and the columns that change: the same ones for all."""
    await write(where, Update(table, rows))


async def _update(where: Where, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    keys: dict[str, Any] = {column.name: bindparam(f"key_{column.name}") for column in table.primary_key}
    changed: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name not in keys}
    found = [table.c[name] == key for name, key in keys.items()]
    values = [{f"key_{name}" if name in keys else name: value for name, value in row.items()} for row in rows]
    await where.execute(update(table).where(*found).values(changed), values)


class Groups:
    """Transactions for the groups of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Where]:
        """A transaction: committed at the end, rolled back if anything is raised."""
        if self._database.is_embedded:
            async with self._database.writes.connect() as connection:
                yield connection
                await connection.commit()
            return
        async with self._database.groups.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            # Of the connection, as what the driver knows of the tables is: both are as old, and go together.
            known: dict[Table, RowsOf] = connection.info.setdefault(RowsOf, {})
            ended = False
            try:
                transaction = driver.transaction()  # raises where the line is known to be cut
                await transaction.start()
                try:
                    yield Direct(connection, driver, known)
                except Exception as problem:
                    if not isinstance(problem, TimeoutError):  # a server that says nothing rolls back when we hang up
                        await transaction.rollback()
                        ended = not is_outdated(problem)
                    raise
                await transaction.commit()
                ended = True
            finally:
                if not ended:
                    # It may stand in a transaction still, and the next COMMIT would only leave a savepoint in it.
                    await connection.invalidate()


@asynccontextmanager
async def looking(database: Database) -> AsyncIterator[Where]:
    """A connection for reading again and again. Each statement sees what is committed when it begins: there is no
    transaction around them, which on a server saves two round trips."""
    if database.is_embedded:
        async with database.reads.connect() as connection:
            yield _EachAlone(connection)
        return
    async with database.looks.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            yield Direct(connection, driver, {})
        finally:
            if driver.is_closed():
                await connection.invalidate()


class _EachAlone:
    """A connection on which every statement is a transaction of its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def get_bind(self) -> AsyncConnection:
        """The connection, as a session gives it."""
        return self._connection

    async def execute(self, statement: Any, parameters: Any = None, /) -> Any:
        """The result of one statement, which sees what is committed now."""
        result = await self._connection.execute(statement, parameters)
        await self._connection.rollback()
        return result
