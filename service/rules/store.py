"""Queries on the rule sets of a ward."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound
from service.storage.tables import METADATA
from service.storage.tables.patients import GOES_ON

RULE_SET = METADATA.tables["rule_set"]
SHADOW_COUNT = METADATA.tables["shadow_count"]
WARD = METADATA.tables["ward"]
STAY = METADATA.tables["stay"]


@dataclass(frozen=True, slots=True)
class RuleSetVersion:
    """One version of a ward's rule set: who proposed it on which one, why, and who approved it."""

    number: int
    version: str
    based_on: int
    values: dict[str, Any]
    reason: str
    author_id: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class InForce:
    """The numbers of the live rule set and of the shadow (None: there is none); 0 is the default."""

    live: int
    shadow: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How often a rule fired on a day, live and in the shadow."""

    day: Any
    rule_id: str
    severity: int
    live: int
    shadow: int


_COLUMNS = tuple(RULE_SET.c[name] for name in RuleSetVersion.__dataclass_fields__)


async def in_force(session: AsyncSession, who: Principal, ward_id: str, *, lock: bool = False) -> InForce:
    """What a ward is judged by; raises NotFound. `lock` holds the ward until the transaction ends."""
    query = select(WARD.c.rule_set_number, WARD.c.shadow_number).where(WARD.c.id == ward_id, visible(who, WARD))
    found = (await session.execute(query.with_for_update(key_share=True) if lock else query)).one_or_none()
    if found is None:
        raise NotFound
    return InForce(*found)


async def list_versions(session: AsyncSession, who: Principal, ward_id: str) -> list[RuleSetVersion]:
    """Every version of the ward, newest first."""
    query = (
        select(*_COLUMNS)
        .where(RULE_SET.c.ward_id == ward_id, visible(who, RULE_SET))
        .order_by(RULE_SET.c.number.desc())
    )
    return [RuleSetVersion(*row) for row in await session.execute(query)]


async def find_version(session: AsyncSession, who: Principal, ward_id: str, number: int) -> RuleSetVersion | None:
    """A version of the ward, or None."""
    query = select(*_COLUMNS).where(RULE_SET.c.ward_id == ward_id, RULE_SET.c.number == number, visible(who, RULE_SET))
    found = (await session.execute(query)).one_or_none()
    return None if found is None else RuleSetVersion(*found)


async def next_number(session: AsyncSession, ward_id: str) -> int:
    """The number of the next version. The caller holds the ward."""
    last = await session.scalar(select(func.max(RULE_SET.c.number)).where(RULE_SET.c.ward_id == ward_id))
    return (last or 0) + 1


async def insert_version(session: AsyncSession, ward_id: str, version: RuleSetVersion) -> None:
    """A new version."""
    row = {name: getattr(version, name) for name in RuleSetVersion.__dataclass_fields__}
    await session.execute(insert(RULE_SET).values(ward_id=ward_id, **row))


async def approve_version(session: AsyncSession, ward_id: str, number: int, by: str, at: datetime) -> None:
    """Somebody agreed: the version is live from now on."""
    key = (RULE_SET.c.ward_id == ward_id, RULE_SET.c.number == number)
    await session.execute(update(RULE_SET).where(*key).values(approved_by=by, approved_at=at))
    await session.execute(update(WARD).where(WARD.c.id == ward_id).values(rule_set_number=number))


async def look_at_stays(session: AsyncSession, ward_id: str) -> None:
    """Every stay of the ward that goes on is looked at as soon as possible. Their rows are locked, in the one order."""
    of_the_ward = (STAY.c.ward_id == ward_id, GOES_ON)
    await session.execute(select(STAY.c.id).where(*of_the_ward).order_by(STAY.c.id).with_for_update(key_share=True))
    await session.execute(update(STAY).where(*of_the_ward).values(due_at=None))


async def set_shadow(session: AsyncSession, ward_id: str, number: int | None) -> None:
    """This version is judged beside the live one from now on; None: no more."""
    await session.execute(update(WARD).where(WARD.c.id == ward_id).values(shadow_number=number))


async def list_counts(session: AsyncSession, who: Principal, ward_id: str, number: int) -> list[Count]:
    """What was counted for a shadow, newest day first."""
    table = SHADOW_COUNT.c
    query = (
        select(*(table[name] for name in Count.__dataclass_fields__))
        .where(table.ward_id == ward_id, table.number == number, visible(who, SHADOW_COUNT))
        .order_by(table.day.desc(), table.rule_id, table.severity.desc())
    )
    return [Count(*row) for row in await session.execute(query)]
