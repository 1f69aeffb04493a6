"""Something is wrong with the measuring or the sending (R0, R19, R20, R21, R24)."""

from datetime import timedelta

from alerts.case import Case
from alerts.reading import FUTURE_TOLERANCE, USABLE_FROM
from alerts.rule import (
    CLEAR,
    NOT_GIVEN,
    Awaited,
    Clearing,
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
from alerts.rule_set import STAND_IN
from alerts.severity import Family, Severity

NEXT_READING = Clearing(count=1, gap=timedelta(0), by_receipt=True)
_AHEAD_AT_MOST = FUTURE_TOLERANCE // timedelta(minutes=1)


def judge_implausible(case: Case) -> Verdict:
    """R0: below 50 % is not used as a value but measured again; if no usable value comes in time, R1 begins."""
    if case.spo2 is None:
        return NOT_GIVEN
    if case.spo2 >= USABLE_FROM:
        return CLEAR
    due_at = case.now + timedelta(minutes=case.rule_set.implausible_minutes)
    return Fired(Severity.HIGH, (Wait("R0", Awaited.VALID_SPO2, due_at, None, False, "R1", _inputs(case)),))


def judge_clock(case: Case) -> Verdict:
    """R19: the time was too far ahead of receipt and has been corrected."""
    return Fired(Severity.MEDIUM) if case.reading.time_corrected else CLEAR


def judge_accepted(_case: Case) -> Verdict:
    """R20 is raised when readings are refused, R24 when an app can send none; whatever is judged clears them."""
    return CLEAR


def judge_evaluated(case: Case) -> Verdict:
    """R21: judged, but not by the ward's own numbers. It is also raised when a reading could not be judged at all. The
    next reading that is judged by the ward's own numbers clears it."""
    return Fired(Severity.HIGH) if case.rule_set.version == STAND_IN.version else CLEAR


def _inputs(case: Case) -> tuple[Input, ...]:
    return (spo2_input(case),)


def _observed(case: Case) -> tuple[Input, ...]:
    return (Input("observed_at", case.reading.observed_at.isoformat(), "", case.reading.id, case.reading.observed_at),)


def _usable(_case: Case) -> tuple[Limit, ...]:
    return (Limit("usable_from", USABLE_FROM, "%"),)


def _ahead(_case: Case) -> tuple[Limit, ...]:
    return (Limit("ahead_at_most", _AHEAD_AT_MOST, "min"),)


def _says_implausible(finding: Finding) -> str:
    return f"SpO2 {spoken(finding.value('spo2'))} %: too low to be used as a value; measure again now."


def _says_clock(_finding: Finding) -> str:
    return f"The sender's clock is more than {_AHEAD_AT_MOST} min ahead: the time of receipt is used."


def _says_refused(_finding: Finding) -> str:
    return "Two readings were refused within 24 h: something is sending and nothing arrives."


def _says_not_evaluated(finding: Finding) -> str:
    if finding.rule_set_version == STAND_IN.version:
        return "The ward's own rules cannot be read: the default rules stand in. Look at the readings yourself."
    return "A reading was kept but could not be assessed: look at it yourself."


def _says_app_lost(_finding: Finding) -> str:
    return (
        "The access of an app of this stay has ended: somebody else may have had it, or it was not used for long. "
        "Nothing comes from it until it is paired again."
    )


IMPLAUSIBLE_LOW = Rule(
    id="R0", name="implausible_low", family=Family.TECHNICAL, rank=30,
    needs_signal=False,
    source="Design decision, needs CSO sign-off: oximeters are unspecified below 70 %",
    judge=judge_implausible, inputs=_inputs, limits=_usable, says=_says_implausible,
)  # fmt: skip
CLOCK = Rule(
    id="R19", name="clock", family=Family.TECHNICAL, rank=10, clearing=NEXT_READING,
    needs_signal=False,
    source="Design decision, needs CSO sign-off",
    judge=judge_clock, inputs=_observed, limits=_ahead, says=_says_clock,
)  # fmt: skip
REFUSED = Rule(
    id="R20", name="refused", family=Family.TECHNICAL, rank=15, clearing=NEXT_READING,
    needs_signal=False,
    source="Design decision, needs CSO sign-off",
    judge=judge_accepted, says=_says_refused,
)  # fmt: skip
NOT_EVALUATED = Rule(
    id="R21", name="not_evaluated", family=Family.TECHNICAL, rank=25, clearing=NEXT_READING,
    needs_signal=False,
    source="Design decision, needs CSO sign-off",
    judge=judge_evaluated, says=_says_not_evaluated,
)  # fmt: skip
APP_LOST = Rule(
    id="R24", name="app_lost", family=Family.TECHNICAL, rank=16, clearing=NEXT_READING,
    needs_signal=False,
    source="Design decision, needs CSO sign-off",
    judge=judge_accepted, says=_says_app_lost,
)  # fmt: skip
RULES = (IMPLAUSIBLE_LOW, CLOCK, REFUSED, NOT_EVALUATED, APP_LOST)
