"""A migrated database for each test: a copy of one that was migrated once in the session."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from service.storage.migrations import migrate
from tests.support.postgres import locked, shared_server


def run(work: Coroutine[Any, Any, Any]) -> None:
    """Run something async from a place that is not, whatever loop the test around it has."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def at(server: str, database: str) -> str:
    """The URL of another database of the same server."""
    return make_url(server).set(database=database).render_as_string(hide_password=False)


async def ask(server: str, statement: str) -> None:
    """Run one statement that cannot stand in a transaction."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def sqlite_template(folder: Path) -> Path:
    """The migrated SQLite file of this session."""
    template = folder / "template.db"
    with locked(folder / "sqlite.lock"):
        if not template.exists():
            draft = folder / "draft.db"
            run(migrate(f"sqlite:///{draft}"))
            draft.rename(template)
    return template


def sqlite_copy(folder: Path, where: Path) -> str:
    """A fresh migrated SQLite database at `where`; its URL."""
    shutil.copyfile(sqlite_template(folder), where)
    return f"sqlite:///{where}"


def postgresql_template(folder: Path) -> tuple[str, str]:
    """The session's server and the name of its migrated template; raises Absent without a PostgreSQL."""
    server = shared_server(folder)
    known = folder / "template"
    with locked(folder / "postgresql.lock"):
        if not known.exists():
            name = f"wardwatch_test_{secrets.token_hex(4)}"
            run(ask(server, f"CREATE DATABASE {name}"))
            run(migrate(at(server, name)))
            known.write_text(name)
    return server, known.read_text()


@asynccontextmanager
async def postgresql_copy(folder: Path, template: str | None = None) -> AsyncIterator[str]:
    """A fresh migrated PostgreSQL database (or an empty one, of `template0`); its URL. Dropped at the end."""
    server, migrated = postgresql_template(folder)
    name = f"{migrated}_{secrets.token_hex(6)}"
    await ask(server, f"CREATE DATABASE {name} TEMPLATE {template or migrated} STRATEGY FILE_COPY")
    try:
        yield at(server, name)
    finally:
        await ask(server, f"DROP DATABASE {name} WITH (FORCE)")


def drop_template(folder: Path) -> None:
    """Take our template away again from a server that is not ours."""
    server = os.environ.get("WARDWATCH_TEST_POSTGRES_URL")
    known = folder / "template"
    if server and known.exists():
        run(ask(server, f"DROP DATABASE IF EXISTS {known.read_text()} WITH (FORCE)"))
