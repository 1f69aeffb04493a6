"""From an empty database to today's tables, on both databases."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Index, text

from service.storage.engine import Database, open_database
from service.storage.migrations import FOLDER, config, current, head, known, migrate, migrate_open
from service.storage.tables import METADATA
from tests.storage.catalogue import catalogue

REDRAFT = 'draft it again: python -m tests.storage.draft 0001 "First tables"'


@pytest.fixture
async def empty(empty_database_url: str):
    opened = open_database(empty_database_url)
    yield opened
    await opened.close()


async def test_an_empty_database_is_at_no_step(empty: Database) -> None:
    assert await current(empty) is None


async def test_migrating_an_empty_database_brings_it_to_head(empty: Database) -> None:
    await migrate_open(empty)
    assert await current(empty) == head() == known()[0]


async def test_migrating_again_changes_nothing(database: Database) -> None:
    before = await catalogue(database)
    await migrate_open(database)
    assert await catalogue(database) == before


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_the_steps_and_the_tables_do_not_differ(database: Database) -> None:
    # Alembic cannot see SQLite's indexes over expressions; the catalogue, below, shows them.
    blind = {index.name for table in METADATA.tables.values() for index in table.indexes if _has_expressions(index)}
    options = {"include_name": lambda name, kind, _parents: kind != "index" or name not in blind}
    async with database.reads.connect() as connection:
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts=options), METADATA)
        )
    assert [change for change in difference if change[0] != "add_index" or change[1].name not in blind] == []


def _has_expressions(index: Index) -> bool:
    return not all(isinstance(part, Column) for part in index.expressions)


async def test_migrated_tables_are_to_the_last_constraint_those_of_the_code(database: Database) -> None:
    # What Alembic does not compare: checks, names of constraints, partial indexes, indexes over expressions.
    migrated = await catalogue(database)
    async with database.writes.begin() as connection:
        await connection.run_sync(METADATA.drop_all)
        await connection.run_sync(METADATA.create_all)
    assert len(migrated) > 20
    assert migrated == await catalogue(database), REDRAFT


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE ward ADD COLUMN planted INTEGER",
        "DROP INDEX uq_alert_one_unresolved",
        "CREATE INDEX planted ON ward (name) WHERE name <> ''",
    ],
)
async def test_a_difference_in_the_catalogue_is_noticed(database: Database, change: str) -> None:
    before = await catalogue(database)
    async with database.writes.begin() as connection:
        await connection.exec_driver_sql(change)
    assert await catalogue(database) != before


async def test_two_replicas_that_migrate_at_once_do_it_once(empty_database_url: str) -> None:
    await asyncio.gather(migrate(empty_database_url), migrate(empty_database_url))
    database = open_database(empty_database_url)
    assert await current(database) == head()
    await database.close()


async def test_a_step_that_fails_leaves_nothing_behind(empty: Database) -> None:
    # The table that the first step will meet is already there.
    async with empty.writes.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE ward (planted INTEGER)")
    before = await catalogue(empty)
    with pytest.raises(Exception, match="already exists"):
        await migrate_open(empty)
    assert await catalogue(empty) == before
    assert await current(empty) is None


async def test_there_is_no_way_back(database: Database) -> None:
    with pytest.raises(NotImplementedError, match="restore a backup"):
        async with database.writes.begin() as connection:
            await connection.run_sync(lambda sync: command.downgrade(config(sync), "base"))
    assert await current(database) == head()
    async with database.reads.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM ward")) == 0


def test_every_step_says_that_there_is_no_way_back() -> None:
    steps = list((FOLDER / "versions").glob("*.py"))
    assert len(steps) == len(known())
    for step in steps:
        assert "There is no way back" in step.read_text().partition("def downgrade")[2], step.name


async def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    await migrate(f"sqlite:///{file}")
    assert file.stat().st_mode & 0o077 == 0
    assert sqlite3.connect(file).execute("PRAGMA journal_mode").fetchone() == ("wal",)
