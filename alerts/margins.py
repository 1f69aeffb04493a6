"""How far a reading was from what a rule looks for: the nearest comparison of each rule, as numbers."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from alerts.rule import Input, Limit, Rule


class Comparison(StrEnum):
    """On which side of its limit a rule fires, and whether the limit itself counts."""

    AT_OR_BELOW = "at_or_below"
    BELOW = "below"
    AT_OR_ABOVE = "at_or_above"
    ABOVE = "above"


class Margin(NamedTuple):
    """What was observed and the limit it was compared with, both in `unit`. `distance`: how far the value lies on
    the quiet side of the limit; negative beyond it."""

    name: str
    observed: float
    comparison: Comparison
    limit: float
    unit: str
    distance: float


_Inputs = tuple[Input, ...]
_Limits = tuple[Limit, ...]
Measure = Callable[[_Inputs, _Limits], Margin | None]

_NUMBER = (int, float)
_AT_OR_BELOW, _BELOW = Comparison.AT_OR_BELOW, Comparison.BELOW
_AT_OR_ABOVE, _ABOVE = Comparison.AT_OR_ABOVE, Comparison.ABOVE


def measure_of(rule: Rule) -> Measure:
    """What tells the nearest comparison the rule made, from its inputs and limits: None where it compared no numbers,
    but a word, or nothing for want of a value."""
    return _MEASURES.get(rule.id, _no_number)


def _number(items: _Inputs | _Limits, name: str) -> float | None:
    """The value of that name, if it is a number. There are two or three: looking is quicker than a table."""
    for item in items:
        if item.name == name:
            value = item.value
            return value if isinstance(value, _NUMBER) else None
    return None


def _no_number(_inputs: _Inputs, _limits: _Limits) -> None:
    return None


def _margin(inputs: _Inputs, name: str, observed: float, comparison: Comparison, limit: float) -> Margin:
    first = inputs[0]
    unit = first.unit if first.name == name else next(item.unit for item in inputs if item.name == name)
    downward = comparison is _AT_OR_BELOW or comparison is _BELOW
    distance = observed - limit if downward else limit - observed
    return Margin(name, observed, comparison, limit, unit, round(distance, 2))


def _against(name: str, comparison: Comparison, limit: str) -> Measure:
    def measure(inputs: _Inputs, limits: _Limits) -> Margin | None:
        value, bound = _number(inputs, name), _number(limits, limit)
        return None if value is None or bound is None else _margin(inputs, name, value, comparison, bound)

    return measure


def _from_usual(name: str, usual: str, comparison: Comparison, by: str) -> Measure:
    """R5, R11 and R12 compare with what is usual, so much lower or higher."""
    sign = 1 if comparison is _AT_OR_ABOVE else -1

    def measure(inputs: _Inputs, limits: _Limits) -> Margin | None:
        value, bound, away = _number(inputs, name), _number(limits, usual), _number(limits, by)
        if value is None or bound is None or away is None:
            return None
        return _margin(inputs, name, value, comparison, bound + sign * away)

    return measure


def _after_exertion(inputs: _Inputs, limits: _Limits) -> Margin | None:
    """R8 fires at the red limit, or sooner if the resting value was high."""
    value, red_at, fall = _number(inputs, "spo2"), _number(limits, "red_at"), _number(limits, "fall")
    if value is None or red_at is None or fall is None:
        return None
    fallen = (_number(inputs, "spo2_at_rest") or 0) - fall
    return _margin(inputs, "spo2", value, _AT_OR_BELOW, max(red_at, fallen))


def _range(inputs: _Inputs, limits: _Limits) -> Margin | None:
    """R13 fires at either end; the nearer one is told."""
    name = inputs[0].name
    value, low_at, high_at = _number(inputs, name), _number(limits, "low_at"), _number(limits, "high_at")
    if value is None or low_at is None or high_at is None:
        return None
    if value - low_at < high_at - value:
        return _margin(inputs, name, value, _AT_OR_BELOW, low_at)
    return _margin(inputs, name, value, _AT_OR_ABOVE, high_at)


def _flow(inputs: _Inputs, limits: _Limits) -> Margin | None:
    """R18: where the plan says air, any oxygen is more."""
    name = "oxygen_flow"
    value, prescribed, more = _number(inputs, name), _number(limits, "prescribed_oxygen_flow"), _number(limits, "more")
    if value is None or prescribed is None or more is None:
        return None
    if prescribed == 0:
        return _margin(inputs, name, value, _ABOVE, 0)
    return _margin(inputs, name, value, _AT_OR_ABOVE, prescribed + more)


_AMBER = _against("spo2", _AT_OR_BELOW, "amber_at")
_SCORE = _against("news2", _AT_OR_ABOVE, "urgent_from")
_MEASURES: dict[str, Measure] = {
    "R0": _against("spo2", _BELOW, "usable_from"),
    "R1": _against("spo2", _AT_OR_BELOW, "red_at"),
    "R2": _AMBER,
    "R3": _AMBER,
    "R4": _AMBER,
    "R5": _from_usual("spo2", "baseline_spo2", _AT_OR_BELOW, "drop"),
    "R6": _against("spo2", _BELOW, "target_low"),
    "R7": _against("spo2", _AT_OR_ABOVE, "too_high_from"),
    "R8": _after_exertion,
    "R9": _SCORE,
    "R9b": _SCORE,
    "R10b": _against("breathlessness", _AT_OR_ABOVE, "high_from"),
    "R11": _from_usual("breathlessness", "usual_breathlessness", _AT_OR_ABOVE, "worse_rise"),
    "R12": _from_usual("spo2", "baseline_spo2", _AT_OR_BELOW, "below_usual"),
    "R13": _range,
    "R16": _against("poor_readings", _AT_OR_ABOVE, "poor_in_a_row"),
    "R18": _flow,
}
