"""A rule set tried on a history: which alerts it would have raised, when, and how often it would have called.

Nothing of the engine is copied here: readings go through `judge`, time through `advance`, people through `act`."""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from alerts.change import Change, Kind
from alerts.episode import Episode, State, leading
from alerts.fold import HumanEvent, Verb, act
from alerts.judge import WINDOW, advance, change_plan, judge, refuse
from alerts.passing import next_due_at
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.severity import Channel, Family, Severity

CALLS = (Kind.OPENED, Kind.REOPENED, Kind.WORSENED)
"""The changes that call somebody: a new alert, one that comes back, and one that becomes more severe."""


class Arrival(NamedTuple):
    """What arrives at one instant: readings of one request, refused readings, a new version of the plan, or nothing."""

    at: datetime
    readings: tuple[Reading, ...] = ()
    refused: int = 0
    plan: Plan | None = None


class Stay(Protocol):
    """A stay as it goes on. A recorded one goes on whatever is said; a simulated patient listens."""

    def next_at(self) -> datetime | None:
        """When something arrives next; None when nothing more will."""

    def take(self) -> Arrival:
        """What arrives next, taken out. Instants never go back."""

    def hear(self, at: datetime, judgement: Judgement) -> None:
        """The answer to what arrived, and what time alone brought about: a reminder, say."""


@dataclass(frozen=True, slots=True)
class Team:
    """The team a replay supposes: somebody is always there, acknowledges, makes contact, and closes what has
    recovered. What no reading clears is closed so long after its last breach. Alerts about absence stand until a
    reading comes."""

    acknowledges_after: timedelta = timedelta(minutes=10)
    contacts_after: timedelta = timedelta(minutes=10)
    closes_after: timedelta = timedelta(hours=1)
    gives_up_after: timedelta = timedelta(hours=24)


class Call(NamedTuple):
    """Somebody is called, at an instant: the rule that leads the alert then, and how severe it is."""

    at: datetime
    family: Family
    rule_id: str
    severity: Severity


class Raised(NamedTuple):
    """One alert. `rule_id` led it when it opened; `severity` is the worst it reached; `closed_at` is None for one
    that stood at the end."""

    family: Family
    rule_id: str
    opened_at: datetime
    severity: Severity
    rule_ids: tuple[str, ...]
    calls: int
    closed_at: datetime | None = None


class Replayed(NamedTuple):
    """What a rule set made of one stay, in the order in which it happened."""

    raised: tuple[Raised, ...]
    calls: tuple[Call, ...]
    readings: int
    refused: int


@dataclass(slots=True)
class _Log:
    """What has been raised so far; the unresolved by family."""

    done: list[Raised] = field(default_factory=list)
    standing: dict[Family, Raised] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    called_at: dict[Family, datetime] = field(default_factory=dict)
    readings: int = 0
    refused: int = 0

    def write(self, changes: Iterable[Change]) -> None:
        """Take in what changed."""
        for change in changes:
            self._write(change)

    def close(self, family: Family, at: datetime) -> None:
        """A person resolved it, or it resolved itself."""
        self.done.append(self.standing.pop(family)._replace(closed_at=at))

    def _write(self, change: Change) -> None:
        family, after = change.family, change.after
        calls = change.kind in CALLS
        if calls:
            self.called_at[family] = change.at
            self.calls.append(Call(change.at, family, leading(after.traces).rule_id, after.severity))
        if change.kind == Kind.OPENED:
            self.standing[family] = _raised(after)
        else:
            before = self.standing[family]
            self.standing[family] = before._replace(
                severity=after.peak_severity, rule_ids=after.rule_ids, calls=before.calls + calls
            )
        if after.state == State.RESOLVED:
            self.close(family, change.at)


def replay(stay: Stay, start: Record, team: Team, until: datetime) -> Replayed:
    """Go through a stay from the `start` (its plan, service hours, rules and watch; no episodes) up to and including
    `until`. Without a watch nobody looks for missed readings. At one instant time comes first, then what arrives, then
    people."""
    record, log, known, at = start, _Log(), list[Reading](), datetime.min.replace(tzinfo=UTC)
    while (step := _next(stay, record, log, team, until)) is not None:
        at, what = max(at, step[0]), step[1]
        if isinstance(what, HumanEvent):
            judgement = act(record, what._replace(at=at), {})
            log.write(judgement.changes)
            if what.verb == Verb.RESOLVE:
                log.close(what.family, at)
        elif what is None:
            judgement = advance(record, at)
            log.write(judgement.changes)
            stay.hear(at, judgement)
        else:
            judgement = _arrives(record, what.take(), known, log)
            stay.hear(at, judgement)
        record = judgement.record
    raised = sorted((*log.done, *log.standing.values()), key=lambda alert: (alert.opened_at, alert.family))
    return Replayed(tuple(raised), tuple(log.calls), log.readings, log.refused)


def _next(
    stay: Stay, record: Record, log: _Log, team: Team, until: datetime
) -> tuple[datetime, Stay | HumanEvent | None] | None:
    """What comes next: time (None), the stay, or a person; nothing after `until`."""
    steps: list[tuple[datetime, int, Stay | HumanEvent | None]] = []
    if (due := next_due_at(record)) is not None:
        steps.append((due, 0, None))
    if (at := stay.next_at()) is not None:
        steps.append((at, 1, stay))
    for episode in record.episodes.values():
        if (event := _next_act(episode, log.called_at[episode.family], team)) is not None:
            steps.append((event.at, 2, event))
    if not steps:
        return None
    at, _, what = min(steps, key=lambda step: step[:2])
    return None if at > until else (at, what)


def _arrives(record: Record, arrival: Arrival, known: list[Reading], log: _Log) -> Judgement:
    """Judge what arrived, knowing as much as the service would load."""
    changes: list[Change] = []
    judgement = Judgement((), (), record)
    if arrival.plan is not None:
        judgement = change_plan(record, arrival.plan, arrival.at)
        changes += judgement.changes
    for _ in range(arrival.refused):
        judgement = refuse(judgement.record, arrival.at)
        changes += judgement.changes
    reminders = judgement.reminders
    if arrival.readings:
        window = _window(known, arrival.readings)
        judgement = judge(judgement.record._replace(window=window), arrival.readings)
        changes += judgement.changes
        for reading in arrival.readings:
            insort(known, reading, key=_observed)
    log.readings += len(arrival.readings)
    log.refused += arrival.refused
    log.write(changes)
    return Judgement(judgement.evaluations, tuple(changes), judgement.record, (*reminders, *judgement.reminders))


def _window(known: Sequence[Reading], arrivals: Sequence[Reading]) -> tuple[Reading, ...]:
    since = min(reading.observed_at for reading in arrivals) - WINDOW
    first = len(known)
    while first and known[first - 1].observed_at > since:
        first -= 1
    return tuple(known[first:])


def _next_act(episode: Episode, called_at: datetime, team: Team) -> HumanEvent | None:
    """What the team does next about an unresolved alert, and when."""
    family, taken = episode.family, episode.acknowledged_at
    if episode.state != State.ACKNOWLEDGED or taken is None:
        return HumanEvent(called_at + team.acknowledges_after, family, Verb.ACKNOWLEDGE)
    if episode.contacted_at is None:
        return HumanEvent(taken + team.contacts_after, family, Verb.CONTACT)
    if episode.recovered_at is not None:
        seen = max(episode.recovered_at, episode.contacted_at)
        return HumanEvent(seen + team.closes_after, family, Verb.RESOLVE)
    if family.channel == Channel.COMPLIANCE:
        return None
    return HumanEvent(max(taken, episode.last_breach_at) + team.gives_up_after, family, Verb.RESOLVE)


def _observed(reading: Reading) -> datetime:
    return reading.observed_at


def _raised(opened: Episode) -> Raised:
    rule_id = leading(opened.traces).rule_id
    return Raised(opened.family, rule_id, opened.opened_at, opened.peak_severity, opened.rule_ids, calls=1)
