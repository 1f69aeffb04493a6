"""One vital sign far out of its range (R13). Each parameter is a rule of its own: a normal pulse never
clears an abnormal breathing rate."""

from collections.abc import Callable
from dataclasses import dataclass

from alerts.case import Case
from alerts.reading import Reading, judged_tenths
from alerts.rule import CLEAR, NOT_AT_REST, NOT_GIVEN, Finding, Fired, Input, Limit, Rule, Verdict, spoken
from alerts.severity import Family, Severity


@dataclass(frozen=True, slots=True)
class Range:
    """Abnormal at or below `low` and at or above `high`. `exertion_raises`: a high value just after effort
    says nothing. `scale` is how many of the whole numbers compared make one unit (10 for tenths of a
    degree)."""

    parameter: str
    low: int
    high: int
    unit: str
    severity: Severity
    measure: Callable[[Reading], int | None]
    exertion_raises: bool = False
    scale: int = 1


def _tenths(reading: Reading) -> int | None:
    return None if reading.temperature is None else judged_tenths(reading.temperature)


RANGES = (
    Range("respiratory_rate", 8, 25, "/min", Severity.HIGH, lambda r: r.respiratory_rate, exertion_raises=True),
    Range("pulse_rate", 40, 131, "/min", Severity.HIGH, lambda r: r.pulse_rate, exertion_raises=True),
    Range("systolic_bp", 90, 220, "mmHg", Severity.HIGH, lambda r: r.systolic_bp),
    Range("temperature", 350, 391, "°C", Severity.MEDIUM, _tenths, scale=10),
)
"""RCP NEWS2 2017, the outermost column of each parameter (temperature 39.1: the outer one on the warm
side)."""


def out_of_range(case: Case, parameter: str) -> bool:
    """Does R13 fire for this parameter of the reading?"""
    return any(type(_judge(case, r)) is Fired for r in RANGES if r.parameter == parameter)


def _judge(case: Case, limits: Range) -> Verdict:
    value = limits.measure(case.reading)
    if value is None:
        return NOT_GIVEN
    if limits.low < value < limits.high:
        return CLEAR
    if value >= limits.high and limits.exertion_raises and not (case.resting or case.asleep):
        return NOT_AT_REST
    return Fired(limits.severity)


def _rule(limits: Range) -> Rule:
    def judge(case: Case) -> Verdict:
        return _judge(case, limits)

    def inputs(case: Case) -> tuple[Input, ...]:
        value = limits.measure(case.reading)
        judged = value if value is None or limits.scale == 1 else value / limits.scale
        return (Input(limits.parameter, judged, limits.unit, case.reading.id, case.reading.observed_at),)

    low, high = (bound if limits.scale == 1 else bound / limits.scale for bound in (limits.low, limits.high))
    both = (Limit("low_at", low, limits.unit), Limit("high_at", high, limits.unit))

    def bounds(_case: Case) -> tuple[Limit, ...]:
        return both

    return Rule(
        id="R13", name="vitals", family=Family.VITALS, aspect=limits.parameter,
        source="RCP NEWS2 2017 bands", judge=judge, inputs=inputs, limits=bounds, says=_says,
    )  # fmt: skip


def _says(finding: Finding) -> str:
    measured = finding.inputs[0]
    low, high = spoken(finding.value("low_at")), spoken(finding.value("high_at"))
    name = finding.aspect.replace("_", " ").capitalize()
    value = f"{name} {spoken(measured.value)} {measured.unit}"
    return f"{value}: at or below {low} or at or above {high}. Repeat it once."


RULES = tuple(_rule(limits) for limits in RANGES)
