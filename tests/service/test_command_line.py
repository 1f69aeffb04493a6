"""`wardwatch` as whoever operates it meets it: what it says, and its exit codes."""

import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from service.access.keys import SigningKeys, list_keys
from service.app import create_app
from service.clock import real_now
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import reading
from service.storage.tables import AuditRow
from tests.support.cli import PROGRAM, Done, run, wardwatch
from tests.support.postgres import free_port

HEAVY = (
    "alembic",
    "asyncpg",
    "fastapi",
    "httpx",
    "prometheus_client",
    "rich",
    "sqlalchemy",
    "structlog",
    "uvicorn",
)


def said_in_one_line(done: Done, text: str) -> bool:
    return done.code == 2 and done.err.count("\n") == 1 and text in done.err and "Traceback" not in done.err


async def test_help_loads_nothing_heavy() -> None:
    ask = f"import sys, service.cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    done = await run(sys.executable, "-c", ask)
    assert done.out.strip() == "[]", done.err
    assert (await run(PROGRAM, "--help")).code == 0


async def test_every_command_of_the_contract_is_there() -> None:
    said = (await wardwatch("--help")).out
    commands = {line.split()[0] for line in said.partition("Commands:")[2].splitlines() if line.strip()}
    wanted = "demo serve migrate check openapi backup restore export retention scrub ward staff client keys feed"
    assert set(wanted.split()) <= commands


async def test_check_is_content_with_a_migrated_database(database_url: str) -> None:
    done = await wardwatch("check", WARDWATCH_DATABASE_URL=database_url)
    assert done.code == 0, done.out
    assert "The database is ready." in done.out
    assert "WRONG" not in done.out


async def test_check_notices_a_changed_secret_key(database: Database, database_url: str) -> None:
    first, second = "a first secret key that is long enough", "a second secret key that is long enough"
    await SigningKeys([first], database).get()
    told = await wardwatch("check", WARDWATCH_DATABASE_URL=database_url, WARDWATCH_SECRET_KEY=second)
    assert (told.code, "under another WARDWATCH_SECRET_KEY" in told.out) == (1, True)
    same = await wardwatch("check", WARDWATCH_DATABASE_URL=database_url, WARDWATCH_SECRET_KEY=first)
    assert (same.code, "WRONG" in same.out) == (0, False)


async def test_the_signing_key_is_rotated_by_a_command(database: Database, database_url: str) -> None:
    key = "a secret key that is long enough for this"
    settings = {"WARDWATCH_DATABASE_URL": database_url, "WARDWATCH_SECRET_KEY": key}
    keys = SigningKeys([key], database)
    await keys.get()
    done = await wardwatch("keys", "rotate", "--json", **settings)
    assert done.code == 0, done.err
    async with reading(database) as session:
        known, _ = await list_keys(session, [key], real_now())
    assert set(known) == {keys.first_id, json.loads(done.out)["key"]}
    said = await wardwatch("keys", "rotate", "--at-once", **settings)
    assert "signs from" in said.out
    other = await wardwatch("keys", "rotate", **{**settings, "WARDWATCH_SECRET_KEY": "x" * 40})
    assert (other.code, "WARDWATCH_SECRET_KEY is not the one" in other.err) == (2, True)
    async with reading(database) as session:
        trail = (await session.execute(select(AuditRow).where(AuditRow.action == "keys.rotated"))).all()
    assert len(trail) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("OIDC_ISSUERS", '[{"issuer": "http://x.example"}]', "cannot be used: issuer 0 issuer"),
        ("ALLOWED_NETWORKS", "0.0.0.0/0", "may hold private and loopback networks only"),
    ],
)
async def test_a_service_with_a_setting_that_cannot_be_used_does_not_start(
    database_url: str, setting: str, value: str, told: str
) -> None:
    done = await wardwatch("serve", WARDWATCH_DATABASE_URL=database_url, **{f"WARDWATCH_{setting}": value})
    assert (done.code, f"WARDWATCH_{setting} {told}" in done.err) == (2, True)


async def test_check_names_what_is_wrong_and_what_to_do(empty_database_url: str) -> None:
    settings = {"WARDWATCH_SECRET_KEY": "short", "WARDWATCH_ALLOWED_NETWORKS": "0.0.0.0/0"}
    done = await wardwatch("check", WARDWATCH_DATABASE_URL=empty_database_url, **settings)
    assert done.code == 1
    wrong = [line for line in done.out.splitlines() if line.startswith("WRONG")]
    named = ["WARDWATCH_ALLOWED_NETWORKS" in wrong[0], "secret" in wrong[1], "wardwatch migrate" in wrong[2]]
    assert (named, len(wrong)) == ([True] * 3, 3)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_check_names_what_is_called_like_a_setting_and_is_none(database_url: str) -> None:
    given = {"WARDWATCH_PASSWORD_GRNAT": "off", "WARDWATCH_CLIENT_SECRET": "of the feed"}
    done = await wardwatch("check", WARDWATCH_DATABASE_URL=database_url, **given)
    wrong = [line for line in done.out.splitlines() if line.startswith("WRONG")]
    assert (done.code, len(wrong), wrong[0].endswith("No such setting: WARDWATCH_PASSWORD_GRNAT")) == (1, 1, True)


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://a:sentinel@127.0.0.1:{port}/c"])
async def test_check_says_when_the_database_cannot_be_reached(url: str) -> None:
    done = await wardwatch("check", WARDWATCH_DATABASE_URL=url.format(port=free_port()))
    assert done.code == 1
    assert "cannot be reached" in done.out
    assert "Traceback" not in done.err
    assert "sentinel" not in done.out + done.err


async def test_migrate_makes_an_empty_database_ready(empty_database_url: str) -> None:
    done = await wardwatch("migrate", WARDWATCH_DATABASE_URL=empty_database_url)
    assert (done.code, "The database is at step" in done.out) == (0, True)
    assert (await wardwatch("check", WARDWATCH_DATABASE_URL=empty_database_url)).code == 0


async def test_a_database_that_is_not_migrated_is_not_served(empty_database_url: str) -> None:
    done = await wardwatch("serve", WARDWATCH_DATABASE_URL=empty_database_url)
    assert said_in_one_line(done, "run `wardwatch migrate`")


async def test_sqlite_takes_one_worker(tmp_path: Path) -> None:
    done = await wardwatch("serve", "--workers", "2", WARDWATCH_DATABASE_URL=f"sqlite:///{tmp_path}/a.db")
    assert said_in_one_line(done, "one worker; use PostgreSQL for more")


async def test_without_a_secret_key_nothing_is_served(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    done = await wardwatch("serve", WARDWATCH_DATABASE_URL=url, WARDWATCH_SECRET_KEY="")
    assert said_in_one_line(done, "WARDWATCH_SECRET_KEY must be set")


@pytest.mark.parametrize("command", ["serve", "migrate", "check"])
async def test_a_setting_that_cannot_be_used_is_one_line(command: str) -> None:
    done = await wardwatch(command, WARDWATCH_DATABASE_URL="mysql://x")
    assert said_in_one_line(done, "WARDWATCH_DATABASE_URL must start with")


async def test_looking_at_a_database_that_is_not_there_does_not_make_one(tmp_path: Path) -> None:
    for command in ("check", "serve"):
        done = await wardwatch(command, WARDWATCH_DATABASE_URL=f"sqlite:///{tmp_path}/a.db")
        assert "wardwatch migrate" in done.out + done.err
    assert names_in(tmp_path) == []


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_migrating_into_a_folder_that_is_not_there_is_one_line() -> None:
    done = await wardwatch("migrate", WARDWATCH_DATABASE_URL="sqlite:////nowhere/at/all.db")
    assert said_in_one_line(done, "There is no folder /nowhere/at")


async def test_migrating_what_cannot_be_reached_is_one_line() -> None:
    url = f"postgresql://a:sentinel@127.0.0.1:{free_port()}/c"
    done = await wardwatch("migrate", WARDWATCH_DATABASE_URL=url)
    assert said_in_one_line(done, "The database cannot be reached")
    assert "sentinel" not in done.err


async def test_openapi_prints_the_document_that_is_served() -> None:
    done = await wardwatch("openapi", WARDWATCH_SECRET_KEY="")
    assert done.code == 0
    assert json.loads(done.out) == json.loads(json.dumps(create_app(Settings(secret_key="x" * 32)).openapi()))
