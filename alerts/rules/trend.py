"""SpO2 falling over a day or more, each value still harmless by itself (R12)."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from alerts.case import Case
from alerts.reading import USABLE_FROM, Reading
from alerts.rule import (
    CLEAR,
    NOT_GIVEN,
    NOT_VALID,
    TOO_FEW_READINGS,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Verdict,
    spo2_input,
    spoken,
)
from alerts.rule_set import RuleSet
from alerts.severity import Family, Severity

LAST_WITHIN = timedelta(hours=36)
"""How far back the last readings may lie that a falling trend is seen in (design decision, needs CSO sign-off)."""


def judge_trend(case: Case) -> Verdict:
    """R12: the last few not rising and their median below usual, or a step down from what went before."""
    if case.spo2 is None:
        return NOT_GIVEN
    if not case.valid or case.spo2 < USABLE_FROM:
        return NOT_VALID
    if not _low_enough(case, case.spo2):
        return CLEAR
    readings = case.last_valid(_looked_at(case.rule_set))
    if len(readings) < case.rule_set.trend_readings:
        return TOO_FEW_READINGS
    values = case.values(readings)
    if not (_stepped_down(case.rule_set, values) or _below_usual(case, readings, values)):
        return CLEAR
    if not _lasts_long_enough(case):
        return TOO_FEW_READINGS
    return Fired(Severity.MEDIUM if case.spo2 <= case.rule_set.trend_medium_at else Severity.LOW)


def _low_enough(case: Case, spo2: int) -> bool:
    """Could this value end a fall at all, whatever went before it? Most cannot, and need no looking back."""
    rules, usual = case.rule_set, case.plan.baseline_spo2
    return spo2 <= 100 - rules.trend_step or (usual is not None and spo2 <= usual - rules.trend_below_usual)


def _looked_at(rules: RuleSet) -> int:
    return max(rules.trend_readings, rules.trend_last, rules.trend_latest + rules.trend_compared_with)


def _below_usual(case: Case, readings: Sequence[Reading], values: Sequence[int]) -> bool:
    """`readings` and `values` are newest first. In a run without a rise the newest value is the lowest, so one that is
    not low ends the question at once: most do."""
    rules, usual = case.rule_set, case.plan.baseline_spo2
    if usual is None or len(readings) < rules.trend_last:
        return False
    low = usual - rules.trend_below_usual
    if case.spo2 is None or case.spo2 > low:
        return False
    last = values[: rules.trend_last]
    if any(newer > older for newer, older in pairwise(last)) or _middle(last) > low:
        return False
    return case.reading.observed_at - readings[rules.trend_last - 1].observed_at <= LAST_WITHIN


def _stepped_down(rules: RuleSet, values: Sequence[int]) -> bool:
    latest, before = values[: rules.trend_latest], values[rules.trend_latest :][: rules.trend_compared_with]
    if len(before) < rules.trend_compared_with:
        return False
    return max(latest) <= _middle(before) - rules.trend_step


def _middle(values: Sequence[int]) -> float:
    """The median."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _lasts_long_enough(case: Case) -> bool:
    first = next(reading for reading in case.window if reading.counts_for_spo2)
    return case.reading.observed_at - first.observed_at >= timedelta(hours=case.rule_set.trend_hours)


def _inputs(case: Case) -> tuple[Input, ...]:
    values = case.values(case.last_valid(_looked_at(case.rule_set))) if case.valid else []
    return (spo2_input(case), *(Input("spo2_before", value, "%", None, None) for value in values[1:]))


def _limits(case: Case) -> tuple[Limit, ...]:
    return (
        Limit("baseline_spo2", case.plan.baseline_spo2, "%"),
        Limit("below_usual", case.rule_set.trend_below_usual, "percentage points"),
        Limit("step", case.rule_set.trend_step, "percentage points"),
    )


def _says(finding: Finding) -> str:
    before = [spoken(item.value) for item in finding.inputs if item.name == "spo2_before"]
    return f"SpO2 {spoken(finding.value('spo2'))} % is falling: before it {', '.join(before)} (newest first)."


TREND_FALL = Rule(
    id="R12", name="trend_fall", family=Family.OXYGEN, rank=7,
    source="Home oximetry variation and trends before exacerbations (COPD cohorts 2016-2020); numbers a design "
    "decision, needs CSO sign-off",
    judge=judge_trend, inputs=_inputs, limits=_limits, says=_says,
)  # fmt: skip
RULES = (TREND_FALL,)
