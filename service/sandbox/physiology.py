"""What is true of a simulated patient at an instant: a pure function of a few seeded numbers and the time.

A patient is what is usual for them, a day's rhythm, a slow wander, and the course their kind takes from
its onset on."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from alerts.reading import judged_spo2
from service.sandbox.kinds import Kind, Usual

DAY = 24.0
"""Hours."""


@dataclass(frozen=True, slots=True)
class TrueState:
    """The truth, before anybody measured it. SpO2 in percent, rates per minute, pressures in mmHg,
    temperature in °C, breathlessness Borg 0-10, oxygen flow in L/min."""

    spo2: float
    pulse_rate: float
    respiratory_rate: float
    systolic_bp: float
    diastolic_bp: float
    temperature: float
    breathlessness: float
    oxygen_flow: float
    red_flag: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a course adds to the usual, in the units of `TrueState`."""

    spo2: float = 0.0
    pulse_rate: float = 0.0
    respiratory_rate: float = 0.0
    systolic_bp: float = 0.0
    temperature: float = 0.0
    breathlessness: float = 0.0
    oxygen_flow: float = 0.0
    red_flag: bool = False


@dataclass(frozen=True, slots=True)
class Decline:
    """A deterioration on top of what the kind brings: SpO2 falls by so many points in so many hours, and stays
    down."""

    onset: datetime
    points: float
    hours: float

    def at(self, now: datetime) -> "Change":
        """What it has changed; breathing, pulse and breathlessness answer."""
        fallen = self.points * min(1.0, max(0.0, _hours(now - self.onset) / self.hours))
        return Change(spo2=-fallen, pulse_rate=2.5 * fallen, respiratory_rate=0.7 * fallen, breathlessness=0.5 * fallen)


@dataclass(frozen=True, slots=True)
class Body:
    """One patient's body. `wander` holds (amplitude in SpO2 points, period in hours, phase) of slow waves;
    `stretch` is how many hours one hour of the kind's course takes: a demonstration is in a hurry."""

    kind: Kind
    usual: Usual
    onset: datetime
    wander: tuple[tuple[float, float, float], ...]
    stretch: float = 1.0
    decline: Decline | None = None

    def at(self, now: datetime) -> TrueState:
        """The truth at an instant."""
        hours = now.timestamp() / 3600
        clock = now.hour + now.minute / 60
        # Lowest at four in the morning: SpO2 by about half a point, pulse by five, temperature by 0.3.
        night = math.cos((clock - 4) / DAY * math.tau)
        wave = sum(size * math.sin(hours / period * math.tau + phase) for size, period, phase in self.wander)
        usual, change = self.usual, course(self.kind, _hours(now - self.onset) / self.stretch)
        if self.decline is not None:
            change = _together(change, self.decline.at(now))
        systolic = usual.systolic_bp + 4 * wave + change.systolic_bp
        return TrueState(
            spo2=min(100.0, usual.spo2 - 0.4 * night + wave + change.spo2),
            pulse_rate=usual.pulse_rate - 5 * night - 3 * wave + change.pulse_rate,
            respiratory_rate=usual.respiratory_rate - 0.5 * night - wave + change.respiratory_rate,
            systolic_bp=systolic,
            diastolic_bp=systolic * 0.6,
            temperature=usual.temperature - 0.3 * night + change.temperature,
            breathlessness=max(0.0, usual.breathlessness + change.breathlessness),
            oxygen_flow=usual.oxygen_flow + change.oxygen_flow,
            red_flag=change.red_flag,
        )

    @property
    def falls_from(self) -> datetime | None:
        """When a deterioration begins that ends in the red; None for a body that has none."""
        if self.decline is not None:
            return self.decline.onset
        return self.onset if self.kind == Kind.SILENT else None

    def red_from(self, red_at: int, until: datetime) -> datetime | None:
        """The instant, to the minute, from which a perfect oximeter would show `red_at` percent or less; None when
        it does not come to that before `until`."""
        earlier = self.falls_from
        if earlier is None:
            return None
        later = earlier
        while judged_spo2(self.at(later).spo2) > red_at:
            earlier, later = later, later + timedelta(minutes=30)
            if earlier >= until:
                return None
        while later - earlier > timedelta(minutes=1):
            middle = earlier + (later - earlier) / 2
            red = judged_spo2(self.at(middle).spo2) <= red_at
            earlier, later = (earlier, middle) if red else (middle, later)
        return later if later < until else None


def make_body(kind: Kind, usual: Usual, onset: datetime, random: Random) -> Body:
    """A body whose course begins at the onset."""
    periods = (3.1, 7.7, 19.0)
    wander = tuple((random.uniform(0.1, 0.3), period, random.uniform(0, math.tau)) for period in periods)
    return Body(kind, usual, onset, wander)


def course(kind: Kind, hours: float) -> Change:
    """What the kind's course has changed so many hours after its onset (before it: nothing)."""
    if kind == Kind.RECOVERY:
        left = math.exp(-max(0.0, hours) / 36)
        return Change(spo2=-0.6 * left, pulse_rate=8 * left, temperature=0.5 * left, breathlessness=1.2 * left)
    if hours <= 0:
        return Change()
    if kind == Kind.SILENT:
        # Falls a point every ten minutes, then lies low for hours. Breathing and pulse hardly answer.
        fallen = min(6.5, 6.0 * hours) * _until(hours, 9, 14)
        return Change(spo2=-fallen, pulse_rate=0.8 * fallen, respiratory_rate=0.3 * fallen)
    if kind == Kind.HYPERCAPNIC:
        # Somebody turned the oxygen up: too much of it, which is this patient's other danger.
        more = min(1.0, hours / 0.4) * _until(hours, 3.5, 4.5)
        return Change(spo2=5.2 * more, oxygen_flow=2.0 if more > 0.5 else 0.0)
    if kind == Kind.RED_FLAG:
        ill = min(1.0, hours / 0.7) * _until(hours, 10, 16)
        return Change(
            spo2=-2.5 * ill, pulse_rate=48 * ill, respiratory_rate=11 * ill, systolic_bp=-32 * ill,
            temperature=2.2 * ill, breathlessness=6.5 * ill, red_flag=ill > 0.8,
        )  # fmt: skip
    if kind == Kind.EXERTIONAL:
        return Change(spo2=-0.8, respiratory_rate=1.0, breathlessness=1.0)
    return Change()


def exertion_fall(kind: Kind) -> float:
    """How many points SpO2 falls over forty steps."""
    return 5.0 if kind == Kind.EXERTIONAL else 0.5


def _until(hours: float, fades_from: float, gone_at: float) -> float:
    """1 until the course fades, 0 once it is gone."""
    return min(1.0, max(0.0, (gone_at - hours) / (gone_at - fades_from)))


def _together(one: Change, other: Change) -> Change:
    return Change(
        spo2=one.spo2 + other.spo2,
        pulse_rate=one.pulse_rate + other.pulse_rate,
        respiratory_rate=one.respiratory_rate + other.respiratory_rate,
        systolic_bp=one.systolic_bp + other.systolic_bp,
        temperature=one.temperature + other.temperature,
        breathlessness=one.breathlessness + other.breathlessness,
        oxygen_flow=one.oxygen_flow + other.oxygen_flow,
        red_flag=one.red_flag or other.red_flag,
    )


def _hours(length: timedelta) -> float:
    return length.total_seconds() / 3600
