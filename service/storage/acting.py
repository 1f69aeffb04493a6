"""Telling PostgreSQL on whose behalf a connection, and a transaction on it, is."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from service.logs import get_logger
from service.storage.roles import Role

log = get_logger(__name__)

TAKE_ROLE = """
SELECT set_config('role', rolname, false) FROM pg_roles
WHERE rolname = $1
AND pg_has_role(session_user, oid,
    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
AND has_table_privilege(oid, to_regclass('ward_feed'), 'SELECT')
"""
"""For the whole connection, unless the second line is not drawn in this database: then nothing happens."""
_SAY = """
SELECT set_config('role', $1, true), set_config('wardwatch.wards', $2, true), set_config('wardwatch.stay', $3, true)
"""


def take_role(engine: AsyncEngine, role: Role) -> None:
    """Every connection has this role, and every transaction that is on somebody's behalf says on whose."""

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        taken = connection.run_async(lambda driver: driver.fetchval(TAKE_ROLE, role.value))
        record.info["has_role"] = taken is not None
        if taken is None:
            log.warning("second_line_off", role=role.value)

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        who = connection.get_execution_options().get("acting")
        if who is not None and connection.info["has_role"]:
            connection.exec_driver_sql(_SAY, who().told)
