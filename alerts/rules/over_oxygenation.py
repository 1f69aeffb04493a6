"""Too much oxygen for somebody at risk of hypercapnic failure (R7): the opposite hazard to low oxygen."""

from datetime import timedelta

from alerts.case import Case, judged, on_oxygen
from alerts.plan import Profile
from alerts.rule import (
    CLEAR,
    NOT_ENOUGH,
    NOT_GIVEN,
    NOT_IN_PLAN,
    NOT_VALID,
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

_HYPERCAPNIC = Profile.HYPERCAPNIC

TOO_HIGH = 93
FAR_TOO_HIGH = 97
"""Percent on oxygen: where scale 2 starts to score, and where it scores 3 (RCP NEWS2 2017)."""


def judge_over(case: Case) -> Verdict:
    """R7: an unbroken run of valid readings of 93 % and more on oxygen that spans 15 min or more."""
    if case.plan.profile != _HYPERCAPNIC:
        return NOT_IN_PLAN
    if case.spo2 is None or case.on_oxygen is None:
        return NOT_GIVEN
    if not case.valid:
        return NOT_VALID
    if case.spo2 < TOO_HIGH or not case.on_oxygen:
        return CLEAR
    before = _highest_long_enough_before(case)
    if before is None:
        return NOT_ENOUGH
    return Fired(Severity.HIGH if min(before, case.spo2) >= FAR_TOO_HIGH else Severity.MEDIUM)


def _highest_long_enough_before(case: Case) -> int | None:
    """The highest value of the run that is at least 15 min older than this reading."""
    highest, apart = None, timedelta(minutes=case.rule_set.over_oxygenation_minutes)
    for reading in case.earlier():
        if not reading.counts_for_spo2:
            continue
        value = judged(reading, case.plan)
        if value < TOO_HIGH or not on_oxygen(reading, case.plan):
            break
        if case.reading.observed_at - reading.observed_at >= apart:
            highest = max(value, highest or 0)
    return highest


def _inputs(case: Case) -> tuple[Input, ...]:
    reading = case.reading
    spo2 = spo2_input(case)
    if reading.oxygen_flow is None:
        return (spo2,)
    return (spo2, Input("oxygen_flow", reading.oxygen_flow, "L/min", reading.id, reading.observed_at))


def _limits(case: Case) -> tuple[Limit, ...]:
    apart = Limit("apart", case.rule_set.over_oxygenation_minutes, "min")
    return (Limit("too_high_from", TOO_HIGH, "%"), Limit("far_too_high_from", FAR_TOO_HIGH, "%"), apart)


def _says(finding: Finding) -> str:
    spo2, apart = spoken(finding.value("spo2")), spoken(finding.value("apart"))
    return f"SpO2 {spo2} % on oxygen, {apart} min apart or more, with a target of 88-92 %: too much oxygen?"


OVER_OXYGENATION = Rule(
    id="R7", name="over_oxygenation", family=Family.OVER_OXYGENATION, rank=10,
    source="RCP NEWS2 2017, scale 2; BTS 2017 target 88-92 %",
    judge=judge_over, inputs=_inputs, limits=_limits, says=_says,
)  # fmt: skip
RULES = (OVER_OXYGENATION,)
