"""A simulated ward: several patients, one after the other in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from service.sandbox.kinds import FIRST_EIGHT, Kind, cast
from service.sandbox.patient import Sending, SimulatedPatient, make_patient
from service.sandbox.people import make_people
from service.sandbox.rhythm import EVERY

WARD_ZONE = ZoneInfo("Europe/London")
FORGOTTEN = (timedelta(minutes=20), timedelta(minutes=80), timedelta(hours=11))
"""When the first forgetful patient is to measure, after the ward's day begins."""
FORGETS_FOR = timedelta(hours=4)
PRESCRIBED = 1.0
"""Oxygen in L/min that one patient is prescribed without limits of their own: the plan is to be looked at (R23)."""


class SimulatedWard:
    """Patients who measure, each in their own time. Pure: time comes in, readings come out."""

    def __init__(self, patients: Sequence[SimulatedPatient]) -> None:
        self.patients = tuple(patients)

    @property
    def next_at(self) -> datetime:
        """When somebody does something next."""
        return min(patient.next_at for patient in self.patients)

    def act(self, now: datetime) -> list[Sending]:
        """All that is sent now, patient by patient, each in order."""
        return [sending for patient in self.patients for sending in patient.act(now)]


def _forget(patient: SimulatedPatient, begins_at: datetime) -> datetime:
    """Two slots go by before the first forgetful patient measures: missed readings are seen within minutes."""
    slots = [begins_at.astimezone(WARD_ZONE) + after for after in FORGOTTEN]
    patient.plan |= {"reading_times": sorted(f"{slot:%H:%M}" for slot in slots)}
    return begins_at + FORGETS_FOR


def make_ward(count: int, seed: int, begins_at: datetime, first_onset: timedelta) -> SimulatedWard:
    """A ward of so many patients, the same for the same arguments.

    The first of each kind takes its course at `first_onset` or soon after, so that it is seen; the others
    within twelve hours. First measurements are spread over the first half hour, or over `first_onset` if
    that is less."""
    random = Random(f"ward {seed}")  # noqa: S311 - a simulation
    people = make_people(count, random, begins_at.date())
    patients = []
    spread = min(EVERY, first_onset)
    for index, (person, kind) in enumerate(zip(people, cast(count, random), strict=True)):
        if index < len(FIRST_EIGHT):
            onset = begins_at + first_onset * (1 + 0.15 * index)
        else:
            onset = begins_at + timedelta(hours=random.uniform(1, 12))
        patient = make_patient(index, person, kind, onset, f"patient {seed} {index}")
        first_at = begins_at + spread * ((index + 1) / (count + 1))
        if index < len(FIRST_EIGHT) and kind == Kind.FORGETFUL:
            first_at = _forget(patient, begins_at)
        elif index < len(FIRST_EIGHT) and kind == Kind.EXERTIONAL:
            patient.plan |= {"prescribed_oxygen_flow": PRESCRIBED}
        patient.begin(first_at)
        patients.append(patient)
    return SimulatedWard(patients)
