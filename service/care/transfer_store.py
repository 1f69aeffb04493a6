"""Queries of a transfer. Each statement names one ward."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound, TransferDecided
from service.storage.tables import METADATA

TRANSFER = METADATA.tables["transfer"]
READING = METADATA.tables["reading"]
PATIENT = METADATA.tables["patient"]
STAY = METADATA.tables["stay"]
WARD = METADATA.tables["ward"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """A stay of `from_ward_id` offered to `ward_id`."""

    id: str
    ward_id: str
    from_ward_id: str
    stay_id: str
    status: str
    proposed_at: datetime
    proposed_by: str
    proposer_kind: str
    decided_at: datetime | None
    decided_by: str | None
    new_stay_id: str | None


_COLUMNS = tuple(TRANSFER.c[name] for name in Transfer.__dataclass_fields__)


async def get_transfer(session: AsyncSession, who: Principal, transfer_id: str | None) -> Transfer:
    """A transfer to or from one of the principal's wards; raises NotFound."""
    mine = or_(visible(who, TRANSFER), TRANSFER.c.from_ward_id.in_(who.ward_ids))
    found = (await session.execute(select(*_COLUMNS).where(TRANSFER.c.id == transfer_id, mine))).one_or_none()
    if found is None:
        raise NotFound
    return Transfer(*found)


async def list_pending(session: AsyncSession, ward_id: str) -> list[Transfer]:
    """What waits for this ward's decision, oldest first; the caller may see the ward."""
    query = select(*_COLUMNS).where(TRANSFER.c.ward_id == ward_id, TRANSFER.c.status == "pending")
    return [Transfer(*row) for row in await session.execute(query.order_by(TRANSFER.c.id))]


async def find_pending(session: AsyncSession, ward_id: str, stay_id: str) -> str | None:
    """The id of the offer of this stay to a ward that is not decided, or None."""
    query = select(TRANSFER.c.id).where(
        TRANSFER.c.ward_id == ward_id, TRANSFER.c.stay_id == stay_id, TRANSFER.c.status == "pending"
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def insert_transfer(session: AsyncSession, transfer: Transfer) -> None:
    """A new offer; the stay is locked."""
    row = {name: getattr(transfer, name) for name in Transfer.__dataclass_fields__}
    await session.execute(insert(TRANSFER).values(row))


async def decide_transfer(session: AsyncSession, transfer: Transfer, **decision: Any) -> None:
    """Write what was decided; raises TransferDecided when somebody was first."""
    pending = update(TRANSFER).where(
        TRANSFER.c.ward_id == transfer.ward_id, TRANSFER.c.id == transfer.id, TRANSFER.c.status == "pending"
    )
    if (await session.execute(pending.values(**decision).returning(TRANSFER.c.id))).one_or_none() is None:
        raise TransferDecided


async def ward_exists(session: AsyncSession, ward_id: str) -> bool:
    """Whether there is such a ward, whoever asks."""
    return (await session.execute(select(WARD.c.id).where(WARD.c.id == ward_id))).one_or_none() is not None


async def find_patient_before(session: AsyncSession, ward_id: str, stay_id: str | None) -> str | None:
    """The patient of a stay of this ward, or None: somebody who comes back is known by the stay they came from. Not
    where the identity was removed since: nobody is known there."""
    of_the_stay = and_(PATIENT.c.ward_id == STAY.c.ward_id, PATIENT.c.id == STAY.c.patient_id)
    query = (
        select(STAY.c.patient_id)
        .join_from(STAY, PATIENT, of_the_stay)
        .where(STAY.c.ward_id == ward_id, STAY.c.id == stay_id, PATIENT.c.erased_at.is_(None))
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def list_readings(
    session: AsyncSession, ward_id: str, stay_id: str, since: datetime, context: timedelta
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """The readings of a stay observed since an instant, and those of the time before, by time of receipt."""
    query = (
        select(READING)
        .where(READING.c.ward_id == ward_id, READING.c.stay_id == stay_id, READING.c.observed_at >= since - context)
        .order_by(READING.c.received_at, READING.c.observed_at, READING.c.id)
    )
    rows = (await session.execute(query)).all()
    return [row for row in rows if row.observed_at >= since], [row for row in rows if row.observed_at < since]
