"""The whole history of a stay, folded from nothing: what continuing from a checkpoint must agree with."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerts import lifecycle
from alerts.change import Change, Reminder
from alerts.decide import keep
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.judge import advance, change_plan, change_rule_set, judge
from alerts.limits import HumanLimits
from alerts.passing import pause, resume
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.rule_set import RuleSet
from alerts.severity import Family
from alerts.snoozing import snooze, wake


class Verb(StrEnum):
    """What a person, or a limit set for people, can do to an episode."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    CONTACT = "contact"
    ASSIGN = "assign"
    ESCALATE = "escalate"
    SNOOZE = "snooze"
    SNOOZE_ENDS = "snooze_ends"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    ACK_EXPIRES = "ack_expires"


class HumanEvent(NamedTuple):
    """A verb on the unresolved episode of a family, or on its last one for a reopening. `reached` belongs to a
    contact, `until` to a snooze, which lasts an instant without it."""

    at: datetime
    family: Family
    verb: Verb
    reached: bool = True
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlanEvent:
    """A plan version and since when it is in force."""

    at: datetime
    plan: Plan


@dataclass(frozen=True, slots=True)
class RuleSetEvent:
    """A rule set and since when it is live on the ward."""

    at: datetime
    rule_set: RuleSet


@dataclass(frozen=True, slots=True)
class PauseEvent:
    """A pause of the stay begins and lasts `until` an instant, or a person ends it (None)."""

    at: datetime
    until: datetime | None


@dataclass(slots=True)
class _Story:
    """What is known so far, and what happened on the way."""

    record: Record
    evaluations: list[Evaluation] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    closed: dict[Family, Episode] = field(default_factory=dict)

    def goes_on(self, judged: Judgement) -> None:
        self.record = judged.record
        self.evaluations += judged.evaluations
        self.changes += judged.changes
        self.reminders += judged.reminders
        self.closed |= _closed_by(judged.changes)


def fold(
    start: Record,
    readings: Sequence[Reading] = (),
    human: Sequence[HumanEvent] = (),
    plans: Sequence[PlanEvent] = (),
    rule_sets: Sequence[RuleSetEvent] = (),
    pauses: Sequence[PauseEvent] = (),
    *,
    until: datetime | None = None,
) -> Judgement:
    """Go through everything in order of receipt (at one instant: plans, rule sets, pauses, readings, people) and then
    on to `until`.

    `start` holds the first plan, the service hours, the watch if there is one and, to continue, the episodes and
    readings so far. The evaluations come in order of receipt. Raises lifecycle.IllegalTransition for a verb the state
    does not allow, KeyError for one on a family without an unresolved episode.
    """
    story, arrived = _Story(start), defaultdict[datetime, list[Reading]](list)
    for reading in readings:
        arrived[reading.received_at].append(reading)
    acts: tuple[HumanEvent | PlanEvent | RuleSetEvent | PauseEvent, ...] = (*human, *plans, *rule_sets, *pauses)
    for at in sorted({*arrived, *(event.at for event in acts)}):
        for planned in (event for event in plans if event.at == at):
            story.goes_on(change_plan(story.record, planned.plan, at))
        for live in (event for event in rule_sets if event.at == at):
            story.goes_on(change_rule_set(story.record, live.rule_set, at))
        for paused in (event for event in pauses if event.at == at):
            ends = paused.until
            story.goes_on(resume(story.record, at) if ends is None else pause(story.record, ends, at))
        story.goes_on(judge(story.record, arrived.get(at, ())))
        for event in (event for event in human if event.at == at):
            story.goes_on(act(story.record, event, story.closed))
    if until is not None:
        story.goes_on(advance(story.record, until))
    return Judgement(tuple(story.evaluations), tuple(story.changes), story.record, tuple(story.reminders))


def act(record: Record, event: HumanEvent, closed: dict[Family, Episode]) -> Judgement:
    """Apply one verb, after what time alone brought about before it. `closed` holds the last resolved episode of
    each family: a reopening finds it there, a resolve leaves it there."""
    advanced = advance(record, event.at)
    closed |= _closed_by(advanced.changes)
    before = closed[event.family] if event.verb == Verb.REOPEN else advanced.episodes[event.family]
    after = _ACTS[event.verb](before, event, record.human_limits)
    episodes = dict(advanced.episodes)
    keep(episodes, event.family, after)
    if not after.unresolved:
        closed[event.family] = after
    return advanced._replace(record=advanced.record._replace(episodes=episodes))


def _closed_by(changes: Sequence[Change]) -> dict[Family, Episode]:
    return {change.family: change.after for change in changes if not change.after.unresolved}


_ACTS: Mapping[Verb, Callable[[Episode, HumanEvent, HumanLimits], Episode]] = {
    Verb.ACKNOWLEDGE: lambda episode, event, limits: lifecycle.acknowledge(episode, event.at, limits),
    Verb.UNACKNOWLEDGE: lambda episode, event, limits: lifecycle.unacknowledge(episode, event.at, limits),
    Verb.ACK_EXPIRES: lambda episode, event, limits: lifecycle.expire(episode, event.at, limits),
    Verb.CONTACT: lambda episode, event, _: lifecycle.contact(episode, event.at, reached=event.reached),
    Verb.ASSIGN: lambda episode, _event, _limits: lifecycle.assign(episode),
    Verb.ESCALATE: lambda episode, _event, _limits: lifecycle.escalate(episode),
    Verb.SNOOZE: lambda episode, event, _: snooze(episode, event.at, event.until or event.at),
    Verb.SNOOZE_ENDS: lambda episode, _event, _limits: wake(episode),
    Verb.RESOLVE: lambda episode, event, _: lifecycle.resolve(episode, event.at),
    Verb.REOPEN: lambda episode, event, limits: lifecycle.reopen(episode, event.at, limits),
}
