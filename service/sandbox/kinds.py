"""The kinds of simulated patient: what each is usually like, the plan it is admitted under, how it behaves.

Nothing here is epidemiology: the kinds are chosen so that a ward shows everything the rules can find."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any


class Kind(StrEnum):
    """What becomes of a simulated patient."""

    RECOVERY = "recovery"
    HYPERCAPNIC = "hypercapnic"
    SILENT = "silent"
    EXERTIONAL = "exertional"
    POOR_PERFUSION = "poor_perfusion"
    FORGETFUL = "forgetful"
    RED_FLAG = "red_flag"
    CLOCK_SKEWED = "clock_skewed"


@dataclass(frozen=True, slots=True)
class Habits:
    """How a patient uses the app. Chances are from 0 to 1.

    `misses`: a measurement is not taken. `offline`: the phone loses its network for an hour or two.
    `repeats`: the app sends a reading a second time. `answers`: breathlessness is told with the reading, or
    when asked for. `obeys`: a recheck that was asked for is taken. `full_set`: everything NEWS2 needs is
    measured. `by_hand`: typed from the display, so nothing is known of the signal."""

    misses: float = 0.06
    offline: float = 0.02
    repeats: float = 0.06
    answers: float = 0.75
    obeys: float = 0.9
    full_set: float = 0.15
    by_hand: float = 0.15


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a patient: SpO2 in percent, rates per minute, pressure in mmHg, temperature in °C,
    breathlessness Borg 0-10, prescribed oxygen in L/min (0 is air)."""

    spo2: float
    pulse_rate: float
    respiratory_rate: float
    systolic_bp: float
    temperature: float
    breathlessness: float
    oxygen_flow: float = 0.0


HABITS: Mapping[Kind, Habits] = {
    Kind.RECOVERY: Habits(),
    Kind.HYPERCAPNIC: Habits(answers=0.85, full_set=0.25),
    Kind.SILENT: Habits(misses=0.0, offline=0.0, answers=0.9, by_hand=0.0),
    Kind.EXERTIONAL: Habits(),
    Kind.POOR_PERFUSION: Habits(by_hand=0.0),
    Kind.FORGETFUL: Habits(misses=0.5, offline=0.12, answers=0.1, obeys=0.2),
    Kind.RED_FLAG: Habits(misses=0.0, offline=0.0, full_set=0.6),
    Kind.CLOCK_SKEWED: Habits(offline=0.0, by_hand=0.0),
}

FIRST_EIGHT = (
    Kind.SILENT,
    Kind.RECOVERY,
    Kind.HYPERCAPNIC,
    Kind.RED_FLAG,
    Kind.POOR_PERFUSION,
    Kind.CLOCK_SKEWED,
    Kind.EXERTIONAL,
    Kind.FORGETFUL,
)
"""Every kind once, those that show most first: a small ward shows as much as it can."""

_LATER = {
    Kind.RECOVERY: 9,
    Kind.HYPERCAPNIC: 2,
    Kind.SILENT: 1,
    Kind.EXERTIONAL: 1,
    Kind.POOR_PERFUSION: 1,
    Kind.FORGETFUL: 1,
    Kind.RED_FLAG: 1,
}

HOME_HABITS: Mapping[Kind, Habits] = {
    kind: Habits(misses=0.1, repeats=0.02, obeys=0.75, full_set=0.1, by_hand=0.3) for kind in Kind
} | {
    Kind.POOR_PERFUSION: Habits(misses=0.1, repeats=0.02, obeys=0.75, full_set=0.1, by_hand=0.0),
    Kind.FORGETFUL: Habits(misses=0.5, offline=0.12, answers=0.1, obeys=0.2, full_set=0.02, by_hand=0.5),
    Kind.CLOCK_SKEWED: Habits(misses=0.1, repeats=0.02, obeys=0.75, full_set=0.1, by_hand=0.0),
}
"""How people measure over weeks at home: nine readings of ten, as the services report (CLINICAL.md, section 11)."""

HOME_MIX = {
    Kind.RECOVERY: 60,
    Kind.HYPERCAPNIC: 12,
    Kind.SILENT: 7,
    Kind.EXERTIONAL: 6,
    Kind.POOR_PERFUSION: 5,
    Kind.FORGETFUL: 5,
    Kind.RED_FLAG: 3,
    Kind.CLOCK_SKEWED: 2,
}
"""Patients of a hundred on a ward at home. Chosen, not counted anywhere."""

DECLINES = {
    Kind.RECOVERY: 0.03,
    Kind.HYPERCAPNIC: 0.25,
    Kind.EXERTIONAL: 0.1,
    Kind.POOR_PERFUSION: 0.1,
    Kind.FORGETFUL: 0.2,
    Kind.CLOCK_SKEWED: 0.1,
}
"""The chance of a slow deterioration that ends in the red. The silent always have theirs."""

STRETCH = {Kind.SILENT: (12.0, 60.0), Kind.HYPERCAPNIC: (4.0, 10.0), Kind.RED_FLAG: (2.0, 6.0)}
"""How much longer the course takes at home than in the demonstration; drawn from this range."""


def cast(count: int, random: Random) -> list[Kind]:
    """The kinds of so many patients: each kind once, then mostly people who recover."""
    later = random.choices(list(_LATER), weights=list(_LATER.values()), k=max(0, count - len(FIRST_EIGHT)))
    return [*FIRST_EIGHT[:count], *later]


def cast_at_home(count: int, random: Random) -> list[Kind]:
    """The kinds of so many patients of a ward at home: each kind once, the rest by HOME_MIX."""
    rest = random.choices(list(HOME_MIX), weights=list(HOME_MIX.values()), k=max(0, count - len(FIRST_EIGHT)))
    return [*FIRST_EIGHT[:count], *rest]


def usual_for(kind: Kind, random: Random) -> Usual:
    """What is usual for one patient of that kind."""
    if kind == Kind.HYPERCAPNIC:
        flow = float(random.choice((1, 2)))
        return Usual(90.0 + random.uniform(-0.7, 0.7), 84, 19, 134, 36.7, 3.0, flow)
    return Usual(
        spo2=random.uniform(96.3, 97.9),
        pulse_rate=random.uniform(66, 84),
        respiratory_rate=random.uniform(14, 17),
        systolic_bp=random.uniform(118, 142),
        temperature=random.uniform(36.5, 37.1),
        breathlessness=0.5,
    )


def plan_for(kind: Kind, usual: Usual) -> dict[str, Any]:
    """The plan a clinician would admit the patient under, as the API takes it."""
    plan: dict[str, Any] = {
        "profile": "standard",
        "baseline_spo2": round(usual.spo2),
        "prescribed_oxygen_flow": usual.oxygen_flow,
    }
    if kind == Kind.HYPERCAPNIC:
        plan |= {"profile": "hypercapnic", "usual_breathlessness": usual.breathlessness}
    return plan
