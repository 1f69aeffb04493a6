"""The whole history of a stay, folded from nothing: what continuing from a checkpoint must agree with."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from alerts import lifecycle
from alerts.change import Change
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.judge import advance, change_plan, change_rule_set, judge
from alerts.limits import ServiceHours
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.rule_set import RuleSet
from alerts.severity import Family


class Verb(StrEnum):
    """What a person, or a limit set for people, can do to an episode."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    CONTACT = "contact"
    ASSIGN = "assign"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    ACK_EXPIRES = "ack_expires"


@dataclass(frozen=True, slots=True)
class HumanEvent:
    """A verb on the unresolved episode of a family. `reached` belongs to a contact."""

    at: datetime
    family: Family
    verb: Verb
    reached: bool = True


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


def fold(
    start: Record,
    readings: Sequence[Reading] = (),
    human: Sequence[HumanEvent] = (),
    plans: Sequence[PlanEvent] = (),
    rule_sets: Sequence[RuleSetEvent] = (),
    *,
    until: datetime | None = None,
) -> Judgement:
    """Go through everything in order of receipt (at one instant: plans, rule sets, readings, people) and then on to
    `until`.

    `start` holds the first plan, the service hours and, to continue, the episodes and readings so far. The
    evaluations come in order of receipt. Raises lifecycle.IllegalTransition for a verb the state does not
    allow, KeyError for one on a family without an unresolved episode.
    """
    record, evaluations, changes = start, list[Evaluation](), list[Change]()
    arrived = defaultdict[datetime, list[Reading]](list)
    for reading in readings:
        arrived[reading.received_at].append(reading)
    acts: tuple[HumanEvent | PlanEvent | RuleSetEvent, ...] = (*human, *plans, *rule_sets)
    for at in sorted({*arrived, *(event.at for event in acts)}):
        for planned in (event for event in plans if event.at == at):
            judged = change_plan(record, planned.plan, at)
            record, changes = judged.record, [*changes, *judged.changes]
        for live in (event for event in rule_sets if event.at == at):
            judged = change_rule_set(record, live.rule_set, at)
            record, changes = judged.record, [*changes, *judged.changes]
        judged = judge(record, arrived.get(at, ()))
        record, changes = judged.record, [*changes, *judged.changes]
        evaluations += judged.evaluations
        for event in (event for event in human if event.at == at):
            judged = act(record, event)
            record, changes = judged.record, [*changes, *judged.changes]
    last = advance(record, until) if until is not None else Judgement((), (), record)
    return Judgement(tuple(evaluations), (*changes, *last.changes), last.record)


def act(record: Record, event: HumanEvent) -> Judgement:
    """Apply one verb, after what time alone brought about before it."""
    advanced = advance(record, event.at)
    before = advanced.episodes[event.family]
    after = _acted(before, event, record.service_hours)
    episodes = {**advanced.episodes, event.family: after}
    if not after.unresolved:
        del episodes[event.family]
    return Judgement((), advanced.changes, replace(advanced.record, episodes=episodes))


def _acted(episode: Episode, event: HumanEvent, hours: ServiceHours) -> Episode:
    match event.verb:
        case Verb.ACKNOWLEDGE:
            return lifecycle.acknowledge(episode, event.at, hours)
        case Verb.UNACKNOWLEDGE:
            return lifecycle.unacknowledge(episode, event.at, hours)
        case Verb.CONTACT:
            return lifecycle.contact(episode, event.at, reached=event.reached)
        case Verb.ASSIGN:
            return lifecycle.assign(episode)
        case Verb.ESCALATE:
            return lifecycle.escalate(episode)
        case Verb.RESOLVE:
            return lifecycle.resolve(episode, event.at)
        case Verb.ACK_EXPIRES:
            return lifecycle.expire(episode, event.at, hours)
