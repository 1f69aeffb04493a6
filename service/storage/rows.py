"""Rows handed to PostgreSQL whole, to be inserted or to update others."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, Table


class RowsOf:
    """Rows of a PostgreSQL table as one parameter: an array of the table's own row type, a third of the price of an
    array for each column. `order`: the table's columns in the order in which the database has them."""

    def __init__(self, table: Table, order: Sequence[str], dialect: Dialect) -> None:
        self._table = table
        self._order = order
        columns = table.columns
        kinds = [columns[name].type.dialect_impl(dialect) if name in columns else None for name in order]
        stored = [None if kind is None else kind.bind_processor(dialect) for kind in kinds]
        self._stored = [(place, to_stored) for place, to_stored in enumerate(stored) if to_stored is not None]
        self._keys = [column.name for column in table.primary_key]

    def insert(self, row: Mapping[str, Any], number: int) -> str:
        """The statement that inserts rows which have the columns of this one; they are the parameter of this number."""
        names = [name for name in self._order if name in row]
        given = ", ".join(f"given.{name}" for name in names)
        return (
            f"INSERT INTO {self._table.name} ({', '.join(names)}) "  # noqa: S608 - names of our own tables
            f"SELECT {given} FROM unnest(${number}::{self._table.name}[]) AS given"
        )

    def update(self, row: Mapping[str, Any], number: int) -> str:
        """The statement that updates rows which have the columns of this one, found by their primary key: those given
        come first, for an equality with one of one cannot be turned round."""
        changed = ", ".join(f"{name} = given.{name}" for name in self._order if name in row and name not in self._keys)
        ward_id, *others = self._keys
        found = [f"{self._table.name}.{ward_id} = ANY (ARRAY[given.{ward_id}])"]
        found += [f"{self._table.name}.{name} = given.{name}" for name in others]
        return (
            f"UPDATE {self._table.name} SET {changed} "  # noqa: S608 - names of our own tables
            f"FROM unnest(${number}::{self._table.name}[]) AS given WHERE {' AND '.join(found)}"
        )

    def values(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The parameter."""
        return [self._value(row) for row in rows]

    def _value(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        value = list(map(row.get, self._order))
        for place, to_stored in self._stored:
            if value[place] is not None:
                value[place] = to_stored(value[place])
        return tuple(value)
