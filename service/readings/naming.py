"""Names that senders gave their readings: whoever comes first has the name, the others are sending again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, select

from service.readings.submission import Arrival
from service.storage.direct import Statement, Where, fetch
from service.storage.portable import Given, IdType, InstantType, dialect_of, insert_or_skip
from service.storage.tables import METADATA

idempotency_table = METADATA.tables["idempotency"]

KEY_COLUMNS = Given(
    ward_id=IdType,
    stay_id=IdType,
    sender_id=IdType,
    key=String,
    content=String,
    reading_id=IdType,
    received_at=InstantType,
)


def _win_keys(dialect: str) -> Any:
    given = KEY_COLUMNS.table(dialect)
    names = [column.name for column in given.c]
    # SQLite takes the ON of ON CONFLICT for a join condition unless the SELECT has a WHERE.
    rows = select(*(given.c[name] for name in names)).where(given.c.key.is_not(None))
    insert = insert_or_skip(dialect, idempotency_table, ("ward_id", "stay_id", "sender_id", "key"))
    return insert.from_select(names, rows).returning(idempotency_table.c.reading_id)


WIN_KEYS = Statement(_win_keys)


async def win_keys(where: Where, rows: Sequence[Sequence[Any]]) -> set[str]:
    """Insert idempotency rows, given in the order of KEY_COLUMNS; the ids of those readings whose key was not taken
    before."""
    return {row[0] for row in await fetch(where, WIN_KEYS, KEY_COLUMNS.params(dialect_of(where), rows))}


async def taken_keys(where: Where, arrival: Arrival, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """For keys that were taken before: key -> (content digest, reading id)."""
    table = idempotency_table
    query = select(table.c.key, table.c.content, table.c.reading_id).where(
        table.c.ward_id == arrival.ward_id,
        table.c.stay_id == arrival.stay_id,
        table.c.sender_id == arrival.sender_id,
        table.c.key.in_(keys),
    )
    return {row.key: (row.content, row.reading_id) for row in await where.execute(query)}
