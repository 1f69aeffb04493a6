"""A stay's plan as the engine takes it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from alerts.plan import Plan, PlanInvalid
from service.logs import get_logger

log = get_logger(__name__)

_PLAN_FIELDS = tuple(f.name for f in fields(Plan) if f.init and f.name not in ("reading_times", "pregnant"))


def plan_of(row: Mapping[str, Any]) -> Plan | None:
    """The plan in a row, or None when it cannot be read."""
    try:
        values = {name: row[name] for name in _PLAN_FIELDS if row[name] is not None}
        return Plan(**values, reading_times=tuple(row["reading_times"]), pregnant=bool(row["pregnant"]))
    except (PlanInvalid, TypeError, ValueError) as problem:
        log.error("plan_unreadable", stay_id=row["stay_id"], plan_version=row["version"], error=type(problem).__name__)
        return None
