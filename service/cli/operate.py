"""Commands for whoever keeps the service running: migrate, check, backup, restore, openapi."""

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.serve import require_readable
from service.clock import real_now
from service.errors import SettingInvalid
from service.settings import Settings, from_environ, misspelt, secret_keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.storage.readiness import Facts

CLOCK_TOLERANCE = timedelta(seconds=5)
RELEASED_IN = 2026
"""A clock that shows an earlier year is wrong."""

Check = tuple[str, bool, str]


def migrate() -> None:
    """Bring the database to the tables of this release. Take a backup first: there is no way back."""
    from service.storage import migrations

    settings = from_environ(os.environ)
    asyncio.run(migrations.migrate(settings.database_url))
    typer.echo(f"The database is at step {migrations.head()}.")


def check(
    audit: Annotated[bool, typer.Option("--audit", help="Also follow the chains of the audit trail.")] = False,
    heads: Annotated[
        Path | None, typer.Option(help="With --audit: a file of the chains' heads, compared with, then written anew.")
    ] = None,
    old_key: Annotated[
        list[Path] | None, typer.Option(help="With --audit: a file with a secret key used before (may be repeated).")
    ] = None,
) -> None:
    """Check the settings, the database and the clock; exit code 1 when something is wrong."""
    settings = from_environ(os.environ)
    results = list(_checks(settings))
    if audit:
        results += _audit_checks(settings, heads, old_key or [])
    for name, good, detail in results:
        typer.echo(f"{'ok' if good else 'WRONG':<7}{name:<12}{detail}")
    if audit and heads is None:
        typer.echo("Whether the end of a chain was cut off or written anew, only --heads FILE shows, kept elsewhere.")
    if not all(good for _, good, _ in results):
        raise typer.Exit(1)


def openapi() -> None:
    """Print the OpenAPI document."""
    import orjson

    from service.app import create_app

    document = create_app(Settings(secret_key="no request is ever answered with this")).openapi()  # noqa: S106
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def backup(file: Annotated[Path, typer.Argument(help="Where to write it; must not exist.")]) -> None:
    """Write the whole database to a file, while the service goes on."""
    from service.storage.backup import write_backup

    write_backup(from_environ(os.environ).database_url, file)
    typer.echo(f"Written: {file}")


PUT_BACK = "A file that `wardwatch backup` wrote. None: another program, such as pg_restore, has put the database back."


def restore(file: Annotated[Path | None, typer.Argument(help=PUT_BACK)] = None) -> None:
    """Put a backup in the place of the database. Stop the service first."""
    from service.storage.backup import restore_backup

    asyncio.run(restore_backup(from_environ(os.environ).database_url, file))
    typer.echo("Restored. Every ward's feed has a new epoch: clients will take a new snapshot.")


def _checks(settings: Settings) -> "Iterator[Check]":
    yield _settings_check(settings)
    yield _secret_check(settings)
    yield _clock_check(settings)
    from service.storage.readiness import EXPLANATIONS, facts

    found = asyncio.run(facts(settings.database_url))
    if found.version:
        yield "server", True, found.version
    yield "database", found.standing == "ready", EXPLANATIONS[found.standing]
    if found.second_line:
        yield "rows", found.second_line.drawn, found.second_line.detail
    if found.clock:
        yield _skew_check(found)
    if found.standing == "ready" and _secret_check(settings)[1]:
        yield _key_check(settings)


def _audit_checks(settings: Settings, heads: Path | None, old_keys: "Sequence[Path]") -> list[Check]:
    from service.access.sealing import Chain, Seals, verify
    from service.storage.engine import open_database

    seals = [Seals(key) for key in (*secret_keys_of(settings), *(file.read_text().strip() for file in old_keys))]
    before = json.loads(heads.read_text()) if heads and heads.exists() else {}

    async def followed() -> list[Chain]:
        database = open_database(settings.database_url, 1)
        try:
            async with database.reads.connect() as connection:
                return await verify(connection, seals, before)
        finally:
            await database.close()

    chains = asyncio.run(followed())
    if heads and all(chain.broken is None for chain in chains):
        heads.write_text(json.dumps({chain.ward_id: [chain.number, chain.seal] for chain in chains}, indent=1) + "\n")
    return [
        ("audit", chain.broken is None, f"{chain.name}: {chain.broken or f'{chain.number} entries, sealed'}"
         + (f", {chain.unsealed} not sealed yet" if chain.unsealed else ""))
        for chain in chains
    ]  # fmt: skip


def _settings_check(settings: Settings) -> Check:
    try:
        require_readable(settings)
    except SettingInvalid as problem:
        return "settings", False, str(problem)
    if unknown := misspelt(os.environ):
        return "settings", False, f"No such setting: {', '.join(unknown)}"
    return "settings", True, "read from the environment"


def _secret_check(settings: Settings) -> Check:
    try:
        secret_keys_of(settings)
    except SettingInvalid as problem:
        return "secret", False, problem.detail
    return "secret", True, f"{len(settings.secret_key)} characters"


def _key_check(settings: Settings) -> Check:
    from service.access.keys import is_another
    from service.storage.engine import open_database

    async def asked() -> bool:
        database = open_database(settings.database_url, 1)
        try:
            return await is_another(secret_keys_of(settings), database)
        finally:
            await database.close()

    if asyncio.run(asked()):
        return "keys", False, "signed under another WARDWATCH_SECRET_KEY: with this one everybody signs in again"
    return "keys", True, "as the secret key says"


def _clock_check(settings: Settings) -> Check:
    now = real_now()
    if now.year < RELEASED_IN:
        return "clock", False, f"shows {now:%Y-%m-%d %H:%M} UTC, before this release was made"
    if settings.clock_real_start:
        return "clock", False, "clinical time is that of a demonstration (WARDWATCH_DEMO_REAL_START is set)"
    return "clock", True, f"{now:%Y-%m-%d %H:%M:%S} UTC"


def _skew_check(found: "Facts") -> Check:
    assert found.clock is not None  # noqa: S101
    apart = abs(real_now() - found.clock)
    return (
        "skew",
        apart <= CLOCK_TOLERANCE,
        f"{apart.total_seconds():.1f} s between this clock and the database's",
    )
