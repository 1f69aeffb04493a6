"""Queries on erasures, and on what stands against one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from service.access.principals import Principal
from service.access.visibility import visible
from service.storage.direct import Where
from service.storage.tables import METADATA
from service.storage.tables.alerts import UNRESOLVED

ERASURE = METADATA.tables["erasure"]
ALERT = METADATA.tables["alert"]
CARER = METADATA.tables["carer"]
PATIENT = METADATA.tables["patient"]


@dataclass(frozen=True, slots=True)
class Erasure:
    """That somebody asked for an identity to be removed, and what was decided. Real time."""

    id: str
    ward_id: str
    patient_id: str
    status: str
    reason: str
    reference: str | None
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str | None


_COLUMNS = tuple(ERASURE.c[name] for name in Erasure.__dataclass_fields__)


async def list_erasures(where: Where, who: Principal, ward_id: str, patient_id: str) -> list[Erasure]:
    """The patient's, newest first."""
    mine = (ERASURE.c.ward_id == ward_id, ERASURE.c.patient_id == patient_id, visible(who, ERASURE))
    return [Erasure(*row) for row in await where.execute(select(*_COLUMNS).where(*mine).order_by(ERASURE.c.id.desc()))]


async def find_proposed(where: Where, who: Principal, ward_id: str, patient_id: str) -> Erasure | None:
    """The one that waits for a decision, or None. The patient is held."""
    found = await list_erasures(where, who, ward_id, patient_id)
    return next((each for each in found if each.status == "proposed"), None)


async def insert_erasure(where: Where, erasure: Erasure) -> None:
    """A new one."""
    await where.execute(insert(ERASURE).values({name: getattr(erasure, name) for name in Erasure.__dataclass_fields__}))


async def decide_erasure(where: Where, erasure: Erasure, decision: Mapping[str, Any]) -> None:
    """Write what was decided."""
    which = (ERASURE.c.ward_id == erasure.ward_id, ERASURE.c.id == erasure.id)
    await where.execute(update(ERASURE).where(*which).values(**decision))


async def find_unresolved(where: Where, ward_id: str, stay_ids: Sequence[str]) -> str | None:
    """The id of an alert of these stays that is not resolved, or None."""
    query = select(ALERT.c.id).where(ALERT.c.ward_id == ward_id, ALERT.c.stay_id.in_(stay_ids), UNRESOLVED)
    found: str | None = (await where.execute(query.order_by(ALERT.c.id).limit(1))).scalar_one_or_none()
    return found


async def remove_carers(where: Where, ward_id: str, patient_id: str, at: datetime) -> Sequence[str]:
    """The patient's carers act for nobody any more; gives their ids, those who were removed before too."""
    mine = (CARER.c.ward_id == ward_id, CARER.c.patient_id == patient_id)
    await where.execute(update(CARER).where(*mine, CARER.c.removed_at.is_(None)).values(removed_at=at))
    found: Sequence[str] = (await where.execute(select(CARER.c.id).where(*mine).order_by(CARER.c.id))).scalars().all()
    return found


async def mark_erased(where: Where, ward_id: str, patient_id: str, version: int, at: datetime) -> None:
    """The patient stands under the id alone, in the next version."""
    which = (PATIENT.c.ward_id == ward_id, PATIENT.c.id == patient_id)
    await where.execute(update(PATIENT).where(*which).values(erased_at=at, version=version + 1))
