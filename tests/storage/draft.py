"""Draft a migration: `python -m tests.storage.draft 0002 "What it does"`, then correct it by hand.

The tables are compared with an empty PostgreSQL brought to the present head (SQLite cannot show its indexes
over expressions). Until the first release 0001 is written anew instead:
`python -m tests.storage.draft 0001 "First tables"` deletes it and drafts it again."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from service.storage.engine import open_database
from service.storage.migrations import FOLDER, config
from tests.support.databases import ask, at
from tests.support.postgres import keep, shared_server

RUFF = Path(sys.executable).with_name("ruff")


async def draft(folder: Path, steps: Path, revision: str, message: str) -> None:
    """Write the next step from the difference between the steps so far and the tables."""

    def compare(connection: Connection) -> None:
        command.revision(config(connection, steps), message, autogenerate=True, rev_id=revision)

    def upgrade(connection: Connection) -> None:
        command.upgrade(config(connection, steps), "head")

    server = shared_server(folder)
    await ask(server, "CREATE DATABASE draft")
    database = open_database(at(server, "draft"))
    if revision != "0001":
        # The steps alone: the second line is drawn from the tables as they will be.
        async with database.writes.begin() as connection:
            await connection.run_sync(upgrade)
    async with database.writes.connect() as connection:
        await connection.run_sync(compare)
    await database.close()


def main(revision: str, message: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="wardwatch-draft-"))
    folder.chmod(0o711)
    keeper = keep(folder)
    # In a copy, put in its place when it is complete: others may be running tests on the steps as they are.
    steps = shutil.copytree(FOLDER, folder / "migrations", ignore=shutil.ignore_patterns(f"{revision}_*"))
    asyncio.run(draft(folder, steps, revision, message))
    for made in (steps / "versions").glob(f"{revision}_*.py"):
        lines = made.read_text().splitlines(keepends=True)
        made.write_text("".join(line for line in lines if "# ###" not in line))
        for verb in (["check", "--fix"], ["format"]):
            command_line = [RUFF, *verb, "--config", "pyproject.toml", "--quiet", made]
            subprocess.run(command_line, check=False, stdout=subprocess.DEVNULL)
        shutil.copy(made, FOLDER / "versions" / ".draft")
        (FOLDER / "versions" / ".draft").replace(FOLDER / "versions" / made.name)
    keeper.communicate()


if __name__ == "__main__":
    main(*sys.argv[1:3])
