"""What the person feels and how awake they are, whatever the oximeter shows (R10, R10b)."""

from datetime import timedelta

from alerts.case import Case
from alerts.reading import Consciousness
from alerts.rule import (
    CLEAR,
    NOT_AT_REST,
    NOT_GIVEN,
    WITHIN_MARGIN,
    Clearing,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Verdict,
    spoken,
)
from alerts.severity import Family, Severity

_ALERT = Consciousness.ALERT

CLEARS_BELOW = 2
"""Borg points (design decision, needs CSO sign-off)."""

USUAL_FROM = timedelta(hours=24)
"""Without a usual value in the plan: the lowest answer of this time (design decision, needs CSO sign-off)."""


def red_flag(case: Case) -> bool:
    """Is there a red-flag symptom, or a consciousness other than alert?"""
    reading = case.reading
    return bool(reading.symptoms) or (reading.consciousness is not None and reading.consciousness != _ALERT)


def judge_red_flag(case: Case) -> Verdict:
    """R10: in every context, at any SpO2; closed by a human only."""
    if red_flag(case):
        return Fired(Severity.CRITICAL)
    return NOT_GIVEN if case.reading.symptoms is None and case.reading.consciousness is None else CLEAR


def judge_breathless(case: Case) -> Verdict:
    """R10b: very breathless in every context; at rest also breathless, or clearly more so than usual."""
    answer = case.reading.breathlessness
    if answer is None:
        return NOT_GIVEN
    if answer >= case.rule_set.breathless_critical_from:
        return Fired(Severity.CRITICAL)
    if not (case.resting or case.asleep):
        return NOT_AT_REST
    if answer <= min(case.rule_set.breathless_high_from, case.rule_set.breathless_rise) - CLEARS_BELOW:
        return CLEAR  # whatever is usual: most answers, and none of these needs a look back
    limit = lowest_limit(case)
    if answer >= limit:
        return Fired(Severity.HIGH)
    return CLEAR if answer <= limit - CLEARS_BELOW else WITHIN_MARGIN


def lowest_limit(case: Case) -> float:
    """The lowest Borg answer that fires for this person: the same for everybody, or the rise above usual if less."""
    rules, usual = case.rule_set, usual_breathlessness(case)
    high = rules.breathless_high_from
    return high if usual is None else min(high, usual + rules.breathless_rise)


def usual_breathlessness(case: Case) -> float | None:
    """As the plan states it, else the lowest answer of the 24 h before, else None."""
    if case.plan.usual_breathlessness is not None:
        return case.plan.usual_breathlessness
    since = case.reading.observed_at - USUAL_FROM
    before = case.window[:-1]
    answers = [r.breathlessness for r in before if r.breathlessness is not None and r.observed_at >= since]
    return min(answers, default=None)


def _flags(case: Case) -> tuple[Input, ...]:
    reading = case.reading
    found = [Input("symptom", str(symptom), "", reading.id, reading.observed_at) for symptom in reading.symptoms or ()]
    if reading.consciousness is not None:
        found.append(Input("consciousness", str(reading.consciousness), "", reading.id, reading.observed_at))
    return tuple(found)


def answer_inputs(case: Case) -> tuple[Input, ...]:
    """The breathlessness that the reading itself tells, Borg."""
    reading = case.reading
    return (Input("breathlessness", reading.breathlessness, "Borg", reading.id, reading.observed_at),)


def _answer_limits(case: Case) -> tuple[Limit, ...]:
    critical_from = case.rule_set.breathless_critical_from
    return (Limit("high_from", lowest_limit(case), "Borg"), Limit("critical_from", critical_from, "Borg"))


def _says_flags(finding: Finding) -> str:
    signs = [str(item.value).replace("_", " ") for item in finding.inputs if item.name == "symptom"]
    consciousness = finding.value("consciousness")
    if consciousness not in (None, str(Consciousness.ALERT)):
        signs.append(f"consciousness {consciousness}")
    return f"Red flag: {', '.join(signs)}. An emergency at any SpO2."


def _says_breathless(finding: Finding) -> str:
    answer, limit = spoken(finding.value("breathlessness")), spoken(finding.value("high_from"))
    return f"Breathlessness {answer} of 10, at or above this patient's limit of {limit}, at any SpO2."


RED_FLAG = Rule(
    id="R10", name="red_flag", family=Family.SYMPTOMS, rank=20, clearing=Clearing(by_human=True),
    needs_signal=False,
    source="NHS CO@h emergency signs; NHS 111 breathlessness questions; RCP NEWS2 2017 (consciousness)",
    judge=judge_red_flag, inputs=_flags, says=_says_flags,
)  # fmt: skip
BREATHLESS = Rule(
    id="R10b", name="breathless", family=Family.SYMPTOMS, rank=10, clearing=Clearing(gap=timedelta(0)),
    needs_signal=False,
    source="Design decision, needs CSO sign-off, on the Borg CR10 scale",
    judge=judge_breathless, inputs=answer_inputs, limits=_answer_limits, says=_says_breathless,
)  # fmt: skip
RULES = (RED_FLAG, BREATHLESS)
