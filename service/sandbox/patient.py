"""One simulated patient from measurement to measurement: when, what is sent, and what advice does to them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush
from random import Random
from typing import Any

from service.sandbox.kinds import HABITS, Habits, Kind, Usual, plan_for, usual_for
from service.sandbox.measuring import NO_VALUE, Oximeter, breathlessness, make_oximeter, measure
from service.sandbox.people import Person
from service.sandbox.physiology import Body, TrueState, exertion_fall, make_body
from service.sandbox.rhythm import Rhythm, all_day

RECHECKS_IN_A_ROW = 2
FAULT_EVERY = 3
"""A faulty device has no value to send every so many measurements, and sends that."""


class Why(StrEnum):
    """Why something is sent."""

    ROUTINE = "routine"
    RECHECK = "recheck"
    EXERTION = "exertion"
    ANSWER = "answer"
    REPEAT = "repeat"
    UPLOAD = "upload"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Sending:
    """Something the app sends: the body without the stay, and beside it the truth when it was measured."""

    patient: int
    why: Why
    body: dict[str, Any]
    truth: TrueState


@dataclass(slots=True)
class SimulatedPatient:
    """A patient with a body, an oximeter and habits. Two with the same seed do the same, told the same."""

    index: int
    person: Person
    kind: Kind
    usual: Usual
    body: Body
    device: Oximeter
    random: Random
    habits: Habits
    rhythm: Rhythm
    plan: dict[str, Any]
    """The plan the patient is admitted under, as the API takes it."""
    seed: str | None = None
    """With one, what is measured as planned does not depend on what was measured in between: two rule sets that ask
    for different rechecks see the same patient."""
    _agenda: list[tuple[datetime, int, Why, Sending | None]] = field(default_factory=list)
    _count: int = 0
    _taken: int = 0
    _rechecks: int = 0
    _offline_until: datetime | None = None
    _kept_back: list[Sending] = field(default_factory=list)

    @property
    def next_at(self) -> datetime:
        """When the patient does something next."""
        return self._agenda[0][0]

    def begin(self, first_at: datetime) -> None:
        """Take the first measurement at an instant, and then go on."""
        self._plan_for(first_at, Why.ROUTINE)

    def act(self, now: datetime) -> list[Sending]:
        """What is sent now, in the order sent; nothing before `next_at`. Plans what comes next."""
        sent: list[Sending] = []
        while self._agenda and self._agenda[0][0] <= now:
            at, _, why, prepared = heappop(self._agenda)
            sent.extend(self._do(at, why, prepared))
        return sent

    def told(self, now: datetime, advice_code: str, ask: list[str]) -> None:
        """The answer to a reading arrives: a question may be answered, a recheck taken."""
        obedient = self.random.random() < self.habits.obeys
        if not obedient:
            return
        if "breathlessness" in ask and self.random.random() < self.habits.answers:
            self._plan_for(now + self._minutes(2, 8), Why.ANSWER)
        soon = {"measure_again_now": (2, 5), "emergency": (3, 7), "recheck_within_1_hour": (18, 45)}
        if advice_code in soon and self._rechecks < RECHECKS_IN_A_ROW:
            self._rechecks += 1
            self._plan_for(now + self._minutes(*soon[advice_code]), Why.RECHECK)

    def reminded(self, now: datetime) -> None:
        """The app says that a reading is missing."""
        if self.random.random() < self.habits.obeys:
            self._plan_for(now + self._minutes(5, 40), Why.RECHECK)

    def history(self, until: datetime, days: int) -> list[Sending]:
        """Three readings a day from the days before, oldest first, from before anything went wrong."""
        times = [until - timedelta(days=day, hours=hour) for day in range(days) for hour in (3, 9, 14)]
        healthy = replace(self.device, cold=False, ahead=timedelta(0), faulty=False)
        habits = replace(self.habits, answers=1.0)
        sent = []
        for at in sorted(times):
            truth = self.body.at(at)
            body = measure(truth, healthy, habits, at, self.random)
            sent.append(self._sending(Why.HISTORY, body | {"spo2": round(truth.spo2)}, truth))
        return sent

    def _do(self, at: datetime, why: Why, prepared: Sending | None) -> list[Sending]:
        if prepared is not None:
            return [prepared]
        if why == Why.ROUTINE:
            if self.seed is not None:
                self.random.seed(f"{self.seed} {at.isoformat()}")
            self._plan_for(self.rhythm(at, self.random), Why.ROUTINE)
            self._rechecks = 0
            if self.random.random() < self.habits.misses:
                return []
        sending = self._measured(at, why)
        if why == Why.ROUTINE and self.kind == Kind.EXERTIONAL and self.random.random() < 0.5:
            self._plan_for(at + self._minutes(3, 8), Why.EXERTION)
        return self._over_the_network(at, sending)

    def _measured(self, at: datetime, why: Why) -> Sending:
        truth = self.body.at(at)
        if why == Why.ANSWER:
            body: dict[str, Any] = {
                "observed_at": (at + self.device.ahead).isoformat(),
                "breathlessness": breathlessness(truth, self.random),
            }
            return self._sending(why, body, truth)
        if why == Why.EXERTION:
            truth = replace(truth, spo2=truth.spo2 - exertion_fall(self.kind), pulse_rate=truth.pulse_rate + 14)
        body = measure(truth, self.device, self.habits, at, self.random)
        self._taken += 1
        if self.device.faulty and self._taken % FAULT_EVERY == 0:
            body["spo2"] = NO_VALUE
        if why == Why.EXERTION:
            body["context"] = "post_exertion_40_steps"
        return self._sending(why, body, truth)

    def _over_the_network(self, at: datetime, sending: Sending) -> list[Sending]:
        habits = self.habits
        if self._offline_until is None and self.random.random() < habits.offline:
            self._offline_until = at + self._minutes(70, 150)
        if self._offline_until is not None and at < self._offline_until:
            self._kept_back.append(replace(sending, why=Why.UPLOAD))
            return []
        sent = [*self._kept_back, sending]
        self._kept_back, self._offline_until = [], None
        if self.random.random() < habits.repeats:
            self._plan_for(at + self._minutes(1, 3), Why.REPEAT, replace(sending, why=Why.REPEAT))
        return sent

    def _sending(self, why: Why, body: dict[str, Any], truth: TrueState) -> Sending:
        self._count += 1
        named = {"client_reading_id": f"sim-{self.index:03d}-{self._count:05d}", **body}
        return Sending(self.index, why, named, truth)

    def _plan_for(self, at: datetime, why: Why, prepared: Sending | None = None) -> None:
        self._count += 1
        heappush(self._agenda, (at, self._count, why, prepared))

    def _minutes(self, low: float, high: float) -> timedelta:
        return timedelta(minutes=self.random.uniform(low, high))


def make_patient(index: int, person: Person, kind: Kind, onset: datetime, seed: str) -> SimulatedPatient:
    """A patient whose course begins at the onset. The seed is the patient's own."""
    random = Random(seed)  # noqa: S311 - a simulation
    usual = usual_for(kind, random)
    body = make_body(kind, usual, onset, random)
    device = make_oximeter(kind, index, random)
    plan = plan_for(kind, usual)
    return SimulatedPatient(index, person, kind, usual, body, device, random, HABITS[kind], all_day, plan)
