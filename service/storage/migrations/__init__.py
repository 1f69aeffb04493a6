"""The steps from an empty database to today's tables, and where a database stands on that way.

There is no way back: what a step drops, no other step can bring again. Take a backup first."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, inspect, select, table

from service.errors import SettingInvalid
from service.logs import get_logger
from service.storage.engine import Database, open_database
from service.storage.migrations import second_line

log = get_logger(__name__)

FOLDER = Path(__file__).parent
STEP = table("alembic_version", column("version_num"))


def config(connection: Connection | None = None, folder: Path = FOLDER) -> Config:
    """Alembic's configuration; there is no alembic.ini, and the connection is handed over."""
    made = Config()
    made.set_main_option("script_location", str(folder).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


@cache
def known() -> tuple[str, ...]:
    """The steps this release knows, the newest first."""
    return tuple(step.revision for step in ScriptDirectory.from_config(config()).walk_revisions())


def head() -> str:
    """The newest step this release knows."""
    return known()[0]


async def current(database: Database) -> str | None:
    """The step the database is at; None when it was never migrated."""
    async with database.reads.connect() as connection:
        return await connection.run_sync(_revision)


async def migrate(url: str) -> None:
    """Bring the database at `url` to the newest step, in one transaction; makes a missing SQLite file."""
    database = open_database(url, answers_within=None)
    try:
        if database.is_embedded:
            _make_private(Path(str(database.url.database)))
        await migrate_open(database)
    finally:
        await database.close()


async def migrate_open(database: Database) -> None:
    """Bring an open database to the newest step. Several processes may try at once; one does it.

    A server looks at its tables anew: of one that was filled a moment ago (from a dump, say) it knows nothing, and
    plans the intake's statements to read whole wards until it does."""
    async with database.writes.begin() as connection:
        if not database.is_embedded:
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7700417)")
        await connection.run_sync(lambda sync: command.upgrade(config(sync), "head"))
        if not database.is_embedded:
            await connection.exec_driver_sql("ANALYZE")
            found = await second_line.draw(connection)
            if not found.drawn:
                log.warning("second_line", state=found.detail)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(STEP.name):
        return None
    return connection.scalar(select(STEP.c.version_num))


def _make_private(file: Path) -> None:
    """Patients are in it: for nobody but the service's own user. SQLite gives its WAL the same rights."""
    if not file.parent.is_dir():
        raise SettingInvalid(f"There is no folder {file.parent} for the database")
    file.touch(mode=0o600)
