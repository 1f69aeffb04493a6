"""Stays a rule set can be tried on: recorded ones that go on as they went, simulated ones that listen."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from alerts.advice import advise
from alerts.figures import Truth
from alerts.plan import Plan
from alerts.reading import FUTURE_TOLERANCE, Reading, quality_of
from alerts.record import Judgement
from alerts.replay import Arrival
from service.readings.schemas import ReadingIn
from service.readings.sending import AS_SENT
from service.sandbox.patient import Sending, SimulatedPatient, Why

_JUDGED = tuple(name for name in AS_SENT if name in Reading._fields)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stay that is over, or as far as it has gone. `arrivals` in order; `watched`: it had reading times, so a reading
    can be missed; the truth where somebody knows it."""

    stay_id: str
    plan: Plan
    from_at: datetime
    until: datetime
    arrivals: tuple[Arrival, ...]
    zone: str = "Europe/London"
    sixteen_on: date | None = None
    watched: bool = True
    truth: Truth | None = None


class Tape:
    """A recorded stay as it went."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self._arrivals, self._taken = arrivals, 0

    def next_at(self) -> datetime | None:
        """When the next thing arrived."""
        return self._arrivals[self._taken].at if self._taken < len(self._arrivals) else None

    def take(self) -> Arrival:
        """What arrived next."""
        self._taken += 1
        return self._arrivals[self._taken - 1]

    def hear(self, at: datetime, judgement: Judgement) -> None:
        """What was said then cannot be changed now."""


@dataclass(slots=True)
class Told:
    """A simulated patient who hears the advice and follows it, or not. `sent` keeps what was sent: when it arrived,
    and its body."""

    patient: SimulatedPatient
    plan: Plan
    sent: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    _ready: deque[Arrival] = field(default_factory=deque)

    def next_at(self) -> datetime:
        """When the patient does something next."""
        return self._ready[0].at if self._ready else self.patient.next_at

    def take(self) -> Arrival:
        """What arrives next: nothing, when a measurement is left out."""
        if not self._ready:
            at = self.patient.next_at
            # A reading sent twice is kept once: the second is answered without being judged.
            fresh = [sending for sending in self.patient.act(at) if sending.why != Why.REPEAT]
            self._ready.extend(self._arrival(at, place, sending) for place, sending in enumerate(fresh))
            if not self._ready:
                return Arrival(at)
        return self._ready.popleft()

    def hear(self, at: datetime, judgement: Judgement) -> None:
        """The answer: advice after the last reading, as the service words it for a team that is there; a reminder."""
        if judgement.reminders:
            self.patient.reminded(at)
        for evaluation in judgement.evaluations[-1:]:
            advice = advise(evaluation, judgement.episodes.values(), self.plan, watched_now=True)
            self.patient.told(at, advice.code, list(evaluation.ask))

    def _arrival(self, at: datetime, place: int, sending: Sending) -> Arrival:
        # Requests of one phone come one after the other.
        received_at = at + timedelta(milliseconds=place)
        self.sent.append((received_at, sending.body))
        return arrival(received_at, sending.body)


def arrival(received_at: datetime, body: Mapping[str, Any]) -> Arrival:
    """What the service makes of the body of a reading: a reading, or a refusal."""
    try:
        sent = ReadingIn.model_validate(body)
    except ValidationError:
        return Arrival(received_at, refused=1)
    return Arrival(received_at, (to_reading(sent, received_at),))


def to_reading(sent: ReadingIn, received_at: datetime) -> Reading:
    """A reading as the engine takes it; a time too far ahead is set to the receipt."""
    ahead = sent.observed_at - received_at > FUTURE_TOLERANCE
    return Reading(
        id=sent.client_reading_id or received_at.isoformat(),
        observed_at=min(sent.observed_at, received_at),
        received_at=received_at,
        symptoms=None if sent.symptoms is None else tuple(sent.symptoms),
        quality=quality_of(sent.perfusion_index, sent.signal_quality),
        time_corrected=ahead,
        **{name: getattr(sent, name) for name in _JUDGED},
    )
