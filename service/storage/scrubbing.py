"""Nothing that was deleted is left in the database's files: what is deleted lies in free pages and old row versions
until something else is written over it."""

import sqlite3
from contextlib import closing

from sqlalchemy import text

from service.storage.engine import Database
from service.storage.tables import METADATA


async def scrub(database: Database) -> None:
    """Write the database's files anew. Nobody else writes meanwhile, and on a server nobody reads a table either."""
    if database.is_embedded:
        with closing(sqlite3.connect(str(database.url.database))) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    async with database.groups.connect() as server:
        await server.execute(text("SET statement_timeout = 0"))
        for table in METADATA.sorted_tables:
            await server.execute(text(f"VACUUM (FULL, ANALYZE) {table.name}"))
