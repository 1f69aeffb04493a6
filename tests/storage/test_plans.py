"""The intake's statements look up rows by the index that is meant, whatever is known of the tables, and the second line
costs them nothing: they are planned as if there were no policies."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

import service
from service.fields import new_id
from service.storage.direct import Statement
from service.storage.engine import Database, open_database
from service.storage.migrations.policies import WARDS, grants_on
from service.storage.portable import rows_of
from service.storage.roles import Role
from service.storage.tables import METADATA
from tests.storage.filling import new_row

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
CHANGED = ("stay", "alert", "ward_feed")
"""What the intake updates by rows."""
REFERRED_TO = ("stay", "alert")
"""What the rows that it inserts refer to."""
MEANT = {
    "service.feed.numbering.HOLD_FEEDS": {"pk_ward_feed"},
    "service.feed.positions.READ": {"pk_ward_feed"},
    "service.queue.store.FIND_LAST_RESOLVED": {"ix_alert_of_stay"},
    "service.queue.store.FIND_UNRESOLVED": {"uq_alert_one_unresolved"},
    "service.readings.background.KNOWN": {"ix_reading_of_stay", "uq_alert_one_unresolved", "pk_idempotency"},
    "service.readings.store.FIND_STAYS": {"pk_stay"},
    "service.readings.store.LOAD_PLANS": {"pk_plan"},
    "service.readings.store.LOAD_READINGS": {"pk_reading"},
    "service.readings.store.LOCK_STAYS": {"pk_stay", "pk_ward"},
    "update stay": {"pk_stay"},
    "update alert": {"pk_alert"},
    "update ward_feed": {"pk_ward_feed"},
    "refer to stay": {"pk_stay"},
    "refer to alert": {"pk_alert"},
}
"""The indexes by which each statement looks up its rows."""
REFER = "SELECT 1 FROM ONLY {} x WHERE ward_id = $1 AND id = $2 FOR KEY SHARE OF x"
"""What the server asks for a foreign key."""
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


@pytest.mark.parametrize(("rows", "analysed"), [(0, True), (3, True), (130, False), (170, False), (170, True)])
async def test_rows_are_looked_up_by_the_index_that_is_meant_whatever_is_known_of_the_tables(
    database: Database, rows: int, analysed: bool
) -> None:
    # Of the sizes at which one index grows by a level and another does not.
    ward_ids = [new_id() for _ in range(rows)]
    async with database.writes.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for name in ("stay", "plan", "reading", "idempotency", "alert") if rows else ():
            table = METADATA.tables[name]
            await connection.execute(insert(table), [new_row(table, ward_id) for ward_id in ward_ids])
        if analysed:
            await connection.exec_driver_sql("ANALYZE")
        asked: dict[str, tuple[str, int]] = {}
        for name, statement in statements():
            compiled = statement.compiled(connection)
            asked[name] = compiled.text, len(compiled.names)
        for name in CHANGED:
            table = METADATA.tables[name]
            shape = await rows_of(connection, table)
            asked[f"update {name}"] = shape.update(dict.fromkeys(table.columns.keys()), 1), 1
        asked |= {f"refer to {name}": (REFER.format(name), 2) for name in REFERRED_TO}
        plans = {name: await plan(connection, *each) for name, each in asked.items()}
    for name, found in plans.items():
        assert set(re.findall(r" using (\w+)", found)) == MEANT[name], found
        assert len(re.findall(r" using .*\n +Index Cond: ", found)) == found.count(" using "), found
        assert "Seq Scan" not in found and "Bitmap" not in found, found
        assert "Join Filter" not in found, found
    assert plans.keys() == MEANT.keys()


async def test_a_wards_rows_are_found_by_index_and_the_wards_worked_out_once(database: Database) -> None:
    async with database.writes.begin() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE wardwatch_team")
        for table in ("alert", "reading", "stay", "event", "audit"):
            found = await plan(connection, f"SELECT * FROM {table} WHERE ward_id = $1", 1)
            assert "Index" in found.partition("\n")[0] or "Bitmap Heap Scan" in found.partition("\n")[0], found
            assert "InitPlan" in found, found
            assert "current_setting" not in found.partition("InitPlan")[0], found
    assert WARDS.startswith("(SELECT ")


async def test_who_writes_compresses_long_values_by_lz4_where_the_server_has_it(database: Database) -> None:
    served = open_database(database.url.render_as_string(hide_password=False), 1, served=True)
    asked = text("SELECT setting, 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")
    for engine in (database.writes, served.acting(Role.TEAM).writes, served.groups):
        async with engine.connect() as connection:
            setting, has_it = (await connection.execute(asked)).one()
            assert (setting == "lz4") == has_it
    await served.close()
