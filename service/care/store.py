"""Queries on stays and their plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from alerts.plan import Limits
from alerts.rule_set import RuleSet
from alerts.watch import begin_watch
from service.access.principals import Principal
from service.access.visibility import visible
from service.care.plans import PlanVersion, plan_version
from service.errors import NotFound, StayDischarged
from service.queue.happenings import StayStands
from service.readings.due import written
from service.rules.live import load
from service.storage.tables import METADATA
from service.storage.tables.patients import GOES_ON

STAY = METADATA.tables["stay"]
PLAN = METADATA.tables["plan"]
WARD = METADATA.tables["ward"]


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay with the plan in force, as the API shows it."""

    id: str
    ward_id: str
    patient_id: str
    status: str
    admitted_at: datetime
    previous_stay_id: str | None
    paused_until: datetime | None
    pause_reason: str | None
    discharged_at: datetime | None
    discharge_reason: str | None
    version: int
    plan: PlanVersion
    limits: Limits | None

    def stands(self) -> StayStands:
        """As its events tell of it."""
        return StayStands(self.id, self.patient_id, self.status, self.paused_until, self.plan.version, self.version)


_STAY_FIELDS = tuple(name for name in Stay.__dataclass_fields__ if name not in ("plan", "limits"))


def _stays() -> Select[Any]:
    in_force = and_(
        PLAN.c.ward_id == STAY.c.ward_id,
        PLAN.c.stay_id == STAY.c.id,
        PLAN.c.version == STAY.c.plan_version,
    )
    plan_columns = (PLAN.c[name].label(f"plan_{name}") for name in PlanVersion.__dataclass_fields__)
    columns = (*(STAY.c[name] for name in _STAY_FIELDS), WARD.c.rule_set_number, *plan_columns)
    return select(*columns).join_from(STAY, PLAN, in_force).join(WARD, WARD.c.id == STAY.c.ward_id)


async def _shown(session: AsyncSession, query: Select[Any]) -> list[Stay]:
    """The stays of a query, with the limits that the rules of their wards make of their plans."""
    rows = (await session.execute(query)).all()
    rules = await load(session, {(row.ward_id, row.rule_set_number) for row in rows})
    return [_stay(row, rules[row.ward_id, row.rule_set_number]) for row in rows]


def _stay(row: Row[Any], rules: RuleSet) -> Stay:
    plan = plan_version({name: getattr(row, f"plan_{name}") for name in PlanVersion.__dataclass_fields__})
    return Stay(**{name: getattr(row, name) for name in _STAY_FIELDS}, plan=plan, limits=plan.in_force(rules))


async def find_ward_of(session: AsyncSession, who: Principal, stay_id: str) -> str | None:
    """The ward of a stay the principal may see, or None. It never changes."""
    query = select(STAY.c.ward_id).where(visible(who, STAY), STAY.c.id == stay_id)
    return (await session.execute(query)).scalar_one_or_none()


async def get_stay(session: AsyncSession, who: Principal, ward_id: str, stay_id: str) -> Stay:
    """A stay; raises NotFound."""
    query = _stays().where(STAY.c.ward_id == ward_id, STAY.c.id == stay_id, visible(who, STAY))
    found = await _shown(session, query)
    if not found:
        raise NotFound
    return found[0]


async def lock_stay(session: AsyncSession, who: Principal, ward_id: str, stay_id: str) -> Stay:
    """The stay, held until the transaction ends; raises NotFound. The first lock of whoever changes it."""
    held = select(STAY.c.id).where(STAY.c.ward_id == ward_id, STAY.c.id == stay_id, visible(who, STAY))
    # NO KEY UPDATE: readings and alerts that refer to the stay do not wait for their foreign keys.
    await session.execute(held.with_for_update(key_share=True))
    # Read by a statement of its own: one that had to wait for the lock would join the plan from before it.
    return await get_stay(session, who, ward_id, stay_id)


def require_going_on(stay: Stay) -> None:
    """Raises StayDischarged for a stay that has ended."""
    if stay.status == "discharged":
        raise StayDischarged("The stay has ended.")


async def find_current(session: AsyncSession, who: Principal, ward_id: str, patient_id: str) -> str | None:
    """The id of the patient's stay that has not ended, or None."""
    query = select(STAY.c.id).where(
        STAY.c.ward_id == ward_id,
        STAY.c.patient_id == patient_id,
        GOES_ON,
        visible(who, STAY),
    )
    return (await session.execute(query)).scalar_one_or_none()


async def list_stays(
    session: AsyncSession, who: Principal, ward_id: str, status: str | None, after: str | None, limit: int
) -> list[Stay]:
    """The stays of a ward, in the order in which they were made, from the one after `after`."""
    query = _stays().where(STAY.c.ward_id == ward_id, visible(who, STAY)).order_by(STAY.c.id).limit(limit)
    if status is not None:
        query = query.where(STAY.c.status == status)
    if after is not None:
        query = query.where(STAY.c.id > after)
    return await _shown(session, query)


async def list_plans(session: AsyncSession, who: Principal, ward_id: str, stay_id: str) -> list[PlanVersion]:
    """Every version of the stay's plan, newest first."""
    columns = (PLAN.c[name] for name in PlanVersion.__dataclass_fields__)
    query = (
        select(*columns)
        .where(PLAN.c.ward_id == ward_id, PLAN.c.stay_id == stay_id, visible(who, PLAN))
        .order_by(PLAN.c.version.desc())
    )
    return [plan_version(dict(row)) for row in (await session.execute(query)).mappings()]


async def insert_stay(
    session: AsyncSession,
    *,
    ward_id: str,
    stay_id: str,
    patient_id: str,
    admitted_at: datetime,
    sixteen_on: date,
    previous_stay_id: str | None,
    plan_version: int = 1,
) -> None:
    """An active stay under a version of its plan."""
    await session.execute(
        insert(STAY).values(
            ward_id=ward_id,
            id=stay_id,
            patient_id=patient_id,
            status="active",
            admitted_at=admitted_at,
            sixteen_on=sixteen_on,
            previous_stay_id=previous_stay_id,
            plan_version=plan_version,
            watch=written(begin_watch(admitted_at)._replace(plan_version=plan_version)),
        )
    )


async def insert_plan(session: AsyncSession, ward_id: str, stay_id: str, plan: PlanVersion) -> None:
    """A version of the stay's plan."""
    row = {name: getattr(plan, name) for name in PlanVersion.__dataclass_fields__}
    row["reading_times"] = list(plan.reading_times)
    await session.execute(insert(PLAN).values(ward_id=ward_id, stay_id=stay_id, **row))


async def update_stay(session: AsyncSession, stay: Stay, changes: Mapping[str, Any]) -> None:
    """Write the changed columns, and the next version; whatever changed, what is waited for is looked at anew."""
    await session.execute(
        update(STAY)
        .where(STAY.c.ward_id == stay.ward_id, STAY.c.id == stay.id)
        .values(**changes, version=stay.version + 1, due_at=None)
    )


async def update_sixteen_on(session: AsyncSession, ward_id: str, patient_id: str, day: date) -> None:
    """The patient's sixteenth birthday on all stays, locked in key order first."""
    mine = and_(STAY.c.ward_id == ward_id, STAY.c.patient_id == patient_id)
    await session.execute(select(STAY.c.id).where(mine).order_by(STAY.c.id).with_for_update(key_share=True))
    await session.execute(update(STAY).where(mine).values(sixteen_on=day))


async def first_pause_ends(connection: AsyncConnection) -> list[tuple[str, datetime | None]]:
    """For each ward when the first of its pauses ends; None where nobody is paused."""
    of_the_ward = and_(STAY.c.ward_id == WARD.c.id, STAY.c.status == "paused")
    first = select(func.min(STAY.c.paused_until)).where(of_the_ward).scalar_subquery()
    return [(row[0], row[1]) for row in await connection.execute(select(WARD.c.id, first))]


async def lock_paused_until(session: AsyncSession, ward_id: str, now: datetime, at_most: int) -> list[Stay]:
    """The stays of a ward whose pause has run out, held until the transaction ends; locked in key order."""
    over = and_(STAY.c.ward_id == ward_id, STAY.c.status == "paused", STAY.c.paused_until <= now)
    held = select(STAY.c.id).where(over).order_by(STAY.c.id).limit(at_most).with_for_update(key_share=True)
    stays = (await session.execute(held)).scalars().all()
    query = _stays().where(STAY.c.ward_id == ward_id, STAY.c.id.in_(stays)).order_by(STAY.c.id)
    return await _shown(session, query) if stays else []
