"""Commands for information governance: `wardwatch export`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from service.clock import real_now
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
