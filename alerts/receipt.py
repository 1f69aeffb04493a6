"""The receipt of an evaluation: every rule of the rule set, whether it fired or not, by what margin, and why; each with
a sentence that a nurse can read."""

from datetime import timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

from alerts.evaluate import Evaluation
from alerts.margins import Comparison, Margin, Measure, measure_of
from alerts.rule import LOW_OXYGEN, Finding, Input, Limit, Rule, Silent, explain, spoken
from alerts.rules import RULES
from alerts.severity import Severity

FIRED = "met"
_MEASURED = tuple((rule, measure_of(rule)) for rule in RULES)


class Outcome(StrEnum):
    """What a rule said about a reading."""

    FIRED = "fired"
    NOT_FIRED = "not_fired"
    NOT_APPLICABLE = "not_applicable"


_NOT_FIRED, _NOT_APPLICABLE = Outcome.NOT_FIRED, Outcome.NOT_APPLICABLE


class Line(NamedTuple):
    """One rule of a receipt. `reason` is a word that stays, `text` says it to a person; `clears_when` only if it
    fired."""

    rule: Rule
    outcome: Outcome
    severity: Severity | None
    reason: str
    inputs: tuple[Input, ...]
    limits: tuple[Limit, ...]
    margin: Margin | None
    text: str
    clears_when: str | None


def receipt(evaluation: Evaluation) -> tuple[Line, ...]:
    """Every rule of the rule set, in the order in which they are judged."""
    found = {finding.rule.key: finding for finding in evaluation.findings}
    lines: list[Line] = []
    case, looks_at, compares = evaluation.case, None, None
    inputs: tuple[Input, ...] = ()
    limits: tuple[Limit, ...] = ()
    for (rule, measure), verdict in zip(_MEASURED, evaluation.verdicts, strict=True):
        if type(verdict) is not Silent:
            lines.append(_fired(found[rule.key], measure))
            continue
        # Rules that look at the same things (R1-R4) stand together, and do it once.
        if rule.inputs is not looks_at or rule.limits is not compares:
            looks_at, compares = rule.inputs, rule.limits
            inputs, limits = looks_at(case), compares(case)
        lines.append(_silent(rule, verdict, inputs, limits, measure(inputs, limits)))
    return tuple(lines)


def _fired(finding: Finding, measure: Measure) -> Line:
    rule, inputs, limits = finding.rule, finding.inputs, finding.limits
    near = measure(inputs, limits)
    cleared = clears_when(rule, limits)
    return Line(rule, Outcome.FIRED, finding.severity, FIRED, inputs, limits, near, explain(finding), cleared)


def _silent(
    rule: Rule, silent: Silent, inputs: tuple[Input, ...], limits: tuple[Limit, ...], near: Margin | None
) -> Line:
    why = _JUDGED.get(silent.reason)
    if why is None:
        why = _NOT_JUDGED.get(silent.reason, "Not judged.")
        return Line(rule, _NOT_APPLICABLE, None, silent.reason, inputs, limits, near, why, None)
    text = why if near is None else f"{why} {_distance(near)}"
    return Line(rule, _NOT_FIRED, None, silent.reason, inputs, limits, near, text, None)


@lru_cache(maxsize=4096)
def _distance(near: Margin) -> str:
    """The comparison in words; most are of a whole number with one of a few limits, and come again and again."""
    name, observed, comparison, limit, unit, distance = near
    unit = f" {unit}" if unit else ""
    away = f", {spoken(distance)} away" if distance > 0 else ""
    # Compared one by one: the hash of an enum's member costs more than all of them.
    if comparison is Comparison.AT_OR_BELOW:
        begins = f"at {spoken(limit)}{unit} or below"
    elif comparison is Comparison.AT_OR_ABOVE:
        begins = f"at {spoken(limit)}{unit} or above"
    else:
        begins = f"{comparison} {spoken(limit)}{unit}"
    return f"{_NAMES.get(name) or _called(name)} was {spoken(observed)}{unit}; the rule begins {begins}{away}."


@cache
def _called(name: str) -> str:
    return name.replace("_", " ").capitalize()


def clears_when(rule: Rule, limits: tuple[Limit, ...]) -> str:
    """What ends it, in words."""
    policy = rule.clearing
    if policy.by_human:
        return "A person closes it; no reading does."
    if policy.count == 1:
        return "The next reading that is accepted and does not meet it."
    return _ended_by(policy.count, policy.gap, _amber_at(limits) if rule.id in LOW_OXYGEN else None)


def _amber_at(limits: tuple[Limit, ...]) -> int | None:
    return next((value for name, value, _ in limits if name == "amber_at" and isinstance(value, int)), None)


@cache
def _ended_by(count: int, gap: timedelta, amber_at: int | None) -> str:
    which = "that do not meet it" if amber_at is None else f"above {amber_at} %"
    apart = f", {_minutes(gap)} min apart or more" if gap else ""
    return f"{_COUNTS[count]} readings {which}{apart}."


def _minutes(gap: timedelta) -> int:
    return int(gap.total_seconds() // 60)


_COUNTS = {2: "Two", 3: "Three"}
_NAMES = {"spo2": "SpO2", "news2": "NEWS2", "systolic_bp": "Systolic blood pressure"}
_JUDGED = {
    "not_met": "Not met.",
    "within_margin": "Not met, but not far enough away to count as clear.",
    "not_often_enough": "The value alone would do, but it was not seen often or long enough.",
    "another_rule_applies": "Another rule speaks of this value.",
}
_NOT_JUDGED = {
    "value_not_given": "Not judged: what it needs was not given.",
    "not_applicable": "Not judged: it does not apply to this patient or to this kind of reading.",
    "not_in_plan": "Not judged: the plan says nothing to compare with.",
    "not_at_rest": "Not judged: it needs a reading at rest.",
    "too_low_to_use": "Not judged: the value is too low to be used; it has to be measured again.",
    "switched_off": "Not judged: this ward has switched the rule off.",
    "too_few_readings": "Not judged: too few good readings, or over too short a time.",
    "not_valid": "Not judged: it needs a good signal at rest.",
    "answer_without_measurement": "Not judged: this was an answer, not a measurement.",
    "decided_by_time": "Not judged: time alone decides it, not a reading.",
}
