"""Just after exertion (R8): a fall from rest, or a value that would be red at rest. It adds concern and never takes
any away: such a reading confirms and clears nothing and feeds neither baseline nor trend."""

from datetime import timedelta

from alerts.band import Band
from alerts.case import Case, judged
from alerts.reading import USABLE_FROM, Reading
from alerts.rule import (
    ANSWER_ALONE,
    CLEAR,
    NOT_APPLICABLE,
    NOT_AT_REST,
    NOT_GIVEN,
    OTHER_RULE,
    TOO_LOW_TO_USE,
    Awaited,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Verdict,
    Wait,
    spo2_input,
    spoken,
)
from alerts.severity import Family, Severity

_GREEN = Band.GREEN


def judge_exertion(case: Case) -> Verdict:
    """R8: medium for a fall from rest, high at or below red_at; critical if no resting value follows that."""
    if case.resting or case.asleep:
        return _at_rest(case)
    if case.spo2 is None:
        return NOT_GIVEN
    if case.spo2 < USABLE_FROM:
        return TOO_LOW_TO_USE
    if case.spo2 <= case.red_at:
        due_at = case.now + timedelta(minutes=case.rule_set.rest_minutes)
        return Fired(Severity.HIGH, (Wait("R8", Awaited.RECHECK, due_at, Severity.CRITICAL),))
    rest = _rest_before(case)
    if rest is not None and judged(rest, case.plan) - case.spo2 >= case.rule_set.exertion_fall:
        return Fired(Severity.MEDIUM)
    return NOT_AT_REST


def _at_rest(case: Case) -> Verdict:
    """Only green values at rest clear what exertion showed."""
    if case.carried:
        return ANSWER_ALONE
    if case.asleep or case.band is None:
        return NOT_APPLICABLE
    return CLEAR if case.band == _GREEN else OTHER_RULE


def _rest_before(case: Case) -> Reading | None:
    session = timedelta(minutes=case.rule_set.exertion_session_minutes)
    return next((reading for reading in case.earlier(session) if reading.counts_for_spo2), None)


def _inputs(case: Case) -> tuple[Input, ...]:
    after, rest = spo2_input(case), _rest_before(case)
    if rest is None:
        return (after,)
    return (after, Input("spo2_at_rest", judged(rest, case.plan), "%", rest.id, rest.observed_at))


def _limits(case: Case) -> tuple[Limit, ...]:
    return (Limit("red_at", case.red_at, "%"), Limit("fall", case.rule_set.exertion_fall, "percentage points"))


def _says(finding: Finding) -> str:
    after, rest = spoken(finding.value("spo2")), finding.value("spo2_at_rest")
    if finding.severity > Severity.MEDIUM:
        return f"SpO2 {after} % after exertion: at or below the red limit of {spoken(finding.value('red_at'))} %."
    fall = spoken(finding.value("fall"))
    return f"SpO2 {after} % after exertion, {fall} or more below the {spoken(rest)} % at rest just before."


EXERTION_FALL = Rule(
    id="R8", name="exertion_desaturation", family=Family.OXYGEN, rank=12,
    source="Wessex LMCs: a fall of 3 or more from rest; Goodacre 2020 (weak evidence: adds concern only)",
    judge=judge_exertion, inputs=_inputs, limits=_limits, says=_says,
)  # fmt: skip
RULES = (EXERTION_FALL,)
