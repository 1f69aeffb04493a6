"""What is usual for a person when no clinician said it: frozen once from the first good readings, so that a slow
decline cannot drag it down."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.case import judged
from alerts.plan import Plan, PlanInvalid
from alerts.reading import Reading
from alerts.rule_set import DEFAULT, RuleSet

FIRST = timedelta(hours=48)
NEEDED = 3
"""The median of the first three valid resting readings of the first 48 h (design decision, needs CSO sign-off)."""


def frozen_plan(
    known: Iterable[Reading],
    arrived: Iterable[Reading],
    plan: Plan,
    admitted_at: datetime,
    rule_set: RuleSet = DEFAULT,
) -> Plan | None:
    """The next version of the plan, with the usual SpO2 that these arrivals complete; None if they complete none.

    `known`: the readings of the first 48 h judged before. A clinician's value is never replaced. If one of the three is
    below the target, or the median does not fit the profile, nothing is frozen: a clinician has to look at it.
    """
    if plan.baseline_spo2 is not None:
        return None
    new = _of_the_first_days(arrived, admitted_at)
    before = _of_the_first_days(known, admitted_at) if new else ()
    if len(before) >= NEEDED or len(before) + len(new) < NEEDED:
        return None
    values = sorted([*before, *new], key=_order)
    first = sorted(judged(reading, plan) for reading in values[:NEEDED])
    if first[0] < rule_set.limits(plan).target_low:
        return None
    try:
        return replace(plan, baseline_spo2=first[NEEDED // 2], version=plan.version + 1)
    except PlanInvalid:
        return None


def _of_the_first_days(readings: Iterable[Reading], admitted_at: datetime) -> Sequence[Reading]:
    until = admitted_at + FIRST
    return [r for r in readings if admitted_at <= r.observed_at <= until and r.counts_for_spo2]


def _order(reading: Reading) -> tuple[datetime, str]:
    return reading.observed_at, reading.id
