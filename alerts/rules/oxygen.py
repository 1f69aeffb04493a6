"""Low oxygen at rest: red, amber, silent hypoxia and the unanswered question (R1-R4)."""

from datetime import datetime, timedelta

from alerts.band import Band
from alerts.case import Case
from alerts.reading import ACCURATE_FROM, Quality
from alerts.rule import (
    ANSWER_ALONE,
    CLEAR,
    NOT_APPLICABLE,
    NOT_AT_REST,
    NOT_GIVEN,
    OTHER_RULE,
    TOO_LOW_TO_USE,
    Awaited,
    Clearing,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Silent,
    Verdict,
    Wait,
    spoken,
)
from alerts.rule_set import RuleSet
from alerts.severity import Family, Severity

_RED, _AMBER, _GREEN = Band.RED, Band.AMBER, Band.GREEN
_LOW = (_RED, _AMBER)

CLEARED_BY_GREEN = Clearing(transient_gap=timedelta(minutes=5))


def judge_red(case: Case) -> Verdict:
    """R1: SpO2 at or below red_at, or a second value below 50 % within 15 min."""
    if case.band != _RED:
        return _not_in_band(case)
    return Fired(Severity.CRITICAL, (wait_after_red(case.now, case.rule_set),))


def judge_amber(case: Case) -> Verdict:
    """R2: above red_at, up to amber_at. Medium only while a recheck may settle it."""
    if case.band != _AMBER:
        return _not_in_band(case)
    due_at = case.now + timedelta(minutes=case.rule_set.amber_minutes)
    wait = Wait("R2", Awaited.RECHECK, due_at, Severity.HIGH, confirms=True)
    return Fired(_amber_severity(case), (wait,))


def judge_silent(case: Case) -> Verdict:
    """R3: a low value without the breathlessness that should warn of it."""
    if not _low_at_rest(case):
        return _not_in_band(case)
    if case.breathlessness is None:
        return NOT_GIVEN if case.carried else OTHER_RULE
    if case.breathlessness > case.rule_set.mild_up_to:
        return ANSWER_ALONE if case.carried else OTHER_RULE
    return Fired(_band_severity(case))


def judge_unknown(case: Case) -> Verdict:
    """R4: a low value, and nobody said how breathless they are."""
    if not _low_at_rest(case):
        return _not_in_band(case)
    if case.breathlessness is not None:
        return ANSWER_ALONE if case.carried else OTHER_RULE
    if case.band == _RED:
        return Fired(Severity.CRITICAL)
    severity = _amber_severity(case)
    if severity >= Severity.HIGH:
        return Fired(severity)
    waits, at_amber = case.rule_set, case.level == case.limits.amber_at
    minutes = waits.answer_at_amber_minutes if at_amber else waits.answer_below_amber_minutes
    due_at = case.now + timedelta(minutes=minutes)
    return Fired(severity, (Wait("R4", Awaited.ANSWER, due_at, Severity.HIGH),))


def wait_after_red(received_at: datetime, rule_set: RuleSet) -> Wait:
    """A red value counts as confirmed unless two good readings contradict it in time."""
    due_at = received_at + timedelta(minutes=rule_set.red_minutes)
    return Wait("R1", Awaited.CLEARING, due_at, None, confirms=True)


def _low_at_rest(case: Case) -> bool:
    return case.resting and case.band in _LOW


def _not_in_band(case: Case) -> Silent:
    if case.carried:
        return ANSWER_ALONE
    if case.band is None:
        return _without_band(case)
    # Red for R2, amber for R1: not what this rule looks for, and far from clear.
    return CLEAR if case.band == _GREEN else OTHER_RULE


def _without_band(case: Case) -> Silent:
    if case.spo2 is None:
        return NOT_GIVEN
    if not case.resting:
        return NOT_APPLICABLE if case.asleep else NOT_AT_REST
    return TOO_LOW_TO_USE


def _amber_severity(case: Case) -> Severity:
    """Medium "awaiting recheck", or high: 3 below usual, breathless, or below amber_at with an answer."""
    answer, baseline, level = case.breathlessness, case.plan.baseline_spo2, case.level or 0
    if baseline is not None and baseline - level >= case.rule_set.drop:
        return Severity.HIGH
    if level == case.limits.amber_at:
        return Severity.HIGH if answer is not None and answer >= case.rule_set.moderate_from else Severity.MEDIUM
    return Severity.MEDIUM if answer is None else Severity.HIGH


def _band_severity(case: Case) -> Severity:
    return Severity.CRITICAL if case.band == _RED else _amber_severity(case)


def _inputs(case: Case) -> tuple[Input, ...]:
    found = []
    if case.measured is not None:
        of = case.measured
        found.append(Input("spo2", case.level, "%", of.id, of.observed_at))
        if of.spo2 != case.level:
            found.append(Input("spo2_as_sent", of.spo2, "%", of.id, of.observed_at))
        if of.quality == Quality.POOR:
            found.append(Input("quality", str(of.quality), "", of.id, of.observed_at))
    if case.answer is not None:
        answer = case.answer
        found.append(Input("breathlessness", answer.breathlessness, "Borg", answer.id, answer.observed_at))
    return tuple(found)


def _limits(case: Case) -> tuple[Limit, ...]:
    limits = (Limit("red_at", case.red_at, "%"), Limit("amber_at", case.limits.amber_at, "%"))
    baseline = case.plan.baseline_spo2
    return limits if baseline is None else (*limits, Limit("baseline_spo2", baseline, "%"))


def _value(finding: Finding) -> str:
    """The measurement with all that weakens it said in the same breath."""
    level = finding.value("spo2")
    text = f"SpO2 {spoken(level)} %"
    if finding.value("spo2_as_sent") is not None:
        text += f" (sent as {spoken(finding.value('spo2_as_sent'))})"
    if finding.value("quality") is not None:
        text += ", poor signal"
    if isinstance(level, int) and level < ACCURATE_FROM:
        text += ", outside device accuracy"
    return text


def _says_red(finding: Finding) -> str:
    if finding.value("red_at") is None:
        return f"{_value(finding)}: too low to be used as a value, and no usable one followed in time."
    return f"{_value(finding)}: at or below the red limit of {spoken(finding.value('red_at'))} %."


def _says_amber(finding: Finding) -> str:
    text = f"{_value(finding)}: at or below the amber limit of {spoken(finding.value('amber_at'))} %."
    return f"{text} Awaiting recheck." if finding.severity == Severity.MEDIUM else text


def _says_silent(finding: Finding) -> str:
    answer = spoken(finding.value("breathlessness"))
    return (
        f"{_value(finding)} with breathlessness only {answer} of 10: silent hypoxia. "
        "The patient may feel well; the number still matters."
    )


def _says_unknown(finding: Finding) -> str:
    return f"{_value(finding)}, and how breathless the patient is has not been answered."


RED = Rule(
    id="R1", name="spo2_red", family=Family.OXYGEN, rank=30, repeats=True, clearing=CLEARED_BY_GREEN,
    source="NHS CO@h: 92 % or less is severe",
    judge=judge_red, inputs=_inputs, limits=_limits, says=_says_red,
)  # fmt: skip
AMBER = Rule(
    id="R2", name="spo2_amber", family=Family.OXYGEN, rank=20, repeats=True, clearing=Clearing(),
    confirmed_severity=Severity.HIGH, source="NHS CO@h: 93-94 % is moderate, recheck within 1 hour",
    judge=judge_amber, inputs=_inputs, limits=_limits, says=_says_amber,
)  # fmt: skip
SILENT_HYPOXIA = Rule(
    id="R3", name="silent_hypoxia", family=Family.OXYGEN, rank=40, repeats=True, clearing=CLEARED_BY_GREEN,
    confirmed_severity=Severity.HIGH,
    source="Brouqui 2021, Berezin 2021 (silent hypoxia); Borg limit: design decision, needs CSO sign-off",
    judge=judge_silent, inputs=_inputs, limits=_limits, says=_says_silent,
)  # fmt: skip
SYMPTOMS_UNKNOWN = Rule(
    id="R4", name="hypoxia_symptoms_unknown", family=Family.OXYGEN, rank=10, repeats=True,
    clearing=CLEARED_BY_GREEN,
    source="Design decision, needs CSO sign-off: a missing answer is never \"none\"",
    judge=judge_unknown, inputs=_inputs, limits=_limits, says=_says_unknown,
)  # fmt: skip
RULES = (RED, AMBER, SILENT_HYPOXIA, SYMPTOMS_UNKNOWN)
