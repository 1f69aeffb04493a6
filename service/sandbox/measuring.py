"""From the truth to what an oximeter shows and an app sends: noise, whole numbers, bad signals and clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from service.sandbox.kinds import Habits, Kind
from service.sandbox.physiology import TrueState

NOISE = 0.8
"""Standard deviation of the demonstration's steady oximeters, SpO2 points."""

NOISE_AT_HOME = (1.0, 2.0)
"""The range of it at home, by device (CLINICAL.md, section 5)."""

BAD_SIGNAL_NOISE = 3.0
NO_VALUE = 127
"""What a PLX oximeter's byte holds while it has no value; an app that sends it has a fault."""

AHEAD = timedelta(minutes=47)
"""By how much the wrong clock is fast."""


@dataclass(frozen=True, slots=True)
class Oximeter:
    """One device. `bias` is in SpO2 points; `cold` a finger it sees badly; `ahead` how fast its clock is; `noise` its
    standard deviation in SpO2 points while the signal is good."""

    serial: str
    model: str
    bias: float
    cold: bool
    ahead: timedelta
    faulty: bool
    noise: float = NOISE


def make_oximeter(kind: Kind, index: int, random: Random) -> Oximeter:
    """The oximeter that a patient of that kind was given."""
    skewed = kind == Kind.CLOCK_SKEWED
    return Oximeter(
        serial=f"SIM-{index:04d}",
        model=random.choice(("PO-1", "PO-2", "FingerClip 300")),
        bias=random.uniform(-0.4, 0.4),
        cold=kind == Kind.POOR_PERFUSION,
        ahead=AHEAD if skewed else timedelta(0),
        faulty=skewed,
    )


def measure(truth: TrueState, device: Oximeter, habits: Habits, at: datetime, random: Random) -> dict[str, Any]:
    """The body of a reading, as the API takes it, without stay and id: whole numbers, as displayed.

    `at` is the true time; the body carries the device's."""
    by_hand = random.random() < habits.by_hand
    perfusion = random.uniform(0.15, 0.75) if device.cold else random.lognormvariate(0.9, 0.4)
    noise = BAD_SIGNAL_NOISE if perfusion < 0.4 else device.noise
    low_artefact = random.uniform(0, 6) if perfusion < 0.4 else 0.0
    shown = round(truth.spo2 + device.bias + random.gauss(0, noise) - low_artefact)
    if device.cold and random.random() < 0.05:
        shown = random.randint(38, 48)
    body: dict[str, Any] = {
        "observed_at": (at + device.ahead).isoformat(),
        "spo2": min(100, shown),
        "pulse_rate": round(truth.pulse_rate + random.gauss(0, 2)),
        "source": "web" if by_hand else "app",
    }
    if not by_hand:
        body["perfusion_index"] = round(perfusion, 2)
        body["signal_quality"] = "good" if perfusion >= 0.6 else "fair" if perfusion >= 0.4 else "poor"
        body["device"] = {"id": device.serial, "model": device.model}
    body |= _flow(truth, random) | _told(truth, habits, random)
    if random.random() < habits.full_set:
        body |= _rest_of_news2(truth, random)
    elif random.random() < 0.4:
        body["respiratory_rate"] = round(truth.respiratory_rate + random.gauss(0, 1))
    return body


def breathlessness(truth: TrueState, random: Random) -> float:
    """Borg, in halves, as the patient would say it now."""
    said = truth.breathlessness + random.gauss(0, 0.3)
    return min(10.0, max(0.0, round(said * 2) / 2))


def _flow(truth: TrueState, random: Random) -> dict[str, Any]:
    # Not everybody says what they breathe; absent means "not said", never air.
    return {"oxygen_flow": truth.oxygen_flow} if random.random() < 0.85 else {}


def _told(truth: TrueState, habits: Habits, random: Random) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if random.random() < habits.answers:
        told["breathlessness"] = breathlessness(truth, random)
    if truth.red_flag and random.random() < 0.6:
        told["symptoms"] = [random.choice(("chest_pain", "seriously_ill", "cannot_finish_sentences"))]
    elif random.random() < 0.4:
        told["symptoms"] = []
    if random.random() < 0.2:
        told["feeling"] = "worse" if truth.red_flag else random.choice(("better", "same", "same"))
    return told


def _rest_of_news2(truth: TrueState, random: Random) -> dict[str, Any]:
    return {
        "respiratory_rate": round(truth.respiratory_rate + random.gauss(0, 1)),
        "systolic_bp": round(truth.systolic_bp + random.gauss(0, 4)),
        "diastolic_bp": round(truth.diastolic_bp + random.gauss(0, 3)),
        "temperature": round(truth.temperature + random.gauss(0, 0.1), 1),
        "consciousness": "alert",
        "oxygen_flow": truth.oxygen_flow,
    }
