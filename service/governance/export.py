"""Everything held on a patient, page by page: what a subject access request is answered with.

No page holds a connection while it is sent, and no more than one is in memory. So the pages are not one snapshot: what
is written meanwhile may be in it or not."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, or_, select, tuple_

from service.access import audit
from service.access.principals import Principal
from service.clock import real_now
from service.fields import NIL_ID, canonical_id, utc_text
from service.governance.held import BY_NAME, PARTS, Part
from service.storage.engine import Database
from service.storage.session import reading, writing
from service.storage.tables import METADATA

FORMAT = "wardwatch-patient-export-1"
AT_A_TIME = 500
"""Rows of one page, and ids that one query asks for."""

Row = Mapping[str, Any]

PATIENT = METADATA.tables["patient"]
STAY = METADATA.tables["stay"]
ALERT = METADATA.tables["alert"]
READING = METADATA.tables["reading"]
CARER = METADATA.tables["carer"]
TRANSFER = METADATA.tables["transfer"]
RULE_SET = METADATA.tables["rule_set"]


@dataclass(frozen=True, slots=True)
class Whose:
    """A patient of a ward, and the ids of what is theirs by the kind of owner."""

    ward_id: str
    patient_id: str
    ids: Mapping[str, Sequence[str]]


async def note_export(database: Database, who: Principal | None, ward_id: str, patient_id: str) -> None:
    """Put the export into the audit trail, for good, before anything of it is given out."""
    async with writing(database) as session:
        subject = ("patient", patient_id)
        await audit.append(session, who, "patient.exported", real_now(), ward_id=ward_id, subject=subject)


async def find_ward(database: Database, patient_id: str) -> str | None:
    """The ward of a patient, whoever asks: for the command line."""
    async with reading(database) as session:
        query = select(PATIENT.c.ward_id).where(PATIENT.c.id == canonical_id(patient_id))
        found: str | None = (await session.execute(query)).scalar_one_or_none()
        return found


async def whose(database: Database, ward_id: str, patient_id: str) -> Whose:
    """The ids by which everything of a patient is found."""
    async with reading(database) as session:

        async def ids(query: Select[Any]) -> list[str]:
            return list((await session.execute(query)).scalars())

        stays = await ids(select(STAY.c.id).where(STAY.c.ward_id == ward_id, STAY.c.patient_id == patient_id))
        carers = await ids(select(CARER.c.id).where(CARER.c.ward_id == ward_id, CARER.c.patient_id == patient_id))
        alerts = await ids(select(ALERT.c.id).where(ALERT.c.ward_id == ward_id, ALERT.c.stay_id.in_(stays)))
        from_here, to_here = TRANSFER.c.from_ward_id == ward_id, TRANSFER.c.ward_id == ward_id
        offered = or_(from_here & TRANSFER.c.stay_id.in_(stays), to_here & TRANSFER.c.new_stay_id.in_(stays))
        transfers = await ids(select(TRANSFER.c.id).where(offered))
    return Whose(
        ward_id,
        patient_id,
        {
            "patient": [patient_id],
            "stay": stays,
            "alert": alerts,
            "at_home": [patient_id, *carers],
            "anything": [patient_id, *stays, *alerts, *carers, *transfers],
        },
    )


async def pages(database: Database, of: Whose, part: Part, most: int = AT_A_TIME) -> AsyncIterator[Sequence[Row]]:
    """The rows of one part, in order of their owners, `most` at once."""
    async for owners in _owners(database, of, part, most):
        wards = (of.ward_id, NIL_ID) if part.everywhere else (of.ward_id,)
        for ward_id in wards if part.ward else (None,):
            async for rows in _walk(database, part, ward_id, owners, most):
                yield rows


async def document(
    database: Database, ward_id: str, patient_id: str, at: datetime, most: int = AT_A_TIME
) -> AsyncIterator[bytes]:
    """The export as JSON, piece by piece, `most` rows each; one that was cut off is no JSON. `at`: when it was made."""
    of = await whose(database, ward_id, patient_id)
    head = {"format": FORMAT, "made_at": utc_text(at), "ward_id": ward_id, "patient_id": patient_id}
    yield orjson.dumps(head)[:-1] + b',"parts":{'
    judged_by: set[str] = set()
    for place, part in enumerate(PARTS):
        yield (b"," if place else b"") + orjson.dumps(part.name) + b":["
        empty = True
        async for rows in pages(database, of, part, most):
            if part.name == READING.name:
                judged_by.update(row["rule_set_version"] for row in rows)
            yield (b"" if empty else b",") + b",".join(orjson.dumps(_written(row)) for row in rows)
            empty = False
        yield b"]"
    rules = await _rule_sets(database, ward_id, judged_by)
    yield b"}" + b',"rule_sets":' + orjson.dumps([_written(row) for row in rules]) + b',"complete":true}\n'


async def _owners(database: Database, of: Whose, part: Part, most: int) -> AsyncIterator[Sequence[str]]:
    known = of.ids[part.owner]
    for start in range(0, len(known), most):
        yield known[start : start + most]
    if part.owner == "anything":
        async for rows in pages(database, of, BY_NAME[READING.name], most):
            yield [row["id"] for row in rows]


async def _walk(
    database: Database, part: Part, ward_id: str | None, owners: Sequence[str], most: int
) -> AsyncIterator[Sequence[Row]]:
    table = part.table
    place = [table.c[name] for name in (part.column, *part.order)]
    query = select(table).where(table.c[part.column].in_(owners)).order_by(*place).limit(most)
    if part.ward is not None:
        query = query.where(table.c[part.ward] == ward_id)
    after: list[Any] | None = None
    while True:
        further = query
        if after is not None:
            # The values do not say how they are stored; the columns do.
            further = query.where(tuple_(*place) > tuple_(*after, types=[each.type for each in place]))
        async with reading(database) as session:
            rows = (await session.execute(further)).mappings().all()
        if rows:
            after = [rows[-1][each.name] for each in place]
            yield [{name: row[name] for name in part.shown} for row in rows]
        if len(rows) < most:
            return


async def _rule_sets(database: Database, ward_id: str, versions: set[str]) -> Sequence[Row]:
    query = select(RULE_SET).where(RULE_SET.c.ward_id == ward_id, RULE_SET.c.version.in_(versions))
    async with reading(database) as session:
        return [dict(row) for row in (await session.execute(query.order_by(RULE_SET.c.number))).mappings()]


def _written(row: Row) -> dict[str, Any]:
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
