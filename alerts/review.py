"""What a plan lacks, and since when (R23): its review is due, the usual SpO2 is not known, or a patient on oxygen has
no prescription or no limits of their own."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.plan import Plan
from alerts.record import Record
from alerts.rule import Finding, Input, Limit, Value
from alerts.rules.absence import NO_BASELINE, NO_PRESCRIPTION, NO_PROFILE, NO_REVIEW, REVIEW_DUE
from alerts.severity import Severity
from alerts.watch import Watch


def gaps(plan: Plan, watch: Watch, record: Record) -> dict[str, datetime]:
    """What the plan lacks or will lack by itself, each with the instant since when: never before the plan was in
    force. `record` knows the ward's zone and rules."""
    found, zone = {}, record.service_hours.zone
    if plan.review_on is not None:
        day_after = plan.review_on + timedelta(days=1)
        found[NO_REVIEW] = datetime.combine(day_after, time(0), ZoneInfo(zone)).astimezone(watch.planned_at.tzinfo)
    if plan.baseline_spo2 is None:
        found[NO_BASELINE] = watch.admitted_at + record.rule_set.watch.baseline_within
    if any(problem.code == "home_oxygen_without_profile" for problem in plan.warnings()):
        found[NO_PROFILE] = watch.planned_at
    return {name: max(at, watch.planned_at) for name, at in found.items()}


def lacks_prescription(plan: Plan, oxygen_flow: float | None) -> bool:
    """Does somebody get oxygen whose plan does not say how much?"""
    return bool(oxygen_flow) and plan.prescribed_oxygen_flow is None


def review_finding(record: Record, names: tuple[str, ...], at: datetime) -> Finding:
    """R23 with everything the plan lacks by now."""
    plan = record.plan
    values: dict[str, tuple[Value, str]] = {
        NO_REVIEW: (str(plan.review_on), ""),
        NO_BASELINE: (record.rule_set.baseline_hours, "h"),
        NO_PROFILE: (plan.prescribed_oxygen_flow, "L/min"),
        NO_PRESCRIPTION: (None, ""),
    }
    inputs = tuple(Input(name, *values[name], None, at) for name in names)
    limits = (Limit("plan_version", plan.version, ""),)
    return Finding(
        REVIEW_DUE, REVIEW_DUE.family, Severity.LOW, None, inputs, limits, rule_set_version=record.rule_set.version
    )
