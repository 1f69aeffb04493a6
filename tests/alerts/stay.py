"""A stay to tell a story with: readings come, time passes, people act, and the alerts are looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.change import Change
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.fold import HumanEvent, Verb, act
from alerts.judge import advance, change_plan, judge
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from alerts.severity import Family

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
COMPLETE: dict[str, Any] = {
    "respiratory_rate": 16, "systolic_bp": 120, "pulse_rate": 75, "consciousness": "alert",
    "temperature": 36.8, "oxygen_flow": 0,
}  # fmt: skip


def clock(text: str) -> datetime:
    """ "09:30" of the day, "1 09:30" of the next one, "-1 09:30" of the one before."""
    day, _, time = text.rpartition(" ")
    hours, minutes = time.split(":")
    return MIDNIGHT + timedelta(days=int(day or 0), hours=int(hours), minutes=int(minutes))


def reading(at: str, *, received: str | None = None, **values: Any) -> Reading:
    observed_at, received_at = clock(at), clock(received or at)
    identity = values.pop("id", f"{at}/{received or at}")
    return Reading(id=identity, observed_at=observed_at, received_at=received_at, **values)


class Stay:
    def __init__(self, **plan: Any) -> None:
        self.record = Record(plan=Plan(**plan))
        self.changes: list[Change] = []
        self.closed: dict[Family, Episode] = {}
        self.evaluation: Evaluation | None = None

    def reads(self, at: str, *, received: str | None = None, **values: Any) -> list[Change]:
        return self.receives(reading(at, received=received, **values))

    def receives(self, *readings: Reading) -> list[Change]:
        judgement = judge(self.record, readings)
        self.record = judgement.record
        self.evaluation = judgement.evaluations[-1]
        self.changes += judgement.changes
        return list(judgement.changes)

    def waits_until(self, at: str) -> list[Change]:
        judgement = advance(self.record, clock(at))
        self.record = judgement.record
        self.changes += judgement.changes
        return list(judgement.changes)

    def acts(
        self, at: str, verb: Verb, family: Family = Family.OXYGEN, *, reached: bool = True, until: str = ""
    ) -> None:
        event = HumanEvent(clock(at), family, verb, reached, clock(until) if until else None)
        self.record = act(self.record, event, self.closed).record

    def is_replanned(self, at: str, **plan: Any) -> list[Change]:
        judgement = change_plan(self.record, Plan(**plan), clock(at))
        self.record = judgement.record
        return list(judgement.changes)

    def alert(self, family: Family = Family.OXYGEN) -> Episode:
        return self.record.episodes[family]

    @property
    def families(self) -> set[Family]:
        return set(self.record.episodes)
