"""SpO2 falling over a day or more, each value still harmless by itself (R12)."""

from collections.abc import Sequence
from datetime import timedelta

from alerts.case import Case
from alerts.reading import USABLE_FROM
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
    spoken,
)
from alerts.severity import Family, Severity

NEEDED = 4
SPAN = timedelta(hours=24)
"""A trend needs at least so many valid resting readings, over at least this long."""

LAST = 3
LAST_WITHIN = timedelta(hours=36)
LATEST = 2
COMPARED_WITH = 4
"""The trend signal is the median of the last three; a step is the latest two against the four before them (design
decisions, need CSO sign-off)."""


def judge_trend(case: Case) -> Verdict:
    """R12: the last three not rising and their median below usual, or a step down from what went before."""
    if case.spo2 is None:
        return NOT_GIVEN
    if not case.valid or case.spo2 < USABLE_FROM:
        return NOT_VALID
    if not _low_enough(case, case.spo2):
        return CLEAR
    values = case.last_valid(LATEST + COMPARED_WITH)
    if len(values) < NEEDED:
        return TOO_FEW_READINGS
    if not (_below_usual(case, values) or _stepped_down(case, values)):
        return CLEAR
    if not _spans_a_day(case):
        return TOO_FEW_READINGS
    return Fired(Severity.MEDIUM if case.spo2 <= case.rule_set.trend_medium_at else Severity.LOW)


def _low_enough(case: Case, spo2: int) -> bool:
    """Could this value end a fall at all, whatever went before it? Most cannot, and need no looking back."""
    rules, usual = case.rule_set, case.plan.baseline_spo2
    return spo2 <= 100 - rules.trend_step or (usual is not None and spo2 <= usual - rules.trend_below_usual)


def _below_usual(case: Case, values: Sequence[int]) -> bool:
    """`values` newest first."""
    usual, (third, second, first) = case.plan.baseline_spo2, values[:LAST]
    if usual is None or not third <= second <= first or second > usual - case.rule_set.trend_below_usual:
        return False
    return sum(reading.counts_for_spo2 for reading in case.earlier(LAST_WITHIN)) >= LAST - 1


def _stepped_down(case: Case, values: Sequence[int]) -> bool:
    if len(values) < LATEST + COMPARED_WITH:
        return False
    return max(values[:LATEST]) <= _before_the_step(values) - case.rule_set.trend_step


def _before_the_step(values: Sequence[int]) -> float:
    _, lower, upper, _ = sorted(values[LATEST:])
    return (lower + upper) / 2


def _spans_a_day(case: Case) -> bool:
    first = next(reading for reading in case.window if reading.counts_for_spo2)
    return case.reading.observed_at - first.observed_at >= SPAN


def _inputs(case: Case) -> tuple[Input, ...]:
    reading = case.reading
    values = case.last_valid(LATEST + COMPARED_WITH) if case.valid else []
    latest = Input("spo2", case.spo2, "%", reading.id, reading.observed_at)
    return (latest, *(Input("spo2_before", value, "%", None, None) for value in values[1:]))


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
