"""Which rules a ward's readings are judged by: the live rule set, and perhaps a shadow beside it. Remembered, for a
version never changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_

from alerts.rule_set import DEFAULT, STAND_IN, RuleSet, RuleSetInvalid
from service import metrics
from service.logs import get_logger
from service.storage.direct import Where
from service.storage.tables import METADATA

RULE_SET = METADATA.tables["rule_set"]
WARD = METADATA.tables["ward"]
DEFAULT_NUMBER = 0

log = get_logger(__name__)

Version = tuple[str, int]
"""(ward_id, number)"""


@dataclass(frozen=True, slots=True)
class WardRules:
    """The live rule set of a ward, and the one judged beside it and never raised."""

    live: RuleSet = DEFAULT
    shadow: RuleSet | None = None


DEFAULT_RULES = WardRules()


class KnownRuleSets:
    """The rule sets of the wards, for one process."""

    def __init__(self) -> None:
        self._known: dict[Version, RuleSet] = {}

    async def rules_of(
        self, where: Where, wards: Iterable[tuple[str, int, int | None]]
    ) -> Mapping[tuple[str, int, int | None], WardRules]:
        """For (ward_id, live number, shadow number): the rule sets. Wards without their own cost no query."""
        asked = set(wards)
        numbers = {(ward_id, n) for ward_id, *each in asked for n in each if n}
        missing = numbers - self._known.keys()
        if missing:
            self._known.update(await load(where, missing))
        return {each: WardRules(self._find(each[0], each[1]), self._shadow(each[0], each[2])) for each in asked}

    def _find(self, ward_id: str, number: int) -> RuleSet:
        return self._known[ward_id, number] if number else DEFAULT

    def _shadow(self, ward_id: str, number: int | None) -> RuleSet | None:
        """None too for one that cannot be read: nobody compares with a stand-in."""
        shadow = None if number is None else self._find(ward_id, number)
        return None if shadow is STAND_IN else shadow


async def load(where: Where, versions: Iterable[Version]) -> dict[Version, RuleSet]:
    """The rule sets by (ward_id, number), the stand-in for one that cannot be read. The default costs no query."""
    asked = set(versions)
    key = tuple_(RULE_SET.c.ward_id, RULE_SET.c.number)
    query = select(RULE_SET.c.ward_id, RULE_SET.c.number, RULE_SET.c["values"])
    own = sorted(version for version in asked if version[1])
    rows = await where.execute(query.where(key.in_(own))) if own else ()
    found = {(row[0], row[1]): readable(row[0], row[1], row[2]) for row in rows}
    return {version: found.get(version, STAND_IN) if version[1] else DEFAULT for version in asked}


async def live_on(where: Where, ward_id: str) -> RuleSet:
    """The rule set by which the readings of a ward are judged now."""
    live = (await where.execute(select(WARD.c.rule_set_number).where(WARD.c.id == ward_id))).scalar_one()
    return (await load(where, [(ward_id, live)]))[ward_id, live]


def rules_in_force() -> tuple[Any, Any]:
    """The number of the ward's live rule set and its values (NULL: the default), as columns of a statement on it."""
    live = (RULE_SET.c.ward_id == WARD.c.id, RULE_SET.c.number == WARD.c.rule_set_number)
    return WARD.c.rule_set_number, select(RULE_SET.c["values"]).where(*live).correlate(WARD).scalar_subquery()


def in_force(ward_id: str, number: int, values: Mapping[str, Any] | None) -> RuleSet:
    """The rule set that `rules_in_force` tells of; the stand-in for one that cannot be read."""
    return DEFAULT if not number else readable(ward_id, number, values or {})


async def load_lives(where: Where, ward_id: str) -> list[tuple[datetime, RuleSet]]:
    """Which rule sets went live on a ward, and when, oldest first. Before the first of them it was the default."""
    query = select(RULE_SET.c.approved_at, RULE_SET.c.number, RULE_SET.c["values"]).where(
        RULE_SET.c.ward_id == ward_id, RULE_SET.c.approved_at.is_not(None)
    )
    rows = await where.execute(query.order_by(RULE_SET.c.approved_at, RULE_SET.c.number))
    return [(row[0], readable(ward_id, row[1], row[2])) for row in rows]


async def load_version(where: Where, ward_id: str, version: str) -> RuleSet:
    """The rule set of that version, for judging again what was judged by it; the default for any other."""
    if version == STAND_IN.version:
        return STAND_IN
    query = select(RULE_SET.c.number, RULE_SET.c["values"]).where(
        RULE_SET.c.ward_id == ward_id, RULE_SET.c.version == version
    )
    found = (await where.execute(query)).one_or_none()
    return DEFAULT if found is None else readable(ward_id, *found)


def readable(ward_id: str, number: int, values: Mapping[str, Any]) -> RuleSet:
    """A stored rule set; the stand-in, which every reading it judges says, when this release cannot read it."""
    try:
        return RuleSet.from_mapping(values)
    except RuleSetInvalid as problem:
        metrics.ENGINE_FAILURES.inc()
        log.error("rule_set_unreadable", ward_id=ward_id, number=number, error=str(problem))
        return STAND_IN
