"""Commands for information governance: `wardwatch export`, `retention`, `scrub`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from service.clock import real_clock, real_now
from service.errors import NotFound, SettingInvalid
from service.settings import from_environ


def export(
    patient_id: Annotated[str, typer.Argument(help="The patient's id.")],
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist.")],
) -> None:
    """Write everything held on a patient to a file, as JSON. It is in the audit trail."""
    from service.governance.export import document, find_ward, note_export
    from service.storage.engine import open_database

    if file.exists():
        raise SettingInvalid(f"{file} exists already")
    draft = file.with_name(file.name + ".part")
    settings = from_environ(os.environ)

    async def work() -> None:
        database = open_database(settings.database_url, 1)
        try:
            ward_id = await find_ward(database, patient_id)
            if ward_id is None:
                raise NotFound("There is no such patient.")
            await note_export(database, None, ward_id, patient_id)
            draft.touch(mode=0o600)
            with draft.open("wb") as writer:
                async for piece in document(database, ward_id, patient_id, real_now()):
                    writer.write(piece)
        finally:
            await database.close()

    asyncio.run(work())
    draft.replace(file)
    typer.echo(f"Written: {file}")


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go; remove nothing.")] = False,
) -> None:
    """Remove what has been kept for its time, as the service does by itself each hour."""
    from service.governance.retention import Retention, count_old_keys, list_going
    from service.storage.engine import Database, open_database
    from service.storage.timekeeper import Timekeeper

    settings = from_environ(os.environ)
    clock, years = real_clock(), settings.retention_years

    async def work(database: Database) -> None:
        async with database.reads.connect() as connection:
            going = await list_going(connection, clock.now(), years)
            keys = await count_old_keys(connection, clock.now())
        for each in going:
            rows = ", ".join(f"{name} {count}" for name, count in each.rows.items())
            ended, until = each.due.ended_at.date(), each.due.until
            typer.echo(f"ward {each.ward_id} patient {each.due.patient_id}: ended {ended}, kept until {until}: {rows}")
        verb = "would go" if dry_run else "go"
        typer.echo(f"{len(going)} patients and {keys} names of readings {verb}.")
        if not dry_run:
            await Timekeeper(database, clock, [Retention(database, years, lambda _: None)]).catch_up()

    async def opened() -> None:
        database = open_database(settings.database_url, 1)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(opened())


def scrub() -> None:
    """Write the database's files anew, so that nothing erased is left in them. In a quiet hour: nobody else writes."""
    from service.storage.engine import open_database
    from service.storage.scrubbing import scrub as write_anew

    async def work() -> None:
        database = open_database(from_environ(os.environ).database_url, 1, answers_within=None)
        try:
            await write_anew(database)
        finally:
            await database.close()

    asyncio.run(work())
    typer.echo("Written anew. Backups made before hold what they held.")
