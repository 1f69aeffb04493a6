"""One set of observations at one instant: its vocabulary, what can be a value at all, and how values are
judged."""

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

FUTURE_TOLERANCE = timedelta(minutes=5)
"""A reading dated further ahead of its receipt is kept and its time corrected (design decision, needs CSO
sign-off)."""

LATE_AFTER = timedelta(minutes=60)
"""Older than this at receipt is called late: the age at which an observation stops being current
(design decision, needs CSO sign-off)."""

STALE_AFTER = timedelta(hours=24)
"""The newest reading, but older than this at receipt, asks for a telephone call (design decision, needs CSO
sign-off)."""

USABLE_FROM = 50
"""SpO2 in percent: lower is not used as a value but measured again (design decision, needs CSO sign-off)."""

_SURELY_USABLE = USABLE_FROM + 1
"""Usable however it is rounded: a quick answer for most of the readings of a window."""

ACCURATE_FROM = 70
"""SpO2 in percent: oximeters state no accuracy below it (ISO 80601-2-61 devices are specified for 70-100
%)."""

LIMITS: dict[str, tuple[float, float]] = {
    "spo2": (0, 100),
    "pulse_rate": (20, 250),
    "respiratory_rate": (3, 60),
    "systolic_bp": (50, 300),
    "diastolic_bp": (20, 200),
    "temperature": (30.0, 43.0),
    "oxygen_flow": (0, 60),
    "breathlessness": (0, 10),
    "perfusion_index": (0, 30),
}
"""What can be a value at all, lowest and highest, both included. Breathlessness goes in halves, the pulse,
breathing rate and pressures are whole numbers (design decision, needs CSO sign-off)."""


class Context(StrEnum):
    """What the person was doing while it was measured."""

    REST = "rest"
    SLEEP = "sleep"
    UNKNOWN = "unknown"
    POST_EXERTION_40_STEPS = "post_exertion_40_steps"
    POST_EXERTION_1_MIN_SIT_TO_STAND = "post_exertion_1_min_sit_to_stand"


class Consciousness(StrEnum):
    """ACVPU (RCP NEWS2 2017). `confusion` is new confusion only."""

    ALERT = "alert"
    CONFUSION = "confusion"
    VOICE = "voice"
    PAIN = "pain"
    UNRESPONSIVE = "unresponsive"


class Feeling(StrEnum):
    """Compared with yesterday."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


class Symptom(StrEnum):
    """Red flags: each alone is an emergency (NHS CO@h; NHS 111 breathlessness questions)."""

    CANNOT_FINISH_SENTENCES = "cannot_finish_sentences"
    SERIOUSLY_ILL = "seriously_ill"
    CHEST_PAIN = "chest_pain"
    NEW_CONFUSION = "new_confusion"
    BLUE_LIPS = "blue_lips"
    COLLAPSE = "collapse"
    COUGHING_BLOOD = "coughing_blood"
    VERY_DROWSY = "very_drowsy"
    SUDDENLY_WORSE = "suddenly_worse"
    COLD_SWEATY_PALE = "cold_sweaty_pale"
    RASH = "rash"
    NOT_PASSING_URINE = "not_passing_urine"


class Quality(StrEnum):
    """How far the oximeter's signal can be trusted. Only poor opens without confirming or clearing."""

    GOOD = "good"
    FAIR = "fair"
    UNKNOWN = "unknown"
    POOR = "poor"


class SignalQuality(StrEnum):
    """What the device itself says about its signal."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Source(StrEnum):
    """How the reading came in."""

    APP = "app"
    WEB = "web"
    DEVICE = "device"
    STAFF = "staff"
    PHONE = "phone"
    SMS = "sms"


_REST, _POOR = Context.REST, Quality.POOR
_SAYS_POOR, _SAYS_FAIR = SignalQuality.POOR, SignalQuality.FAIR
_GOOD = Quality.GOOD
"""Looked up once: in Python 3.11 reaching a member of an enum costs more than comparing with it."""


class Reading(NamedTuple):
    """What was observed. SpO2 in percent, rates per minute, pressures in mmHg, temperature in degrees
    Celsius, oxygen flow in L/min (0 is room air, None not said), breathlessness Borg 0-10 (None not asked).

    `observed_at` and `received_at` are aware instants; a time too far ahead was already set to the receipt
    and is marked `time_corrected`. `symptoms` is None when nobody asked and empty when there are none. `answers` is the
    id of the reading whose question this one answers, and carries no measurement.

    A named tuple, for a dozen are made for each that is judged, at a sixth of what a frozen dataclass costs.
    """

    id: str
    observed_at: datetime
    received_at: datetime
    spo2: float | None = None
    pulse_rate: int | None = None
    respiratory_rate: int | None = None
    systolic_bp: int | None = None
    diastolic_bp: int | None = None
    temperature: float | None = None
    consciousness: Consciousness | None = None
    oxygen_flow: float | None = None
    context: Context = Context.REST
    breathlessness: float | None = None
    feeling: Feeling | None = None
    symptoms: tuple[Symptom, ...] | None = None
    quality: Quality = Quality.UNKNOWN
    time_corrected: bool = False
    answers: str | None = None

    @property
    def counts_for_spo2(self) -> bool:
        """A usable SpO2, at rest and not poor: the only kind that confirms, clears, or is "the newest"."""
        spo2 = self.spo2
        if spo2 is None or self.context != _REST or self.quality == _POOR:
            return False
        return spo2 >= _SURELY_USABLE or judged_spo2(spo2) >= USABLE_FROM


def quality_of(perfusion_index: float | None, signal_quality: SignalQuality | None) -> Quality:
    """The worse of what the perfusion index (percent) and the device say; unknown when neither says anything.

    Below 0.4 poor, below 0.6 fair (design decision after the perfusion-index literature, needs CSO sign-off).
    """
    if signal_quality == _SAYS_POOR or (perfusion_index is not None and perfusion_index < 0.4):
        return Quality.POOR
    if signal_quality == _SAYS_FAIR or (perfusion_index is not None and perfusion_index < 0.6):
        return Quality.FAIR
    if signal_quality is None and perfusion_index is None:
        return Quality.UNKNOWN
    return _GOOD


def judged_spo2(value: float, *, scale2_on_oxygen: bool = False) -> int:
    """The nearest whole percent; a tie goes to the abnormal side: down, but up above 92 on scale 2 with
    oxygen.

    RCP NEWS2 2017 is defined on whole numbers; the rounding is a design decision, needs CSO sign-off.
    Adding or taking a half is exact in binary here, so 92.5 is a tie and 92.50000000000001 is not. Raises
    ValueError or OverflowError for NaN and infinity.
    """
    if scale2_on_oxygen and value > 92:
        return math.floor(value + 0.5)
    return math.ceil(value - 0.5)


def judged_tenths(value: float) -> int:
    """The temperature to the nearest tenth of a degree, counted in tenths: a whole number compares exactly. A tie goes
    away from 37 °C. Raises ValueError or OverflowError for NaN and infinity.

    A value written in tenths needs no arithmetic; only a finer one pays for decimal digits (38.05 is no binary number).
    """
    tenths = round(value * 10)
    if tenths / 10 == value:
        return tenths
    rounding = ROUND_HALF_UP if value > 37 else ROUND_HALF_DOWN
    return int((Decimal(repr(value)) * 10).quantize(Decimal(1), rounding))
