"""Worse than before though the oximeter is green (R11): worse than yesterday, or more breathless than usual. Each is a
rule of its own: an answer about breathlessness does not answer how the person feels."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from alerts.band import Band
from alerts.case import Case
from alerts.reading import Feeling
from alerts.rule import (
    CLEAR,
    NOT_AT_REST,
    NOT_GIVEN,
    OTHER_RULE,
    Clearing,
    Finding,
    Fired,
    Input,
    Limit,
    Rule,
    Verdict,
    spoken,
)
from alerts.rules.symptoms import answer_inputs, usual_breathlessness
from alerts.severity import Family, Severity

TWO_ANSWERS = Clearing(gap=timedelta(0), any_context=True)

_WORSE = Feeling.WORSE
_DAY = timedelta(days=1)
_TWO_DAYS = timedelta(days=2)


def judge_feeling(case: Case) -> Verdict:
    """R11: worse than yesterday; the second day running weighs more. In every context."""
    feeling = case.reading.feeling
    if feeling is None:
        return NOT_GIVEN
    if feeling != _WORSE:
        return CLEAR
    if case.band in (Band.RED, Band.AMBER):
        return OTHER_RULE
    return Fired(Severity.MEDIUM if _worse_the_day_before(case) else Severity.LOW)


def judge_rise(case: Case) -> Verdict:
    """R11: more breathless at rest than is usual for this person, though SpO2 is green."""
    answer = case.reading.breathlessness
    if answer is None:
        return NOT_GIVEN
    if not (case.resting or case.asleep):
        return NOT_AT_REST
    if answer < case.rule_set.worse_rise:
        return CLEAR
    usual = usual_breathlessness(case)
    if usual is None or answer < usual + case.rule_set.worse_rise:
        return CLEAR
    return OTHER_RULE if case.band in (Band.RED, Band.AMBER) else Fired(Severity.MEDIUM)


def _worse_the_day_before(case: Case) -> bool:
    """By the ward's calendar: this morning after yesterday evening is the second day running."""
    zone = ZoneInfo(case.zone)
    yesterday = case.reading.observed_at.astimezone(zone).date() - _DAY
    return any(
        reading.feeling == _WORSE and reading.observed_at.astimezone(zone).date() == yesterday
        for reading in case.earlier(_TWO_DAYS)
    )


def _feeling(case: Case) -> tuple[Input, ...]:
    reading = case.reading
    return (Input("feeling", reading.feeling and str(reading.feeling), "", reading.id, reading.observed_at),)


def _rise_limits(case: Case) -> tuple[Limit, ...]:
    usual = Limit("usual_breathlessness", usual_breathlessness(case), "Borg")
    return (usual, Limit("worse_rise", case.rule_set.worse_rise, "Borg"))


def _says_feeling(finding: Finding) -> str:
    again = ", the second day running" if finding.severity == Severity.MEDIUM else ""
    return f"The patient feels worse than yesterday{again}, though SpO2 is not low."


def _says_rise(finding: Finding) -> str:
    answer, usual = spoken(finding.value("breathlessness")), spoken(finding.value("usual_breathlessness"))
    return f"Breathlessness {answer} of 10, usually {usual}, though SpO2 is not low."


WORSE = Rule(
    id="R11", name="worsening", family=Family.SYMPTOMS, aspect="feeling", rank=5, clearing=TWO_ANSWERS,
    needs_signal=False,
    source="NHS virtual-ward diaries (worse than yesterday); NHS 111 breathlessness questions",
    judge=judge_feeling, inputs=_feeling, says=_says_feeling,
)  # fmt: skip
MORE_BREATHLESS = Rule(
    id="R11", name="worsening", family=Family.SYMPTOMS, aspect="breathlessness", rank=6, clearing=TWO_ANSWERS,
    needs_signal=False,
    source="NHS 111 breathlessness questions: change counts; 2 points a design decision, needs CSO sign-off",
    judge=judge_rise, inputs=answer_inputs, limits=_rise_limits, says=_says_rise,
)  # fmt: skip
RULES = (WORSE, MORE_BREATHLESS)
