"""Below what is usual or aimed at, though not amber: the drop from baseline and the target range (R5, R6)."""

from datetime import timedelta

from alerts.band import Band
from alerts.case import Case
from alerts.plan import Profile
from alerts.reading import USABLE_FROM
from alerts.rule import (
    CLEAR,
    NOT_ENOUGH,
    NOT_GIVEN,
    NOT_IN_PLAN,
    NOT_VALID,
    WITHIN_MARGIN,
    Clearing,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Verdict,
    spo2_input,
    spoken,
)
from alerts.severity import Family, Severity

_CUSTOM, _GREEN = Profile.CUSTOM, Band.GREEN

LOOK_BACK = 3
NEEDED = 2
"""Two of the last three valid resting readings (design decision, needs CSO sign-off)."""

TWICE = Clearing(gap=timedelta(0))


def judge_drop(case: Case) -> Verdict:
    """R5: the drop that counts, below the usual SpO2, in two of the last three valid readings, this one included."""
    baseline, spo2 = case.plan.baseline_spo2, case.spo2
    if baseline is None:
        return NOT_IN_PLAN
    if spo2 is None:
        return NOT_GIVEN
    if not case.valid or spo2 < USABLE_FROM:
        return NOT_VALID
    rules, drop = case.rule_set, baseline - spo2
    if drop < rules.drop:
        return CLEAR if drop <= rules.clear_drop else WITHIN_MARGIN
    if sum(baseline - value >= rules.drop for value in case.values(case.last_valid(LOOK_BACK))) < NEEDED:
        return NOT_ENOUGH
    return Fired(Severity.HIGH if drop >= rules.large_drop and case.band != _GREEN else Severity.LOW)


def judge_target(case: Case) -> Verdict:
    """R6: a custom plan's target range missed, above amber, in two of the last three valid readings."""
    limits, spo2 = case.limits, case.spo2
    if case.plan.profile != _CUSTOM or case.plan.target_low is None:
        return NOT_IN_PLAN
    if spo2 is None:
        return NOT_GIVEN
    if not case.valid or spo2 < USABLE_FROM:
        return NOT_VALID
    if spo2 >= limits.target_low:
        return CLEAR
    if spo2 <= limits.amber_at:
        return WITHIN_MARGIN
    below = sum(limits.amber_at < value < limits.target_low for value in case.values(case.last_valid(LOOK_BACK)))
    return Fired(Severity.LOW) if below >= NEEDED else NOT_ENOUGH


def _inputs(case: Case) -> tuple[Input, ...]:
    return (spo2_input(case),)


def _drop_limits(case: Case) -> tuple[Limit, ...]:
    drop = Limit("drop", case.rule_set.drop, "percentage points")
    return (Limit("baseline_spo2", case.plan.baseline_spo2, "%"), drop)


def _target_limits(case: Case) -> tuple[Limit, ...]:
    limits = case.limits
    return (Limit("target_low", limits.target_low, "%"), Limit("amber_at", limits.amber_at, "%"))


def _says_drop(finding: Finding) -> str:
    usual = spoken(finding.value("baseline_spo2"))
    spo2, drop = spoken(finding.value("spo2")), spoken(finding.value("drop"))
    return f"SpO2 {spo2} %: {drop} or more below the usual {usual} %, twice in three readings."


def _says_target(finding: Finding) -> str:
    target = spoken(finding.value("target_low"))
    return f"SpO2 {spoken(finding.value('spo2'))} %: below the target of {target} %, twice in three readings."


BASELINE_DROP = Rule(
    id="R5", name="baseline_drop", family=Family.OXYGEN, rank=8, clearing=TWICE,
    source="BTS 2017: a fall of 3 points or more; 5 points a design decision, needs CSO sign-off",
    judge=judge_drop, inputs=_inputs, limits=_drop_limits, says=_says_drop,
)  # fmt: skip
BELOW_TARGET = Rule(
    id="R6", name="below_target", family=Family.OXYGEN, rank=6, clearing=TWICE,
    source="BTS 2017: below the patient's target range",
    judge=judge_target, inputs=_inputs, limits=_target_limits, says=_says_target,
)  # fmt: skip
RULES = (BASELINE_DROP, BELOW_TARGET)
