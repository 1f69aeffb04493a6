"""Row-level security: the database itself shows and takes no row of a ward that a transaction is not for.

It is drawn after the steps, whenever it is not there as this release has it: roles may be made later than the tables,
and a backup that is restored brings no grants. Roles are the whole server's, so all databases of Wardwatch on it share
them; what they may do is each database's own. Where the user may not make roles, nothing is drawn, the service runs on
the first line alone, and `wardwatch check` and the log say so."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.storage.migrations.policies import is_ward_owned, statements
from service.storage.roles import Role
from service.storage.tables import METADATA


@dataclass(frozen=True, slots=True)
class SecondLine:
    """Whether the database protects rows by itself, and what is to be said about it."""

    drawn: bool
    detail: str


NONE_HERE = SecondLine(True, "SQLite has none: every query's own condition is the only line")
DRAWN = SecondLine(True, "row-level security is on for every table of a ward")
MISSING = "off: the database's user may not make or take roles; somebody who may has to run: "
NOT_DRAWN = "off: run `wardwatch migrate`"

_KNOWN = text(
    "SELECT rolname, rolsuper OR rolbypassrls AS passes, pg_has_role(session_user, oid, CASE WHEN"
    " current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) AS may_take,"
    " pg_has_role(session_user, oid, 'USAGE') AS held FROM pg_roles WHERE rolname = ANY(:names)"
)
_MARK = text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
_UNGUARDED = text(
    "SELECT relname FROM pg_class WHERE oid = ANY(SELECT to_regclass(name) FROM unnest(CAST(:names AS text[])) name)"
    " AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname"
)
_GRANTED = text("SELECT has_table_privilege(CAST(:role AS text), to_regclass('ward_feed'), 'SELECT')")
_POLICIES = text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()")


def mark() -> str:
    """What says that the second line is that of this release: a word for all its statements."""
    said = "\n".join(statements(METADATA))
    return f"row-level security {hashlib.sha256(said.encode()).hexdigest()[:16]}"


async def look(connection: AsyncConnection) -> SecondLine:
    """How the second line stands in this database."""
    known = (await connection.execute(_KNOWN, {"names": list(Role)})).all()
    missing = await _missing(connection)
    if missing:
        user = (await connection.execute(text("SELECT quote_ident(session_user)"))).scalar_one()
        there = {role.rolname for role in known}
        made = [f"CREATE ROLE {role} NOLOGIN;" for role in missing if role not in there]
        given = f"GRANT {', '.join(missing)} TO {user}; then `wardwatch migrate`"
        return SecondLine(False, MISSING + " ".join([*made, given]))
    if passing := sorted(role.rolname for role in known if role.passes):
        return SecondLine(False, f"off: row-level security does not hold for {', '.join(passing)}")
    granted = await connection.scalar(_GRANTED, {"role": Role.TEAM.value})
    if await connection.scalar(_MARK) != mark() or not granted:
        return SecondLine(False, NOT_DRAWN)
    owned = [table.name for table in METADATA.sorted_tables if is_ward_owned(table)]
    unguarded = (await connection.execute(_UNGUARDED, {"names": owned})).scalars().all()
    if unguarded:
        return SecondLine(False, f"off on {', '.join(unguarded)}: run `wardwatch migrate`")
    return DRAWN


async def draw(connection: AsyncConnection, *, anew: bool = False) -> SecondLine:
    """Draw it unless it stands, or in any case; what refuses to be done leaves everything as it was."""
    await _make_roles(connection)
    found = await look(connection)
    if await _missing(connection) or (found.drawn and not anew):
        return found
    schema = await connection.scalar(text("SELECT quote_ident(current_schema())"))
    await connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {', '.join(Role)}")
    for table, policy in (await connection.execute(_POLICIES)).all():
        if table in METADATA.tables:
            await connection.exec_driver_sql(f'DROP POLICY "{policy}" ON {table}')
    for statement in statements(METADATA):
        await connection.exec_driver_sql(statement)
    await connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{mark()}'")
    return await look(connection)


async def _missing(connection: AsyncConnection) -> list[Role]:
    """The roles that are not there, or that the database's user may not take."""
    known = (await connection.execute(_KNOWN, {"names": list(Role)})).all()
    usable = {role.rolname for role in known if (role.held if role.rolname == Role.OPERATOR else role.may_take)}
    return [role for role in Role if role not in usable]


async def _make_roles(connection: AsyncConnection) -> None:
    """Make what is missing, and let the database's user take it; each by itself, as it may be refused."""
    for role in await _missing(connection):
        for statement in (f"CREATE ROLE {role} NOLOGIN", f"GRANT {role} TO CURRENT_USER"):
            try:
                async with connection.begin_nested():
                    await connection.exec_driver_sql(statement)
            except DBAPIError as problem:
                if problem.connection_invalidated:
                    raise
