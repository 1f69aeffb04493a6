"""A stay's plan as the engine takes it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from alerts.plan import Plan, Profile, TreatmentEscalation
from service.logs import get_logger

log = get_logger(__name__)

_FIELDS = tuple(f.name for f in fields(Plan) if f.init)


def engine_plan(stored: Mapping[str, Any]) -> Plan:
    """The plan that a stored version says, NULL for what is as usual; raises ValueError (PlanInvalid) or TypeError."""
    values = {name: stored[name] for name in _FIELDS if stored[name] is not None}
    values["profile"] = Profile(values["profile"])
    values["treatment_escalation"] = TreatmentEscalation(values.get("treatment_escalation", "full"))
    values["reading_times"] = tuple(values["reading_times"])
    return Plan(**values)


def plan_of(row: Mapping[str, Any]) -> Plan | None:
    """The plan in a row, or None when it cannot be read."""
    try:
        return engine_plan(row)
    except (TypeError, ValueError) as problem:
        log.error("plan_unreadable", stay_id=row["stay_id"], plan_version=row["version"], error=type(problem).__name__)
        return None
