"""A stay to tell a story with: readings come, time passes, people act, and the alerts are looked at."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.change import Change, Reminder
from alerts.checkpoint import dump
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.fold import HumanEvent, Verb, act
from alerts.judge import advance, change_plan, change_rule_set, judge
from alerts.passing import pause, resume
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Family
from alerts.watch import begin_watch

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


def told(instant: datetime) -> str:
    """The instant as `clock` takes it."""
    days = (instant - MIDNIGHT) // timedelta(days=1)
    return f"{f'{days} ' if days else ''}{instant:%H:%M}"


def stored(episode: Episode) -> dict[str, Any]:
    """The checkpoint as a database gives it back."""
    checkpoint: dict[str, Any] = json.loads(json.dumps(dump(episode), default=datetime.isoformat))
    return checkpoint


def reading(at: str, *, received: str | None = None, **values: Any) -> Reading:
    observed_at, received_at = clock(at), clock(received or at)
    identity = values.pop("id", f"{at}/{received or at}")
    return Reading(id=identity, observed_at=observed_at, received_at=received_at, **values)


class Stay:
    def __init__(self, *, admitted: str | None = None, rules: RuleSet = DEFAULT, **plan: Any) -> None:
        watch = None if admitted is None else begin_watch(clock(admitted))
        self.record = Record(plan=Plan(**plan), watch=watch, rule_set=rules)
        self.changes: list[Change] = []
        self.closed: dict[Family, Episode] = {}
        self.reminders: list[Reminder] = []
        self.evaluation: Evaluation | None = None

    def reads(self, at: str, *, received: str | None = None, **values: Any) -> list[Change]:
        return self.receives(reading(at, received=received, **values))

    def receives(self, *readings: Reading) -> list[Change]:
        judgement = judge(self.record, readings)
        self.evaluation = judgement.evaluations[-1]
        return self._after(judgement)

    def waits_until(self, at: str) -> list[Change]:
        return self._after(advance(self.record, clock(at)))

    def is_paused(self, at: str, until: str) -> list[Change]:
        return self._after(pause(self.record, clock(until), clock(at)))

    def is_resumed(self, at: str) -> list[Change]:
        return self._after(resume(self.record, clock(at)))

    def _after(self, judgement: Judgement) -> list[Change]:
        self.record = judgement.record
        self.changes += judgement.changes
        self.reminders += judgement.reminders
        return list(judgement.changes)

    def acts(
        self, at: str, verb: Verb, family: Family = Family.OXYGEN, *, reached: bool = True, until: str = ""
    ) -> None:
        event = HumanEvent(clock(at), family, verb, reached, clock(until) if until else None)
        self.record = act(self.record, event, self.closed).record

    def is_replanned(self, at: str, **plan: Any) -> list[Change]:
        return self._after(change_plan(self.record, Plan(**plan), clock(at)))

    def is_ruled_by(self, at: str, rules: RuleSet) -> list[Change]:
        return self._after(change_rule_set(self.record, rules, clock(at)))

    @property
    def reminded(self) -> list[str]:
        """When the person was asked for a reading: "13:00 at 14:00", with the day before the time if not the first."""
        return [f"{told(one.slot)} at {told(one.at)}" for one in self.reminders]

    def alert(self, family: Family = Family.OXYGEN) -> Episode:
        return self.record.episodes[family]

    @property
    def families(self) -> set[Family]:
        return set(self.record.episodes)
