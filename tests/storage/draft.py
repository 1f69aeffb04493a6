"""Draft a migration: `python -m tests.storage.draft 0002 "What it does"`, then correct it by hand.

The tables are compared with an empty PostgreSQL brought to the present head (SQLite cannot show its indexes
over expressions). Until the first release 0001 is written anew instead:
`python -m tests.storage.draft 0001 "First tables"` deletes it and drafts it again."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from service.storage.engine import open_database
from service.storage.migrations import FOLDER, config, migrate_open
from tests.support.databases import postgresql_copy
from tests.support.postgres import keep

STEPS = FOLDER / "versions"


async def draft(folder: Path, revision: str, message: str) -> None:
    """Write the next step from the difference between the steps so far and the tables."""

    def compare(connection: Connection) -> None:
        command.revision(config(connection), message, autogenerate=True, rev_id=revision)

    async with postgresql_copy(folder, template="template0") as url:
        database = open_database(url)
        if any(STEPS.glob("*.py")):
            await migrate_open(database)
        async with database.writes.connect() as connection:
            await connection.run_sync(compare)
        await database.close()


def main(revision: str, message: str) -> None:
    for old in STEPS.glob("0001_*.py") if revision == "0001" else ():
        old.unlink()
    folder = Path(tempfile.mkdtemp(prefix="wardwatch-draft-"))
    folder.chmod(0o711)
    keeper = keep(folder)
    asyncio.run(draft(folder, revision, message))
    subprocess.run([Path(sys.executable).with_name("ruff"), "check", "--quiet", "--fix", STEPS], check=False)
    subprocess.run([Path(sys.executable).with_name("ruff"), "format", "--quiet", STEPS], check=True)
    keeper.communicate()


if __name__ == "__main__":
    main(*sys.argv[1:3])
