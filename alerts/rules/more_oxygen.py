"""More oxygen than prescribed (R18): a good number bought with more oxygen is not a good number."""

from datetime import timedelta

from alerts.case import Case
from alerts.rule import (
    CLEAR,
    NOT_GIVEN,
    NOT_IN_PLAN,
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


def judge_flow(case: Case) -> Verdict:
    """R18: 1 L/min (or the ward's number) above the prescription, or any oxygen where it says air; in every context."""
    flow, prescribed = case.reading.oxygen_flow, case.plan.prescribed_oxygen_flow
    if prescribed is None:
        return NOT_IN_PLAN
    if flow is None:
        return NOT_GIVEN
    if flow <= prescribed:
        return CLEAR
    if prescribed == 0 or flow >= prescribed + case.rule_set.more_oxygen:
        return Fired(Severity.HIGH)
    return WITHIN_MARGIN


def _inputs(case: Case) -> tuple[Input, ...]:
    return (Input("oxygen_flow", case.reading.oxygen_flow, "L/min", case.reading.id, case.reading.observed_at),)


def _limits(case: Case) -> tuple[Limit, ...]:
    prescribed = Limit("prescribed_oxygen_flow", case.plan.prescribed_oxygen_flow, "L/min")
    return (prescribed, Limit("more", case.rule_set.more_oxygen, "L/min"))


def _says(finding: Finding) -> str:
    flow, prescribed = spoken(finding.value("oxygen_flow")), spoken(finding.value("prescribed_oxygen_flow"))
    return f"On {flow} L/min of oxygen, prescribed {prescribed} L/min."


MORE_OXYGEN = Rule(
    id="R18", name="more_oxygen", family=Family.OXYGEN, rank=15,
    needs_signal=False,
    clearing=Clearing(gap=timedelta(0), any_context=True), source="Design decision, needs CSO sign-off",
    judge=judge_flow, inputs=_inputs, limits=_limits, says=_says,
)  # fmt: skip
RULES = (MORE_OXYGEN,)
