"""Histories at random: what holds whatever comes, in whatever order."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.change import Change, Reminder
from alerts.checkpoint import load
from alerts.fold import PauseEvent, RuleSetEvent, fold
from alerts.judge import advance, judge
from alerts.passing import pause, resume
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.rule_set import RuleSet
from alerts.severity import Family, Severity
from alerts.watch import begin_watch, dump_watch, load_watch
from tests.alerts.stay import MIDNIGHT, stored

CRITICAL = Severity.CRITICAL

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "spo2": st.sampled_from([45, 47, 84, 88, 90, 91, 92, 92.5, 93, 94, 95, 96, 97, 98]),
        "breathlessness": st.sampled_from([0, 1, 2, 3, 5, 7]),
        "pulse_rate": st.sampled_from([35, 75, 125, 140]),
        "respiratory_rate": st.sampled_from([8, 16, 24, 30]),
        "systolic_bp": st.sampled_from([85, 120]),
        "temperature": st.sampled_from([36.8, 39.5]),
        "oxygen_flow": st.sampled_from([0, 1, 3]),
        "consciousness": st.sampled_from(["alert", "voice"]),
        "symptoms": st.sampled_from([(), ("chest_pain",)]),
        "quality": st.sampled_from(["good", "poor", "unknown"]),
        "context": st.sampled_from(["rest", "rest", "sleep", "unknown", "post_exertion_40_steps"]),
        "time_corrected": st.sampled_from([False, False, True]),
    },
)
PLANS = st.sampled_from(
    [
        Plan(),
        Plan(baseline_spo2=97, usual_breathlessness=1, prescribed_oxygen_flow=1),
        Plan(profile="hypercapnic", prescribed_oxygen_flow=1),  # type: ignore[arg-type]
    ]
)


def kept(record: Record) -> Record:
    """What a service keeps between two looks: the alerts and the watch as JSON, the readings, the plan."""
    episodes = {family: load(stored(each)) for family, each in record.episodes.items()}
    watch = None if record.watch is None else load_watch(json.loads(json.dumps(dump_watch(record.watch))))
    return Record(plan=record.plan, window=record.window, episodes=episodes, watch=watch, rule_set=record.rule_set)


@st.composite
def histories(draw: st.DrawFn) -> list[Reading]:
    """Readings in order of receipt, most observed a moment before, some hours before, some received
    together."""
    readings, now = [], MIDNIGHT
    for number in range(draw(st.integers(1, 14))):
        now += timedelta(minutes=draw(st.sampled_from([0, 3, 6, 16, 31, 70, 400])))
        age = timedelta(minutes=draw(st.sampled_from([0, 0, 0, 5, 45, 300, 1500])))
        values: Any = draw(VALUES)
        readings.append(Reading(id=f"{number:02}", observed_at=now - age, received_at=now, **values))
    return readings


@settings(max_examples=120, deadline=None)
@given(histories(), PLANS)
def test_never_two_unresolved_alerts_of_a_family_and_severity_never_falls_unless_transient(
    readings: list[Reading], plan: Plan
) -> None:
    open_now: set[Family] = set()
    for change in fold(Record(plan=plan), readings, until=MIDNIGHT + timedelta(days=9)).changes:
        assert (change.kind == "opened") == (change.before is None)
        if change.kind == "opened":
            assert change.family not in open_now
            open_now.add(change.family)
        if not change.after.unresolved:
            open_now.remove(change.family)
        if change.before is not None and change.after.severity < change.before.severity:
            assert "R1" in change.after.rule_ids
            assert change.after.peak_severity == CRITICAL
        assert change.after.peak_severity >= change.after.severity


@settings(max_examples=120, deadline=None)
@given(histories(), PLANS, st.data())
def test_going_on_from_a_checkpoint_equals_the_whole_fold(
    readings: list[Reading], plan: Plan, data: st.DataObject
) -> None:
    whole = fold(Record(plan=plan), readings)
    record, changes = Record(plan=plan), []
    for received_at in sorted({one.received_at for one in readings}):
        # A timer may have looked in between.
        then = kept(record)
        if data.draw(st.booleans()):
            looked = advance(then, received_at)
            then, changes = looked.record, [*changes, *looked.changes]
        judgement = judge(then, [one for one in readings if one.received_at == received_at])
        record, changes = judgement.record, [*changes, *judgement.changes]
    assert dict(record.episodes) == dict(whole.episodes)
    assert tuple(changes) == whole.changes


def lived(
    start: Record,
    readings: list[Reading],
    end: datetime,
    data: st.DataObject,
    happens: Callable[[Record, datetime], Iterator[Judgement]],
) -> Judgement:
    """What comes of a life in which only what a service keeps goes from one look to the next. At each receipt first
    comes what `happens` then; a timer may have looked a minute before."""
    record, changes, reminders = start, list[Change](), list[Reminder]()
    for at in [*sorted({one.received_at for one in readings}), end]:
        steps = [advance(kept(record), at - timedelta(minutes=1))] if data.draw(st.booleans()) else []
        steps += happens(kept(steps[-1].record if steps else record), at)
        before = kept(steps[-1].record if steps else record)
        steps.append(judge(before, [one for one in readings if one.received_at == at]))
        steps.append(advance(kept(steps[-1].record), at))
        record = steps[-1].record
        changes += (change for step in steps for change in step.changes)
        reminders += (reminder for step in steps for reminder in step.reminders)
    return Judgement((), tuple(changes), record, tuple(reminders))


def _equal(whole: Judgement, lived: Judgement) -> None:
    assert dict(lived.episodes) == dict(whole.episodes)
    assert lived.changes == whole.changes
    assert lived.reminders == whole.reminders


@settings(max_examples=120, deadline=None)
@given(histories(), PLANS, st.data())
def test_with_readings_that_do_not_come_and_pauses_it_equals_the_whole_fold_too(
    readings: list[Reading], plan: Plan, data: st.DataObject
) -> None:
    start = Record(plan=plan, watch=begin_watch(MIDNIGHT - timedelta(hours=data.draw(st.sampled_from([1, 30])))))
    instants = sorted({one.received_at for one in readings})
    lengths = data.draw(st.lists(st.sampled_from([None, 0, 1, 9, 60]), min_size=len(instants), max_size=len(instants)))
    pauses = [
        PauseEvent(at, at + timedelta(hours=hours) if hours else None)
        for at, hours in zip(instants, lengths, strict=True)
        if hours is not None
    ]
    end = instants[-1] + timedelta(hours=80)
    whole = fold(start, readings, pauses=pauses, until=end)

    def happens(record: Record, at: datetime) -> Iterator[Judgement]:
        for paused in (event for event in pauses if event.at == at):
            yield resume(record, at) if paused.until is None else pause(record, paused.until, at)

    _equal(whole, lived(start, readings, end, data, happens))


WAITS = st.builds(
    RuleSet,
    version=st.just("ward"),
    slot_before_minutes=st.sampled_from([60, 120, 180]),
    slot_until_minutes=st.sampled_from([120, 240, 360]),
    slot_reminder_minutes=st.sampled_from([30, 60]),
    silent_hours=st.sampled_from([12, 24]),
    silent_gaps=st.sampled_from([1, 1.5]),
    baseline_hours=st.sampled_from([24, 48]),
    critical_acknowledge_minutes=st.sampled_from([5, 15]),
    high_contact_minutes=st.sampled_from([40, 60]),
    medium_acknowledge_minutes=st.sampled_from([30, 120]),
    low_acknowledge_hours=st.sampled_from([8, 24]),
    answer_holds_minutes=st.sampled_from([15, 60]),
)


@settings(max_examples=80, deadline=None)
@given(histories(), PLANS, st.data())
def test_with_other_rules_that_go_live_it_equals_the_whole_fold_too(
    readings: list[Reading], plan: Plan, data: st.DataObject
) -> None:
    start = Record(plan=plan, watch=begin_watch(MIDNIGHT - timedelta(hours=1)), rule_set=data.draw(WAITS))
    instants = sorted({one.received_at for one in readings})
    lives = [RuleSetEvent(at, data.draw(WAITS)) for at in instants if data.draw(st.booleans())]
    end = instants[-1] + timedelta(hours=80)
    whole = fold(start, readings, rule_sets=lives, until=end)

    def happens(record: Record, at: datetime) -> Iterator[Judgement]:
        for live in (event for event in lives if event.at == at):
            # The service looks at the stay with the rules that are live by now: nobody tells the watch.
            before = advance(record, at)
            yield before
            yield advance(kept(before.record)._replace(rule_set=live.rule_set), at)

    _equal(whole, lived(start, readings, end, data, happens))


@settings(deadline=None)
@given(histories(), PLANS)
def test_the_order_within_one_request_does_not_matter(readings: list[Reading], plan: Plan) -> None:
    together = [one._replace(received_at=readings[-1].received_at) for one in readings]
    forwards, backwards = judge(Record(plan=plan), together), judge(Record(plan=plan), together[::-1])
    assert dict(forwards.episodes) == dict(backwards.episodes)
    assert forwards.changes == backwards.changes
