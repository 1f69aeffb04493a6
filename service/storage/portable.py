"""Where SQLite and PostgreSQL differ, told once: column types, inserts that may meet an existing row, rows as
parameters, statements as the driver takes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeDecorator, TypeEngine

from service.storage.rows import RowsOf


class IdType(TypeDecorator[str]):
    """A UUID as its canonical text in Python: a native uuid on PostgreSQL, 36 characters on SQLite."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(UUID(as_uuid=False))
        return dialect.type_descriptor(String(36))

    def bind_processor(self, dialect: Dialect) -> Any:
        """PostgreSQL's driver takes the text as it is."""
        return None


class InstantType(TypeDecorator[datetime]):
    """An aware UTC instant: timestamptz on PostgreSQL, fixed-width ISO text on SQLite (which sorts by time)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(32))

    def bind_processor(self, dialect: Dialect) -> Any:
        """An instant without an offset is refused, whatever the database."""
        as_text = dialect.name != "postgresql"

        def process(value: datetime | None) -> Any:
            if value is None:
                return None
            if value.tzinfo is None:
                raise ValueError("an instant needs an offset")
            return value.astimezone(UTC).isoformat(timespec="microseconds") if as_text else value

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """PostgreSQL's driver gives aware instants already; nothing is left to do for each value."""
        return None if dialect.name == "postgresql" else _from_text


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def dialect_of(where: Any) -> str:
    """The name of the database behind a connection or a session, as this module's other functions take it."""
    bind = where.get_bind() if hasattr(where, "get_bind") else where
    name: str = bind.dialect.name
    return name


def insert_or_skip(where: Any, table: Table, keys: Iterable[str]) -> Any:
    """An INSERT that leaves a row with the same `keys` alone; add `.values(...)` or `.from_select(...)`, and
    `.returning(...)`. `where` may be the name that `dialect_of` gives."""
    dialect = where if isinstance(where, str) else dialect_of(where)
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    return insert(table).on_conflict_do_nothing(index_elements=list(keys))


class Given:
    """Rows handed to a statement as parameters, to join with or to insert: the SQL text is the same however many
    there are, so it is built, compiled and planned once.

    `Given(ward_id=IdType, since=InstantType)`, with a name before them where a statement takes several;
    `table(dialect)` is what a statement selects from, with a column `place` that counts the rows from 1;
    `params(dialect, rows)` is what it is executed with. On PostgreSQL an array for each column, on SQLite one JSON
    text."""

    def __init__(self, named: str = "given", /, **types: type[TypeEngine[Any]] | TypeEngine[Any]) -> None:
        self._name = named
        self._types = {name: kind() if isinstance(kind, type) else kind for name, kind in types.items()}
        self._texts = {name for name, kind in self._types.items() if isinstance(kind, IdType)}

    def table(self, dialect: str) -> Any:
        """The rows as a table."""
        if dialect == "postgresql":
            arrays = [self._array(name, kind) for name, kind in self._types.items()]
            columns = [column(name, kind) for name, kind in self._types.items()]
            rows = func.unnest(*arrays).table_valued(*columns, with_ordinality="place")
            return rows.render_derived(name=self._name)
        given = func.json_each(bindparam(self._name, type_=String))
        each = given.table_valued(column("key", Integer), "value", name="each")
        values = [
            func.json_extract(each.c.value, f"$[{number}]", type_=kind).label(name)
            for number, (name, kind) in enumerate(self._types.items())
        ]
        return select((each.c.key + 1).label("place"), *values).subquery(self._name)

    def _array(self, name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        """One column of the rows. Ids, which hold nothing to quote, come as the text of an array: of what comes as an
        array itself the driver looks at each element three times before it writes it."""
        given = f"{self._name}_{name}"
        if name in self._texts:
            return cast(bindparam(given, type_=Text), ARRAY(_native(kind)))
        return bindparam(given, type_=ARRAY(_native(kind)))

    def params(self, dialect: str, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """The parameters; each row has a value for each column, in order."""
        if dialect == "postgresql":
            columns = zip(*rows, strict=True) if rows else [() for _ in self._types]
            return {
                f"{self._name}_{name}": f"{{{','.join(values)}}}" if name in self._texts else list(values)
                for name, values in zip(self._types, columns, strict=True)
            }
        return {self._name: orjson.dumps([[_as_stored(value) for value in row] for row in rows]).decode()}


def for_each(dialect: str, given: Any, query: Select[Any], *order: Any, newest: int | None = None) -> Select[Any]:
    """What `query` finds for each row of a Given's table, to which its conditions refer. With `newest`: for each row at
    most so many, the first by `order`, and all that are equal to the last of them.

    `order` is also that of the index to be used, after the columns for which the conditions give one value: PostgreSQL
    then takes this index and no other, and the rows given first, whatever it knew of the tables when it planned."""
    if dialect == "postgresql":
        found = query.order_by(*order).fetch(newest, with_ties=True).lateral("found")
        return select(*found.c).join_from(given, found, true())
    if newest is None:
        return query
    place = func.rank().over(partition_by=given.c.place, order_by=order).label("place_by_order")
    ranked = query.add_columns(place).subquery("ranked")
    *columns, place_by_order = ranked.c
    return select(*columns).where(place_by_order <= newest)


def _native(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type inside an array; the driver takes instants as they are."""
    if isinstance(kind, IdType):
        return UUID(as_uuid=False)
    return DateTime(timezone=True) if isinstance(kind, InstantType) else kind


def _as_stored(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement as the driver takes it: the text, the names of its values in order, those values that never change,
    and what is done to each column of an answer (empty: nothing)."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    to_python: tuple[Callable[[Any], Any] | None, ...]


def compiled_for(connection: AsyncConnection, core: Any) -> Compiled:
    """A statement of Core, compiled."""
    dialect = connection.dialect
    compiled = core.compile(dialect=dialect)
    to_python = [_to_python(column.type, dialect) for column in core.exported_columns]
    return Compiled(
        text=compiled.string,
        names=tuple(compiled.positiontup),
        constants={name: value for name, value in compiled.params.items() if value is not None},
        to_python=tuple(to_python) if any(to_python) else (),
    )


def _to_python(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What the library does to a value that it reads; a float comes from the driver as it should be."""
    return None if isinstance(kind, Float) else kind.dialect_impl(dialect).result_processor(dialect, None)


async def rows_of(connection: AsyncConnection, table: Table) -> RowsOf:
    """How rows of a table are handed to PostgreSQL."""
    order = await connection.execute(
        text(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ),
        {"name": table.name},
    )
    return RowsOf(table, list(order.scalars()), connection.dialect)


def placement(_ward_id: str) -> str:
    """Which machine holds a ward's rows: one for all on a single database; each ward its own once spread (Citus)."""
    return "one"


_REACH = text(
    "SELECT set_config('wardwatch.wards',"
    " (coalesce(nullif(current_setting('wardwatch.wards', true), '')::uuid[], '{}')"
    " || CAST(CAST(:wards AS text) AS uuid[]))::text,"
    " true)"
)


async def reach(where: Any, *ward_ids: str) -> None:
    """Let the rest of this transaction see and write on these wards too. For what concerns two wards, once it is
    certain that it may."""
    if dialect_of(where) == "postgresql":
        await where.execute(_REACH, {"wards": "{" + ",".join(ward_ids) + "}"})
