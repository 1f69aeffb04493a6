"""NEWS2 as an alert: the complete score (R9) and the least it can be when values are missing (R9b)."""

from datetime import timedelta

from alerts.band import Band
from alerts.case import Case
from alerts.news2 import News2
from alerts.rule import (
    CLEAR,
    NOT_APPLICABLE,
    NOT_AT_REST,
    NOT_GIVEN,
    WITHIN_MARGIN,
    Clearing,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Silent,
    Verdict,
    spoken,
)
from alerts.rules.symptoms import red_flag
from alerts.rules.vitals import out_of_range
from alerts.severity import Family, Severity

EMERGENCY = 7
URGENT = 5
"""NEWS2 totals (RCP NEWS2 2017)."""

CLEARED_BY_SCORES = Clearing(gap=timedelta(minutes=30))
"""Two complete lower scores this far apart (design decision, needs CSO sign-off)."""


def judge_score(case: Case) -> Verdict:
    """R9: complete, 7 or more, 5-6, or a single 3; a 3 that has its own alert is attached to that alert."""
    score = case.news2
    if not score.complete:
        return _without(case)
    if not case.resting:
        return NOT_AT_REST
    severity = _severity(score)
    if severity is not None:
        return Fired(severity)
    if score.any_single_3:
        return Fired(Severity.MEDIUM, attached_to=_alert_of(case, score.threes[0]))
    return CLEAR


def judge_at_least(case: Case) -> Verdict:
    """R9b: incomplete, and what is known already adds up to 5 or more. Only a complete score clears it."""
    score = case.news2
    if not score.applicable or not score.scores:
        return _without(case)
    if not case.resting:
        return NOT_AT_REST
    severity = _severity(score)
    if score.complete:
        return CLEAR if severity is None else WITHIN_MARGIN
    return NOT_GIVEN if severity is None else Fired(severity)


def _without(case: Case) -> Silent:
    return NOT_GIVEN if case.news2.applicable else NOT_APPLICABLE


def _severity(score: News2) -> Severity | None:
    if score.minimum_total >= EMERGENCY:
        return Severity.CRITICAL
    return Severity.HIGH if score.minimum_total >= URGENT else None


def _alert_of(case: Case, parameter: str) -> Family | None:
    """The family in which this parameter already has a finding of its own."""
    if parameter == "spo2":
        return Family.OXYGEN if case.band in (Band.RED, Band.AMBER) else None
    if parameter == "consciousness":
        return Family.SYMPTOMS if red_flag(case) else None
    return Family.VITALS if out_of_range(case, parameter) else None


def _inputs(case: Case) -> tuple[Input, ...]:
    reading = case.reading
    total = Input("news2", case.news2.minimum_total, "points", reading.id, reading.observed_at)
    points = (
        Input(f"news2_{name}", value, "points", reading.id, reading.observed_at)
        for name, value in case.news2.scores.items()
        if value
    )
    return (total, *points)


_BOTH = (Limit("urgent_from", URGENT, "points"), Limit("emergency_from", EMERGENCY, "points"))


def _limits(_case: Case) -> tuple[Limit, ...]:
    return _BOTH


def _made_of(finding: Finding) -> str:
    parts = [item for item in finding.inputs if item.name != "news2"]
    return ", ".join(f"{item.name[6:].replace('_', ' ')} {item.value}" for item in parts)


def _says_score(finding: Finding) -> str:
    total = finding.value("news2")
    single = " A single parameter scores 3." if isinstance(total, int) and total < URGENT else ""
    return f"NEWS2 {spoken(total)} ({_made_of(finding)}).{single}"


def _says_at_least(finding: Finding) -> str:
    return f"NEWS2 at least {spoken(finding.value('news2'))}, incomplete ({_made_of(finding)})."


NEWS2 = Rule(
    id="R9", name="news2", family=Family.EARLY_WARNING, rank=20, clearing=CLEARED_BY_SCORES,
    source="RCP NEWS2 2017",
    judge=judge_score, inputs=_inputs, limits=_limits, says=_says_score,
)  # fmt: skip
NEWS2_AT_LEAST = Rule(
    id="R9b", name="news2_at_least", family=Family.EARLY_WARNING, rank=10, clearing=CLEARED_BY_SCORES,
    source="RCP NEWS2 2017 sub-scores; acting on an incomplete sum is a design decision, needs CSO sign-off",
    judge=judge_at_least, inputs=_inputs, limits=_limits, says=_says_at_least,
)  # fmt: skip
RULES = (NEWS2, NEWS2_AT_LEAST)
