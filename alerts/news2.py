"""The National Early Warning Score 2, both SpO2 scales (Royal College of Physicians 2017, reproduced with
acknowledgement: National Early Warning Score (NEWS) 2, London: RCP, 2017)."""

from bisect import bisect_left
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from alerts.reading import Consciousness, judged_tenths

PARAMETERS = (
    "respiratory_rate", "spo2", "oxygen", "systolic_bp", "pulse_rate", "consciousness", "temperature",
)  # fmt: skip
_ALL = len(PARAMETERS)

# Upper ends of the chart's columns (included), and the points of each column and of what lies above the last.
_RESPIRATORY_RATE = ((8, 11, 20, 24), (3, 1, 0, 2, 3))
_SPO2_SCALE_1 = ((91, 93, 95), (3, 2, 1, 0))
_SPO2_SCALE_2 = ((83, 85, 87), (3, 2, 1, 0))
_SPO2_SCALE_2_ON_OXYGEN = ((83, 85, 87, 92, 94, 96), (3, 2, 1, 0, 1, 2, 3))
_SYSTOLIC_BP = ((90, 100, 110, 219), (3, 2, 1, 0, 3))
_PULSE_RATE = ((40, 50, 90, 110, 130), (3, 1, 0, 1, 2, 3))
_TEMPERATURE_TENTHS = ((350, 360, 380, 390), (3, 1, 0, 1, 2))
_OXYGEN_POINTS = 2
_ALERT = Consciousness.ALERT


class Risk(StrEnum):
    """The clinical-risk band of a complete score."""

    LOW = "low"
    LOW_MEDIUM = "low_medium"
    MEDIUM = "medium"
    HIGH = "high"


class News2(NamedTuple):
    """A score and how it came about. `total` and `risk` are None unless `complete`; an incomplete set only
    has a `minimum_total` ("at least n") and is never called low."""

    applicable: bool
    scale: int
    scores: Mapping[str, int]
    minimum_total: int

    @property
    def complete(self) -> bool:
        """All seven parameters are known and the score applies to this person."""
        return len(self.scores) == _ALL and self.applicable

    @property
    def missing(self) -> tuple[str, ...]:
        """The parameters that are not known; none where the score does not apply."""
        return tuple(name for name in PARAMETERS if name not in self.scores) if self.applicable else ()

    @property
    def total(self) -> int | None:
        """0-20, or None when incomplete."""
        return self.minimum_total if self.complete else None

    @property
    def threes(self) -> tuple[str, ...]:
        """The parameters that score 3."""
        return tuple(name for name, points in self.scores.items() if points == 3)

    @property
    def any_single_3(self) -> bool:
        """At least one parameter scores 3, which alone asks for an urgent clinical review."""
        return 3 in self.scores.values()

    @property
    def risk(self) -> Risk | None:
        """The chart's band: 7 high, 5-6 medium, a single 3 low-medium, else low; None when incomplete."""
        if not self.complete:
            return None
        if self.minimum_total >= 7:
            return Risk.HIGH
        if self.minimum_total >= 5:
            return Risk.MEDIUM
        return Risk.LOW_MEDIUM if self.any_single_3 else Risk.LOW


def not_applicable(scale: int) -> News2:
    """For people under 16 or pregnant: NEWS2 was not made for them (RCP NEWS2 2017)."""
    return News2(False, scale, {}, 0)


def score(
    *,
    scale: int = 1,
    respiratory_rate: int | None = None,
    spo2: int | None = None,
    on_oxygen: bool | None = None,
    systolic_bp: int | None = None,
    pulse_rate: int | None = None,
    consciousness: Consciousness | None = None,
    temperature: float | None = None,
) -> News2:
    """NEWS2 of what is known; None is missing, never normal. SpO2 is the judged whole percent, the
    temperature degrees Celsius, scale 1 or 2. On scale 2, 93 % and more without knowing about oxygen is a
    missing sub-score."""
    scores: dict[str, int] = {}
    if respiratory_rate is not None:
        scores["respiratory_rate"] = _points(_RESPIRATORY_RATE, respiratory_rate)
    if spo2 is not None and (scale == 1 or spo2 <= 92 or on_oxygen is not None):
        scores["spo2"] = _points(_spo2_chart(scale, on_oxygen), spo2)
    if on_oxygen is not None:
        scores["oxygen"] = _OXYGEN_POINTS if on_oxygen else 0
    if systolic_bp is not None:
        scores["systolic_bp"] = _points(_SYSTOLIC_BP, systolic_bp)
    if pulse_rate is not None:
        scores["pulse_rate"] = _points(_PULSE_RATE, pulse_rate)
    if consciousness is not None:
        scores["consciousness"] = 0 if consciousness == _ALERT else 3
    if temperature is not None:
        scores["temperature"] = _points(_TEMPERATURE_TENTHS, judged_tenths(temperature))
    return News2(True, scale, scores, sum(scores.values()))


def _points(chart: tuple[tuple[int, ...], tuple[int, ...]], value: int) -> int:
    return chart[1][bisect_left(chart[0], value)]


def _spo2_chart(scale: int, on_oxygen: bool | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if scale == 1:
        return _SPO2_SCALE_1
    return _SPO2_SCALE_2_ON_OXYGEN if on_oxygen else _SPO2_SCALE_2
