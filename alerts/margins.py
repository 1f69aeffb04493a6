"""How far a reading was from what a rule looks for: the nearest comparison of each rule, as numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from alerts.rule import Input, Limit, Rule


class Comparison(StrEnum):
    """On which side of its limit a rule fires, and whether the limit itself counts."""

    AT_OR_BELOW = "at_or_below"
    BELOW = "below"
    AT_OR_ABOVE = "at_or_above"
    ABOVE = "above"


_DOWNWARD = (Comparison.AT_OR_BELOW, Comparison.BELOW)


class Margin(NamedTuple):
    """What was observed and the limit it was compared with, both in `unit`. `distance`: how far the value lies on
    the quiet side of the limit; negative beyond it."""

    name: str
    observed: float
    comparison: Comparison
    limit: float
    unit: str
    distance: float


_Numbers = Mapping[str, float]
_Measure = Callable[[_Numbers, _Numbers], "tuple[str, Comparison, float] | None"]
"""From the inputs and the limits by name: which input was compared, how, and with what number."""


def margin(rule: Rule, inputs: Sequence[Input], limits: Sequence[Limit]) -> Margin | None:
    """The nearest comparison the rule made, or None where it compared no numbers: a word, a missing value."""
    measure = _MEASURES.get(rule.id)
    if measure is None:
        return None
    values = _numbers(inputs)
    found = measure(values, _numbers(limits))
    if found is None:
        return None
    name, comparison, limit = found
    observed = values[name]
    distance = observed - limit if comparison in _DOWNWARD else limit - observed
    unit = next(item.unit for item in inputs if item.name == name)
    return Margin(name, observed, comparison, limit, unit, round(distance, 2))


def measured_rules() -> frozenset[str]:
    """The ids of the rules that compare a number with a limit."""
    return frozenset(_MEASURES)


def _numbers(items: Iterable[Input | Limit]) -> dict[str, float]:
    found = dict[str, float]()
    for item in items:
        value = item.value
        if value is not None and not isinstance(value, str):
            found[item.name] = value
    return found


def _against(name: str, comparison: Comparison, limit: str) -> _Measure:
    def measure(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
        return (name, comparison, limits[limit]) if name in values and limit in limits else None

    return measure


def _drop(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
    """R5 fires `drop` points below the usual value."""
    if "spo2" not in values or "baseline_spo2" not in limits:
        return None
    return "spo2", Comparison.AT_OR_BELOW, limits["baseline_spo2"] - limits["drop"]


def _rise(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
    """R11 fires `worse_rise` points above what is usual."""
    if "breathlessness" not in values or "usual_breathlessness" not in limits:
        return None
    return "breathlessness", Comparison.AT_OR_ABOVE, limits["usual_breathlessness"] + limits["worse_rise"]


def _trend(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
    """R12: what the latest value would have to be, if those before it fell too."""
    if "spo2" not in values or "baseline_spo2" not in limits:
        return None
    return "spo2", Comparison.AT_OR_BELOW, limits["baseline_spo2"] - limits["below_usual"]


def _after_exertion(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
    """R8 fires at the red limit, or sooner if the resting value was high."""
    if "spo2" not in values:
        return None
    fallen = values.get("spo2_at_rest", 0) - limits["fall"]
    return "spo2", Comparison.AT_OR_BELOW, max(limits["red_at"], fallen)


def _range(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
    """R13 fires at either end; the nearer one is told."""
    if not values:
        return None
    name, value = next(iter(values.items()))
    if value - limits["low_at"] < limits["high_at"] - value:
        return name, Comparison.AT_OR_BELOW, limits["low_at"]
    return name, Comparison.AT_OR_ABOVE, limits["high_at"]


def _flow(values: _Numbers, limits: _Numbers) -> tuple[str, Comparison, float] | None:
    """R18: where the plan says air, any oxygen is more."""
    if "oxygen_flow" not in values or "prescribed_oxygen_flow" not in limits:
        return None
    prescribed = limits["prescribed_oxygen_flow"]
    if prescribed == 0:
        return "oxygen_flow", Comparison.ABOVE, 0
    return "oxygen_flow", Comparison.AT_OR_ABOVE, prescribed + limits["more"]


_AMBER = _against("spo2", Comparison.AT_OR_BELOW, "amber_at")
_SCORE = _against("news2", Comparison.AT_OR_ABOVE, "urgent_from")
_MEASURES: dict[str, _Measure] = {
    "R0": _against("spo2", Comparison.BELOW, "usable_from"),
    "R1": _against("spo2", Comparison.AT_OR_BELOW, "red_at"),
    "R2": _AMBER,
    "R3": _AMBER,
    "R4": _AMBER,
    "R5": _drop,
    "R6": _against("spo2", Comparison.BELOW, "target_low"),
    "R7": _against("spo2", Comparison.AT_OR_ABOVE, "too_high_from"),
    "R8": _after_exertion,
    "R9": _SCORE,
    "R9b": _SCORE,
    "R10b": _against("breathlessness", Comparison.AT_OR_ABOVE, "high_from"),
    "R11": _rise,
    "R12": _trend,
    "R13": _range,
    "R16": _against("poor_readings", Comparison.AT_OR_ABOVE, "poor_in_a_row"),
    "R18": _flow,
}
