"""What did not come: readings (R14), rechecks (R15) and a plan that is complete and reviewed (R23). Time alone raises
them; a reading can only clear the first."""

from datetime import timedelta

from alerts.case import Case, Placement
from alerts.rule import (
    CLEAR,
    DECIDED_BY_TIME,
    NOT_GIVEN,
    NOT_VALID,
    Clearing,
    Finding,
    Rule,
    Verdict,
    spoken,
)
from alerts.severity import Family

NO_REVIEW, NO_BASELINE = "review_passed", "no_baseline"
NO_PROFILE, NO_PRESCRIPTION = "no_profile", "no_prescription"
"""What a plan may lack (R23)."""

_LACKS = {
    NO_REVIEW: "The plan's review date ({}) has passed.",
    NO_BASELINE: "The usual SpO2 is still not known {} h after admission.",
    NO_PROFILE: "Oxygen of {} L/min is prescribed without limits of the patient's own: choose a profile.",
    NO_PRESCRIPTION: "The patient is on oxygen, and the plan names no prescription.",
}

_LIVE = Placement.LIVE


def judge_arrived(case: Case) -> Verdict:
    """R14 is cleared by a resting SpO2 on a signal that is not poor, of the last 24 h, and by nothing else."""
    if case.reading.spo2 is None:
        return NOT_GIVEN
    usable = case.placement == _LIVE and case.reading.counts_for_spo2
    return CLEAR if usable else NOT_VALID


def judge_by_time(_case: Case) -> Verdict:
    """R15 and R23 do not look at a reading."""
    return DECIDED_BY_TIME


def _says_missed(finding: Finding) -> str:
    hours, slot = finding.value("silent_for"), finding.value("slot")
    if hours is not None:
        return f"No usable resting SpO2 for {spoken(hours)} h, since {spoken(finding.value('since'))}."
    text = f"No usable resting SpO2 for the reading of {slot}, {spoken(finding.value('empty_for'))} h after its time"
    if finding.value("in_a_row") is not None:
        text += ", nor for the one before it"
    if finding.value("open_alert") is not None:
        text += ", while a low value is an open alert"
    elif finding.value("last_spo2") is not None:
        text += f", and the last value was {spoken(finding.value('last_spo2'))} %"
    return f"{text}."


def _says_recheck(_finding: Finding) -> str:
    return "No recheck came in time."


def _says_lacking(finding: Finding) -> str:
    return " ".join(_LACKS[item.name].format(spoken(item.value)) for item in finding.inputs)


MISSED_READING = Rule(
    id="R14", name="missed_reading", family=Family.MISSED_READING, rank=10,
    clearing=Clearing(count=1, gap=timedelta(0), by_receipt=True), needs_signal=False,
    source="Dorset CovidCare@Home, Telescot TeleCOVID (those who send nothing are telephoned); "
    "times: design decision, need CSO sign-off",
    judge=judge_arrived, says=_says_missed,
)  # fmt: skip
MISSED_RECHECK = Rule(
    id="R15", name="missed_recheck", family=Family.OXYGEN, rank=5,
    source="Design decision, needs CSO sign-off: who was asked to measure again and did not is not better",
    judge=judge_by_time, says=_says_recheck,
)  # fmt: skip
REVIEW_DUE = Rule(
    id="R23", name="review_due", family=Family.PLAN, rank=10, needs_signal=False, clearing=Clearing(by_human=True),
    source="Design decision, needs CSO sign-off",
    judge=judge_by_time, says=_says_lacking,
)  # fmt: skip
RULES = (MISSED_READING, MISSED_RECHECK, REVIEW_DUE)
