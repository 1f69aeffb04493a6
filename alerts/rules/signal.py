"""The oximeter cannot be trusted for some time (R16): somebody has to help with the device or the finger."""

from alerts.case import Case
from alerts.reading import Quality
from alerts.rule import CLEAR, NOT_ENOUGH, NOT_GIVEN, Clearing, Finding, Fired, Input, Limit, Rule, Verdict, spoken
from alerts.severity import Family, Severity

_POOR = Quality.POOR


def judge_signal(case: Case) -> Verdict:
    """R16: poor signals in a row, in every context; what brings no SpO2 is no signal."""
    if case.reading.spo2 is None:
        return NOT_GIVEN
    if case.reading.quality != _POOR:
        return CLEAR
    return Fired(Severity.MEDIUM) if _run(case) >= case.rule_set.poor_in_a_row else NOT_ENOUGH


def _run(case: Case) -> int:
    """How many readings in a row that brought an SpO2 were poor, counted as far as it matters. What was observed
    after this one and came before it counts too: the one that comes last need not be the last of the row."""
    run = int(case.reading.quality == _POOR)
    for neighbours in (case.earlier(), case.later) if run else ():
        for reading in neighbours:
            if run >= case.rule_set.poor_in_a_row or (reading.spo2 is not None and reading.quality != _POOR):
                break
            run += reading.spo2 is not None
    return run


def _inputs(case: Case) -> tuple[Input, ...]:
    reading = case.reading
    if reading.spo2 is None:
        return ()
    quality = Input("quality", str(reading.quality), "", reading.id, reading.observed_at)
    return (quality, Input("poor_readings", _run(case), "readings", reading.id, reading.observed_at))


def _limits(case: Case) -> tuple[Limit, ...]:
    return (Limit("poor_in_a_row", case.rule_set.poor_in_a_row, "readings"),)


def _says(finding: Finding) -> str:
    run = spoken(finding.value("poor_in_a_row"))
    return f"{run} readings in a row with a poor signal: ring the patient; another finger, a warm hand, a new device."


QUALITY_POOR = Rule(
    id="R16", name="quality_poor", family=Family.TECHNICAL, rank=5, clearing=Clearing(any_context=True),
    needs_signal=False,
    source="Design decision, needs CSO sign-off: perfusion-index literature",
    judge=judge_signal, inputs=_inputs, limits=_limits, says=_says,
)  # fmt: skip
RULES = (QUALITY_POOR,)
