"""The whole database in one file, and back again.

SQLite: the online backup, a complete SQLite file. PostgreSQL: what pg_dump writes and pg_restore reads.
Events that came after the backup are gone once it is restored, and their numbers will be given again to
others: so every ward's feed gets a new epoch, by which clients notice."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.engine import URL

from service.errors import SettingInvalid
from service.fields import new_id
from service.storage.engine import Database, open_database
from service.storage.migrations import current, known, second_line
from service.storage.tables import METADATA

FEED = METADATA.tables["ward_feed"]
_SECOND_LINE = re.compile(r"^\d+; \d+ \d+ (POLICY|ROW SECURITY) ")


def write_backup(url: str, file: Path) -> None:
    """Write the database at `url` to `file`; raises SettingInvalid when that is not possible."""
    if file.exists():
        raise SettingInvalid(f"{file} exists already")
    draft = file.with_name(file.name + ".part")
    database = open_database(url, 1)
    if database.is_embedded:
        source = _existing(_sqlite_file(database))
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(draft)) as new:
            old.backup(new)
            # A file of its own: read later, it needs no other beside it.
            new.execute("PRAGMA journal_mode = DELETE")
    else:
        # Whoever owns the tables is shown all rows by a policy; without the option pg_dump would refuse to ask.
        _postgres("pg_dump", database.url, "--format=custom", "--enable-row-security", f"--file={draft}")
    draft.chmod(0o600)
    draft.replace(file)


async def restore_backup(url: str, file: Path | None) -> None:
    """Put the backup in `file` in the place of the database at `url`; without a file another program has done so, and
    only what must follow is done. Raises SettingInvalid if it cannot."""
    database = open_database(url, 1)
    try:
        if not database.is_embedded:
            await _require_nobody_connected(database)
            if file is not None:
                _restore_postgresql(database.url, _existing(file))
            await _new_epochs(database)
            async with database.writes.begin() as connection:
                await second_line.draw(connection, anew=True)
        elif file is not None:
            await _restore_sqlite(_sqlite_file(database), _existing(file))
        else:
            _require_free(_existing(_sqlite_file(database)))
            await _new_epochs(database)
    finally:
        await database.close()


def _restore_postgresql(url: URL, file: Path) -> None:
    """All but the second line, which names roles that this server may not have; it is drawn anew."""
    entries = _postgres("pg_restore", url, "--list", str(file)).splitlines()
    how = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.writelines(f"{entry}\n" for entry in entries if not _SECOND_LINE.search(entry))
        wanted.flush()
        _postgres("pg_restore", url, *how, f"--use-list={wanted.name}", f"--dbname={url.database}", str(file))


async def _restore_sqlite(target: Path, file: Path) -> None:
    _require_free(target)
    draft = target.with_name(target.name + ".restoring")
    _copy(file, draft)
    database = open_database(f"sqlite:///{draft}", 1)
    try:
        await _new_epochs(database)
    finally:
        await database.close()
    _exchange(draft, target)


def _copy(file: Path, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    try:
        source = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        with closing(source) as old, closing(sqlite3.connect(draft)) as new:
            old.backup(new)
    except sqlite3.DatabaseError as problem:
        draft.unlink(missing_ok=True)
        raise SettingInvalid(f"{file} is not a SQLite backup") from problem


def _exchange(draft: Path, target: Path) -> None:
    """The old file stays beside the new one: a restore that was a mistake can be taken back."""
    if target.exists():
        target.replace(target.with_name(target.name + ".before-restore"))
    draft.chmod(0o600)
    draft.replace(target)


async def _new_epochs(database: Database) -> None:
    if await current(database) not in known():
        raise SettingInvalid("This is not a backup that this release can read")
    async with database.writes.begin() as connection:
        wards = (await connection.execute(select(FEED.c.ward_id))).scalars().all()
        changed = update(FEED).where(FEED.c.ward_id == bindparam("ward")).values(epoch=bindparam("new"))
        if wards:
            await connection.execute(changed, [{"ward": ward, "new": new_id()} for ward in sorted(wards)])


def _require_free(target: Path) -> None:
    """Raises SettingInvalid while another process has the file open: only alone can one leave the WAL."""
    if not target.exists():
        return
    with closing(sqlite3.connect(target, timeout=0.1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as problem:
            raise SettingInvalid("The database is in use: stop the service first") from problem


async def _require_nobody_connected(database: Database) -> None:
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name IN ('wardwatch-read', 'wardwatch-write') AND pid <> pg_backend_pid()"
    )
    async with database.reads.connect() as connection:
        found = await connection.scalar(others)
    await database.reads.dispose()
    if found:
        raise SettingInvalid("The database is in use: stop the service first")


def _sqlite_file(database: Database) -> Path:
    return Path(str(database.url.database))


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise SettingInvalid(f"There is no file {file}")
    return file


def _postgres(program: str, url: URL, *arguments: str) -> str:
    """What one of PostgreSQL's own programs says; not with the password in its arguments, which others can read."""
    found = shutil.which(program)
    if found is None:
        raise SettingInvalid(f"{program} is needed and was not found: install PostgreSQL's client programs")
    server = {
        "PGHOST": url.host or str(url.query.get("host", "")),
        "PGPORT": str(url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
    environment = os.environ | {name: value for name, value in server.items() if value}
    command = [found, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SettingInvalid(f"{program} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}")
    return done.stdout
