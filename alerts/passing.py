"""What time alone brings about in a stay: waits that run out, readings that do not come, a plan that is due."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from alerts.change import Change, Reminder
from alerts.conclude import settle
from alerts.decide import keep
from alerts.episode import Episode
from alerts.hurrying import hurry
from alerts.missed import (
    MissedDue,
    SilenceDue,
    SlotDue,
    finding_of,
    last_valid_at,
    limits_of,
    missed_between,
    overtaken,
)
from alerts.plan import Plan
from alerts.raising import raise_finding
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.review import gaps, lacks_prescription, review_finding
from alerts.rule import Finding
from alerts.rules.absence import NO_PRESCRIPTION, REVIEW_DUE
from alerts.severity import Family
from alerts.waiting import advance_episodes
from alerts.waking import wake_all
from alerts.watch import Watch, WatchLimits

_TICK = timedelta(microseconds=1)
_AHEAD = timedelta(hours=50)
"""Whatever the reading times are, a slot or a silence falls due within this time."""
_NEAR = timedelta(hours=12)


class GapDue(NamedTuple):
    """The plan lacks something from an instant on."""

    at: datetime
    name: str


Due = SlotDue | SilenceDue | GapDue


def pass_time(record: Record, now: datetime) -> Judgement:
    """Apply everything that falls due up to and including `now`, each thing once and in order, however long nobody
    looked. Nothing is due: the record comes back as it is, in well under a microsecond."""
    watch, limits = record.watch, record.rule_set.watch
    if watch is None:
        return _run_out(record, now)
    passed = _looked(record, watch, now) if _due(watch, now) else _run_out(record, now)
    before = watch.limits
    passed = passed if before in (None, limits) else _renumbered(passed, watch, before, now)
    return passed if watch.responses == record.rule_set.responses else hurry(passed, watch, now)


def _looked(record: Record, watch: Watch, now: datetime) -> Judgement:
    limits, watch = limits_of(record, watch), _after_pause(watch, now)
    if watch.limits is None:
        watch = watch._replace(limits=limits)
    record = record._replace(watch=watch)
    changes: list[Change] = []
    reminders: list[Reminder] = []
    start = watch.due_at or now
    ahead = list(missed_between(record, watch, start, now + _NEAR))
    passed: list[Due] = [due for due in ahead if due.at <= now]
    for due in sorted([*passed, *_gaps_between(record, watch, start, now)], key=_order):
        run_out = _run_out(record, due.at)
        reminders += _reminders(due, limits)
        raised = _apply(run_out.record, watch, due)
        changes += (*run_out.changes, *raised.changes)
        record = raised.record
    run_out = _run_out(record, now)
    watch = run_out.record.watch or watch
    # What is known now is remembered: the next look may be after the window has moved on.
    due_at = _first_after(run_out.record, watch, now, ahead)
    watch = watch._replace(silent_from=last_valid_at(run_out.record, watch), due_at=due_at)
    record = run_out.record._replace(watch=watch)
    return Judgement((), (*changes, *run_out.changes), record, tuple(reminders))


def _renumbered(passed: Judgement, watch: Watch, before: WatchLimits, now: datetime) -> Judgement:
    """The limits of the watch have changed since it last looked: from now on it goes by the new ones, and what they
    make due at once is raised."""
    limits = passed.record.rule_set.watch
    watch = (passed.record.watch or watch)._replace(limits=limits)
    record, changes, reminders = passed.record._replace(watch=watch), passed.changes, passed.reminders
    for due in sorted(overtaken(record, watch, before, now), key=_order):
        raised = _apply(record, watch, due)
        record, changes, reminders = raised.record, (*changes, *raised.changes), (*reminders, *_reminders(due, limits))
    return _rewatched(Judgement((), changes, record, reminders), record, watch, now)


def next_due_at(record: Record) -> datetime | None:
    """When the stay has to be looked at though nothing arrives; None: never. It may be too early (a reading has filled
    the slot since), never too late; after a look it is later than the look."""
    ends = [None if record.watch is None else record.watch.due_at]
    ends += [episode.next_due_at for episode in record.episodes.values()]
    return min((at for at in ends if at is not None), default=None)


def pause(record: Record, until: datetime, at: datetime) -> Judgement:
    """Missed readings are not looked for until an instant. Everything else goes on, red rules first of all."""
    passed = pass_time(record, at)
    watch = passed.record.watch
    return passed if watch is None else _rewatched(passed, passed.record, watch._replace(paused_until=until), at)


def resume(record: Record, at: datetime) -> Judgement:
    """A pause ends before its time: the clock for readings starts again, as at admission."""
    passed = pass_time(record, at)
    watch = passed.record.watch
    if watch is None or watch.paused_until is None:
        return passed
    return _rewatched(passed, passed.record, watch.restarted(at), at)


def replanned(judged: Judgement, plan: Plan, at: datetime) -> Judgement:
    """A new plan is in force, and `judged` is what it did to the alerts: R23 is cleared if nothing that was told is
    lacking any more; new reading times count from now."""
    record, watch = judged.record, judged.record.watch
    if watch is None:
        return judged
    times_changed = plan.reading_times != record.plan.reading_times
    slots_from = at if times_changed else watch.slots_from
    watch = watch._replace(planned_at=at, slots_from=slots_from, plan_version=plan.version)
    lacking = {name for name, since in gaps(plan, watch, record).items() if since <= at}
    if plan.prescribed_oxygen_flow is None:
        lacking.add(NO_PRESCRIPTION)
    watch = watch._replace(told=tuple(name for name in watch.told if name in lacking))
    record = record._replace(plan=plan)
    if watch.told:
        return _rewatched(judged, record, watch, at)
    cleared = _reviewed(record, at)
    changes = (*judged.changes, *cleared.changes)
    return _rewatched(judged._replace(changes=changes), cleared.record, watch, at)


def without_prescription(record: Record, readings: Sequence[Reading], at: datetime) -> Judgement:
    """Readings that were judged say that somebody is on oxygen: R23 if the plan does not say how much. Once a plan."""
    watch = record.watch
    if watch is None or NO_PRESCRIPTION in watch.told:
        return Judgement((), (), record)
    if not any(lacks_prescription(record.plan, reading.oxygen_flow) for reading in readings):
        return Judgement((), (), record)
    return _apply(record, watch, GapDue(at, NO_PRESCRIPTION))


def _due(watch: Watch, now: datetime) -> bool:
    return watch.due_at is not None and watch.due_at <= now


def _after_pause(watch: Watch, now: datetime) -> Watch:
    until = watch.paused_until
    return watch if until is None or until > now else watch.restarted(until)


def _run_out(record: Record, now: datetime) -> Judgement:
    """Apply the waits of the episodes."""
    for episode in record.episodes.values():
        if any(wait.due_at <= now for wait in episode.waits):
            decisions = advance_episodes(record.episodes, now, record.human_limits, record.rule_set)
            return Judgement((), decisions.changes, record._replace(episodes=decisions.episodes))
    return Judgement((), (), record)


def _gaps_between(record: Record, watch: Watch, start: datetime, end: datetime) -> Iterator[GapDue]:
    for name, at in gaps(record.plan, watch, record).items():
        if name not in watch.told and max(at, start) <= end:
            yield GapDue(max(at, start), name)


def _first_after(record: Record, watch: Watch, now: datetime, near: Iterable[MissedDue]) -> datetime | None:
    """The first limit after `now`. `near`: the limits of readings that could be missed in the next hours, looked up
    already. The first is mostly among them, and looking further costs more."""
    ahead = [due.at for due in near if due.at > now]
    ahead = ahead or [due.at for due in missed_between(record, watch, now + _NEAR, now + _AHEAD)]
    of_plan = gaps(record.plan, watch, record)
    soonest = now + _TICK
    ahead += [max(at, soonest) for name, at in of_plan.items() if name not in watch.told]
    if watch.paused_until is not None:
        ahead.append(max(watch.paused_until, soonest))
    return min(ahead, default=None)


def _order(due: Due) -> tuple[datetime, bool]:
    """By time; of one instant what is urgent first."""
    return due.at, not isinstance(due, SilenceDue)


def _reminders(due: Due, limits: WatchLimits) -> tuple[Reminder, ...]:
    if not isinstance(due, SlotDue) or due.missed:
        return ()
    return (Reminder(due.slot, due.at, due.slot + limits.until),)


def _apply(record: Record, watch: Watch, due: Due) -> Judgement:
    if isinstance(due, GapDue):
        told = (*(record.watch or watch).told, due.name)
        noted = record._replace(watch=watch._replace(told=told))
        return put_finding(noted, review_finding(record, told, due.at), due.at, due.at)
    finding = finding_of(record, watch, due)
    woken: tuple[Change, ...] = ()
    if isinstance(due, SlotDue):
        decisions = wake_all(record.episodes, due.at, "a reading was missed")
        record, woken = record._replace(episodes=decisions.episodes), decisions.changes
    if finding is None:
        return Judgement((), woken, record)
    raised = put_finding(record, finding, due.slot if isinstance(due, SlotDue) else due.at, due.at)
    return raised._replace(changes=(*woken, *raised.changes))


def put_finding(record: Record, finding: Finding, observed_at: datetime, at: datetime) -> Judgement:
    """A finding that came without a judged reading, put to the alert of its family; a new one when there is none."""
    before = record.episodes.get(finding.family)
    return _kept(record, finding.family, *raise_finding(before, finding, observed_at, at, record.human_limits))


def _reviewed(record: Record, at: datetime) -> Judgement:
    """R23 has nothing left to say."""
    before = record.episodes.get(Family.PLAN)
    if before is None:
        return Judgement((), (), record)
    return _kept(record, Family.PLAN, *settle(before, REVIEW_DUE.key, "the plan changed", at, record.human_limits))


def _kept(record: Record, family: Family, episode: Episode, change: Change | None) -> Judgement:
    episodes = dict(record.episodes)
    keep(episodes, family, episode)
    return Judgement((), () if change is None else (change,), record._replace(episodes=episodes))


def _rewatched(judged: Judgement, record: Record, watch: Watch, at: datetime) -> Judgement:
    """What is due has changed: look for it anew from `at` on."""
    near = missed_between(record, watch, at, at + _NEAR)
    watch = watch._replace(due_at=_first_after(record, watch, at, near))
    return judged._replace(record=record._replace(watch=watch))
