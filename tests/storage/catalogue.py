"""What a database says about its own tables, as text: to compare two databases to the last constraint."""

from sqlalchemy import text

from service.storage.engine import Database

SQLITE = """
SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE tbl_name <> 'alembic_version'
"""
POSTGRESQL = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' '
    || coalesce(character_maximum_length::text, '') || ' ' || is_nullable
    || ' ' || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
UNION ALL
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
UNION ALL
SELECT 'index ' || indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""


async def catalogue(database: Database) -> list[str]:
    """One line for each column, constraint and index, sorted."""
    async with database.reads.connect() as connection:
        rows = await connection.execute(text(SQLITE if database.is_embedded else POSTGRESQL))
        return sorted(_plain(row[0]) for row in rows)


def _plain(line: str) -> str:
    """Without line breaks and quotes; what stands inside a SQLite CREATE TABLE is put in order."""
    line = " ".join(line.replace('"', "").split())
    if not line.startswith("table "):
        return line
    head, _, inside = line.partition("(")
    return head + "(" + ", ".join(sorted(inside.rstrip().removesuffix(")").rstrip().split(", ")))
