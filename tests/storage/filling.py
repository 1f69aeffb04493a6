"""A row in every table, made of its columns: for tests that must not forget a table that is new."""

import re
from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.fields import new_id
from service.storage.portable import IdType, InstantType
from service.storage.tables import METADATA
from tests.support.time import START


async def fill(connection: AsyncConnection, ward_id: str, **known: str) -> dict[str, dict[str, Any]]:
    """One row of the ward in each table, by table; `known` columns have the value given. For PostgreSQL's superuser,
    who may leave foreign keys aside."""
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    rows: dict[str, dict[str, Any]] = {}
    for table in METADATA.sorted_tables:
        rows[table.name] = row = new_row(table, ward_id, **known)
        await connection.execute(insert(table).values(row))
    return rows


def new_row(table: Table, ward_id: str, **known: str) -> dict[str, Any]:
    """A row of the table that its columns and checks take."""
    row = {column.name: _value(table, column) for column in table.columns}
    row |= {name: value for name, value in known.items() if name in row}
    owner = "id" if table.name == "ward" else "ward_id"
    return row | ({owner: ward_id} if owner in row and (table.name == "ward" or owner == "ward_id") else {})


def _value(table: Table, column: Column[Any]) -> Any:
    for check in (str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint)):
        if check.startswith(f"{column.name} "):
            found = re.search(r"IN \('(\w+)'", check) or re.search(r"BETWEEN (\d+)", check)
            assert found, check
            return found[1] if "IN" in check else int(found[1])
    if isinstance(column.type, IdType):
        return new_id()
    if isinstance(column.type, InstantType):
        return START
    kind = column.type.python_type
    if kind is str:
        return new_id().replace("-", "")[: column.type.length or 32]  # type: ignore[attr-defined]
    return {int: 1, float: 1.0, bool: False, object: {}, date: START.date()}[kind]
