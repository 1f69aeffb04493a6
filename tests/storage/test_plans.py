"""The second line costs the intake nothing: its statements are planned as if there were no policies."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import service
from service.storage.direct import Statement
from service.storage.engine import Database, open_database
from service.storage.migrations.policies import WARDS, grants_on
from service.storage.portable import rows_of
from service.storage.roles import Role
from service.storage.tables import METADATA

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
CHANGED = ("stay", "alert")
"""What the intake updates by rows."""
LOOKS = ("service.feed.positions.READ", "service.readings.store.FIND_STAYS")
"""What is asked by who only looks."""


def statements() -> Iterator[tuple[str, Statement]]:
    """Every statement that is built once."""
    for module in pkgutil.walk_packages(service.__path__, "service."):
        if module.name.endswith(".migrations.env"):
            continue  # runs inside Alembic alone
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Statement):
                yield f"{module.name}.{name}", value


async def plan(connection: AsyncConnection, statement: str, values: int) -> str:
    """How a statement is carried out, whatever its values are."""
    await connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    await connection.exec_driver_sql(f"PREPARE asked AS {statement}")
    given = f"({', '.join(['NULL'] * values)})" if values else ""
    rows = (await connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) EXECUTE asked{given}")).scalars().all()
    await connection.exec_driver_sql("DEALLOCATE asked")
    return "\n".join(rows)


async def test_the_intakes_statements_are_planned_as_if_there_were_no_policies(database: Database) -> None:
    served = open_database(database.url.render_as_string(hide_password=False), 1, served=True)
    wanted: dict[str, tuple[str, int]] = {}
    async with database.writes.connect() as connection:
        for name, statement in statements():
            compiled = statement.compiled(connection)
            wanted[name] = (compiled.text, len(compiled.names))
        for table in METADATA.sorted_tables:
            granted = grants_on(table).get(Role.INTAKE, "")
            shape = await rows_of(connection, table)
            row = dict.fromkeys(table.columns.keys())
            if "INSERT" in granted:
                wanted[f"insert into {table.name}"] = (shape.insert(row, 1), 1)
            if table.name in CHANGED:
                wanted[f"update {table.name}"] = (shape.update(row, 1), 1)
        unsecured = {name: await plan(connection, *asked) for name, asked in wanted.items()}
    roles = set()
    for role in (Role.INTAKE, Role.FEED):
        async with served.acting(role).writes.connect() as connection:
            for name, asked in wanted.items():
                if role == (Role.FEED if name in LOOKS else Role.INTAKE):
                    roles.add(role)
                    assert await connection.scalar(text("SELECT current_user")) == role
                    assert await plan(connection, *asked) == unsecured[name], name
    assert roles == {Role.INTAKE, Role.FEED}
    assert len(wanted) > 12
    await served.close()


async def test_a_wards_rows_are_found_by_index_and_the_wards_worked_out_once(database: Database) -> None:
    async with database.writes.begin() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE wardwatch_team")
        for table in ("alert", "reading", "stay", "event", "audit"):
            found = await plan(connection, f"SELECT * FROM {table} WHERE ward_id = $1", 1)
            assert "Index" in found.partition("\n")[0] or "Bitmap Heap Scan" in found.partition("\n")[0], found
            assert "InitPlan" in found, found
            assert "current_setting" not in found.partition("InitPlan")[0], found
    assert WARDS.startswith("(SELECT ")
