"""Queries on pairing codes, paired apps and carers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access import changes
from service.access.principals import Principal
from service.access.visibility import visible
from service.storage.direct import Where
from service.storage.tables import METADATA

CODE = METADATA.tables["pairing_code"]
PAIRING = METADATA.tables["pairing"]
CARER = METADATA.tables["carer"]

OPEN_CODE = CODE.c.used_at.is_(None) & CODE.c.revoked_at.is_(None)


async def find_by_code(session: AsyncSession, code_hashes: Sequence[str]) -> tuple[str, str] | None:
    """(ward_id, id) of the code with this hash that is neither used nor revoked, or None."""
    query = select(CODE.c.ward_id, CODE.c.id).where(CODE.c.code_hash.in_(code_hashes), OPEN_CODE)
    found = (await session.execute(query)).first()
    return None if found is None else (found.ward_id, found.id)


async def lock_code(session: AsyncSession, ward_id: str, code_id: str) -> Row[Any]:
    """A code, held until the transaction ends: whoever tries it at the same time waits."""
    query = select(CODE).where(CODE.c.ward_id == ward_id, CODE.c.id == code_id)
    return (await session.execute(query.with_for_update())).one()


async def update_code(session: AsyncSession, ward_id: str, code_id: str, values: Mapping[str, Any]) -> None:
    """Change a code that is held."""
    await session.execute(update(CODE).where(CODE.c.ward_id == ward_id, CODE.c.id == code_id).values(**values))


async def insert_code(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """A new code."""
    await session.execute(insert(CODE).values(**row))


async def insert_pairing(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """A new pairing."""
    await session.execute(insert(PAIRING).values(**row))


async def insert_carer(session: AsyncSession, row: Mapping[str, Any]) -> None:
    """A new carer."""
    await session.execute(insert(CARER).values(**row))


async def revoke_codes(session: AsyncSession, at: datetime, *which: ColumnElement[bool]) -> int:
    """End open codes; gives how many there were."""
    ended = update(CODE).where(*which, OPEN_CODE).values(revoked_at=at).returning(CODE.c.id)
    return len((await session.execute(ended)).all())


async def end_pairings(session: Where, at: datetime, reason: str, *which: ColumnElement[bool]) -> int:
    """End pairings, and have every replica forget what it remembers of their tokens; gives how many there were."""
    ended = (
        update(PAIRING)
        .where(*which, PAIRING.c.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
        .returning(PAIRING.c.kind, PAIRING.c.patient_id, PAIRING.c.carer_id)
    )
    rows = (await session.execute(ended)).all()
    for kind, subject_id in sorted({(row.kind, row.carer_id or row.patient_id) for row in rows}):
        await changes.note(session, kind, subject_id, at)
    return len(rows)


async def find_carer(session: AsyncSession, who: Principal, ward_id: str, carer_id: str) -> Row[Any] | None:
    """A carer of the ward who has not been removed."""
    query = select(CARER).where(CARER.c.ward_id == ward_id, CARER.c.id == carer_id, CARER.c.removed_at.is_(None))
    return (await session.execute(query.where(visible(who, CARER)))).one_or_none()


async def remove_carer(session: AsyncSession, ward_id: str, carer_id: str, at: datetime) -> None:
    """A carer no longer acts for the patient."""
    await session.execute(update(CARER).where(CARER.c.ward_id == ward_id, CARER.c.id == carer_id).values(removed_at=at))


async def list_carers(session: AsyncSession, who: Principal, ward_id: str, patient_id: str) -> Sequence[Row[Any]]:
    """The carers of a patient who have not been removed, oldest first."""
    query = select(CARER).where(CARER.c.ward_id == ward_id, CARER.c.patient_id == patient_id, visible(who, CARER))
    return (await session.execute(query.where(CARER.c.removed_at.is_(None)).order_by(CARER.c.id))).all()


async def list_codes(session: AsyncSession, who: Principal, ward_id: str, stay_id: str) -> Sequence[Row[Any]]:
    """The codes of a stay, newest first; carers with their names."""
    return await _list(session, who, CODE, ward_id, stay_id)


async def list_pairings(session: AsyncSession, who: Principal, ward_id: str, stay_id: str) -> Sequence[Row[Any]]:
    """The apps that are or were paired with a stay, newest first; carers with their names."""
    return await _list(session, who, PAIRING, ward_id, stay_id)


async def _list(session: AsyncSession, who: Principal, table: Any, ward_id: str, stay_id: str) -> Sequence[Row[Any]]:
    of_the_carer = (CARER.c.ward_id == table.c.ward_id) & (CARER.c.id == table.c.carer_id)
    query = (
        select(table, CARER.c.name.label("carer_name"), CARER.c.relationship.label("carer_relationship"))
        .outerjoin_from(table, CARER, of_the_carer)
        .where(table.c.ward_id == ward_id, table.c.stay_id == stay_id, visible(who, table))
        .order_by(table.c.id.desc())
    )
    return (await session.execute(query)).all()
