"""`wardwatch staff add` and `wardwatch client add` refuse what the API refuses."""

import asyncio

import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli.main import app as command_line
from service.settings import Settings
from service.storage.engine import Database
from tests.access.hospital import Hospital
from tests.conftest import SECRET_KEY
from tests.support.wards import rows_of

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("WARDWATCH_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("WARDWATCH_SECRET_KEY", SECRET_KEY)


async def run(*words: str, given: str = PASSWORD) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), given)


async def test_somebody_is_added(hospital: Hospital, database: Database) -> None:
    done = await run("staff", "add", "Sam@ward.test ", "--role", "lead", "--ward", await hospital.ward())
    assert done.exit_code == 0, done.output
    [row] = await rows_of(database, "staff")
    assert (row.email, row.name) == ("sam@ward.test", "Sam@ward.test")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a@x.test,b@evil.test"], "email must be an e-mail address"),
        (["a@x.test\nBcc: b@evil.test"], "email must be an e-mail address"),
        (["a@x.test", "--name", "Sam\u202eelpmaxE"], "name must have 1 to 120 characters, all on one line"),
    ],
    ids=["two", "header", "backwards"],
)
async def test_what_cannot_be_is_refused_with_its_field(
    hospital: Hospital, database: Database, words: list[str], said: str
) -> None:
    done = await run("staff", "add", *words, "--role", "administrator")
    assert done.exit_code == 2
    assert said in done.output
    assert await rows_of(database, "staff") == []


@pytest.mark.parametrize("given", ["password1234", "sam@ward.test", "short"])
async def test_a_weak_password_is_refused(database: Database, given: str) -> None:
    done = await run("staff", "add", "sam@ward.test", "--role", "administrator", given=given)
    assert (done.exit_code, await rows_of(database, "staff")) == (2, [])
    assert "password must have" in done.output
    assert given not in done.output.replace("staff add sam@ward.test", "")


async def test_a_role_without_a_ward_is_refused(database: Database) -> None:
    done = await run("staff", "add", "sam@ward.test", "--role", "clinician")
    assert done.exit_code == 2
    assert "roles must name a role on at least one ward" in done.output


async def test_a_systems_name_is_one_line(hospital: Hospital, database: Database) -> None:
    ward_id = await hospital.ward()
    done = await run("client", "add", "App\r\n", "--scope", "readings:write", "--ward", ward_id)
    assert (done.exit_code, await rows_of(database, "client")) == (2, [])
