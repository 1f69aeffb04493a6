"""Queries on the notes people leave on alerts."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import insert, select

from service.storage.direct import Where
from service.storage.tables import METADATA

NOTE = METADATA.tables["alert_note"]


async def insert_note(where: Where, row: dict[str, Any]) -> None:
    """A note on an alert."""
    await where.execute(insert(NOTE).values(row))


async def list_notes(where: Where, ward_id: str, note_ids: Collection[str]) -> Mapping[str, str]:
    """The texts of these notes, by id."""
    if not note_ids:
        return {}
    found = await where.execute(
        select(NOTE.c.id, NOTE.c.text).where(NOTE.c.ward_id == ward_id, NOTE.c.id.in_(note_ids))
    )
    return {row[0]: row[1] for row in found}
