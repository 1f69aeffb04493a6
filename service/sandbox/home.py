"""A simulated ward over weeks: patients at home who measure a few times a day, with the truth beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from alerts.figures import Truth
from alerts.plan import Plan, Profile
from service.sandbox.kinds import DECLINES, HOME_HABITS, STRETCH, Kind, cast_at_home
from service.sandbox.measuring import NOISE_AT_HOME, Oximeter
from service.sandbox.patient import SimulatedPatient, make_patient
from service.sandbox.people import make_people
from service.sandbox.physiology import Decline
from service.sandbox.rhythm import reading_times
from service.sandbox.stays import Told

ZONE = "Europe/London"
LEAVES_AFTER = timedelta(hours=12)
"""From the true red to the hospital bed: from then on nobody measures at home."""

LAST_RED_BEFORE_END = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Home:
    """A ward to simulate: so many patients for so many days from an instant on. The same again for the same seed."""

    patients: int
    days: int
    seed: int
    begins_at: datetime

    def kinds(self) -> list[Kind]:
        """The patients' kinds, in order."""
        return cast_at_home(self.patients, Random(f"home {self.seed}"))  # noqa: S311 - a simulation


@dataclass(frozen=True, slots=True)
class AtHome:
    """One simulated stay, ready to be lived. `until`: its end, in hospital if the true value became red."""

    stay_id: str
    stay: Told
    from_at: datetime
    until: datetime
    truth: Truth

    def true_spo2(self) -> list[float]:
        """The true SpO2 on every full hour from the beginning, to a tenth of a percent."""
        hours = int((self.until - self.from_at) / timedelta(hours=1)) + 1
        body = self.stay.patient.body
        return [round(body.at(self.from_at + timedelta(hours=hour)).spo2, 1) for hour in range(hours)]


def make_stay(home: Home, kind: Kind, index: int) -> AtHome:
    """The stay of patient number `index` (from 0), who is of that kind."""
    seed = f"home {home.seed} {index}"
    random = Random(seed)  # noqa: S311 - a simulation
    person = make_people(1, random, home.begins_at.date())[0]
    latest = max(timedelta(days=1.5), timedelta(days=home.days) - LAST_RED_BEFORE_END)
    onset = home.begins_at + random.uniform(0.04, 1) * latest
    patient = make_patient(index, person, kind, _begins(home, kind, onset), seed)
    low, high = STRETCH.get(kind, (1.0, 1.0))
    patient.body = replace(
        patient.body, stretch=random.uniform(low, high), decline=_decline(kind, onset, random), onset=patient.body.onset
    )
    patient.device = replace(patient.device, noise=random.uniform(*NOISE_AT_HOME), faulty=False)
    patient.habits, patient.seed = HOME_HABITS[kind], seed
    patient.plan["baseline_spo2"] = _baseline(patient, random)
    plan = plan_from(patient.plan)
    patient.rhythm = reading_times(plan.reading_times, ZONE)
    patient.begin(patient.rhythm(home.begins_at - timedelta(hours=2), random))
    until = home.begins_at + timedelta(days=home.days)
    red_from = patient.body.red_from(plan.limits.red_at, until)
    truth = Truth(kind.value, patient.body.falls_from if red_from else None, red_from)
    until = until if red_from is None else min(until, red_from + LEAVES_AFTER)
    return AtHome(f"stay-{index + 1:04d}", Told(patient, plan), home.begins_at, until, truth)


def plan_from(values: Mapping[str, Any]) -> Plan:
    """The engine's plan from the fields of a plan as the API takes it. Raises PlanInvalid, TypeError, ValueError."""
    return Plan(**{**values, "profile": Profile(values.get("profile", Profile.STANDARD))})


def _begins(home: Home, kind: Kind, onset: datetime) -> datetime:
    """Recovery began with the admission; every other course has its own time."""
    return home.begins_at if kind == Kind.RECOVERY else onset


def _decline(kind: Kind, onset: datetime, random: Random) -> Decline | None:
    """Enough points to end in the red, over one to three days."""
    hours, points = random.uniform(18, 72), random.uniform(6.5, 9.0)
    return Decline(onset, points, hours) if random.random() < DECLINES.get(kind, 0.0) else None


def _baseline(patient: SimulatedPatient, random: Random) -> int:
    """What a clinician writes down at admission: the mean of three measurements with this patient's own device."""
    device: Oximeter = patient.device
    measured = patient.usual.spo2 + device.bias + random.gauss(0, device.noise) / 3**0.5
    return min(99, round(measured))
