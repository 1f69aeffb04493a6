"""Backup and restore through the command line, on both databases."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from service.fields import new_id
from service.storage.engine import open_database
from service.storage.readiness import standing
from service.storage.session import reading, writing
from service.storage.tables import WardFeedRow, WardRow
from tests.support.cli import wardwatch
from tests.support.postgres import Absent, binaries
from tests.support.time import START


@pytest.fixture
def command(database_url: str):
    """`wardwatch …` on the test's database, with PostgreSQL's own programs in reach."""
    try:
        path = f"{binaries()}:{os.environ['PATH']}"
    except Absent:
        path = os.environ["PATH"]

    def run(*arguments: str):
        return wardwatch(*arguments, WARDWATCH_DATABASE_URL=database_url, PATH=path)

    return run


def mode_of(url: str) -> int:
    return Path(url.removeprefix("sqlite:///")).stat().st_mode


async def add_ward(url: str, name: str) -> str:
    database = open_database(url)
    ward_id = new_id()
    async with writing(database) as session:
        session.add(WardRow(id=ward_id, name=name, created_at=START))
        session.add(WardFeedRow(ward_id=ward_id, epoch=new_id(), last_number=7))
    await database.close()
    return ward_id


async def wards(url: str) -> dict[str, str]:
    """The wards' names and the epochs of their feeds."""
    database = open_database(url)
    async with reading(database) as session:
        found = await session.execute(
            text("SELECT name, CAST(epoch AS text) AS epoch FROM ward JOIN ward_feed ON ward_id = ward.id")
        )
        rows = {row.name: row.epoch for row in found}
    assert await standing(database) == "ready"
    await database.close()
    return rows


async def test_a_restored_database_is_the_one_of_the_backup_with_new_feed_epochs(
    command, database_url: str, tmp_path: Path
) -> None:
    await add_ward(database_url, "Kept")
    before = await wards(database_url)
    assert (await command("backup", str(tmp_path / "backup"))).code == 0
    await add_ward(database_url, "After the backup")

    done = await command("restore", str(tmp_path / "backup"))

    assert done.code == 0, done.err
    after = await wards(database_url)
    assert set(after) == {"Kept"}
    assert after["Kept"] != before["Kept"]


async def test_what_another_program_put_back_has_new_feed_epochs(command, database_url: str) -> None:
    await add_ward(database_url, "Oak")
    before = await wards(database_url)
    done = await command("restore")
    assert done.code == 0, done.err
    after = await wards(database_url)
    assert after.keys() == before.keys()
    assert after["Oak"] != before["Oak"]


async def test_a_backup_is_for_its_owner_alone_and_never_written_over(command, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    assert (await command("backup", str(file))).code == 0
    assert file.stat().st_mode & 0o077 == 0
    again = await command("backup", str(file))
    assert again.code == 2
    assert "exists already" in again.err


async def test_a_database_that_is_in_use_is_not_restored_over(command, database_url: str, tmp_path: Path) -> None:
    assert (await command("backup", str(tmp_path / "backup"))).code == 0
    database = open_database(database_url)
    async with database.reads.connect() as connection:
        await connection.execute(text("SELECT 1 FROM ward"))
        refused = await command("restore", str(tmp_path / "backup"))
    await database.close()
    assert refused.code == 2
    assert "stop the service first" in refused.err


async def test_something_else_than_a_backup_is_refused_and_the_database_stays(
    command, database_url: str, tmp_path: Path
) -> None:
    await add_ward(database_url, "Kept")
    (tmp_path / "letter").write_text("Dear ward, " * 1000)
    done = await command("restore", str(tmp_path / "letter"))
    assert done.code == 2
    assert "Traceback" not in done.err
    assert set(await wards(database_url)) == {"Kept"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_file_that_was_there_stays_beside_the_restored_one(
    command, database_url: str, tmp_path: Path
) -> None:
    assert (await command("backup", str(tmp_path / "backup"))).code == 0
    await add_ward(database_url, "After the backup")
    assert (await command("restore", str(tmp_path / "backup"))).code == 0
    old = database_url.removeprefix("sqlite:///") + ".before-restore"
    shutil.copy(old, tmp_path / "old.db")
    assert set(await wards(f"sqlite:///{tmp_path / 'old.db'}")) == {"After the backup"}
    assert mode_of(database_url) & 0o077 == 0
