"""A reading entered in error had covered a silence: the watch is set back, and what was missed is told."""

from typing import Any

import pytest

from alerts.correct import Closing, correct, refold, set_back, watched
from alerts.decide import Decisions
from alerts.episode import State
from alerts.fold import PauseEvent, PlanEvent, Verb, fold
from alerts.judge import advance
from alerts.limits import USUAL_LIMITS
from alerts.missed import unreminded
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from alerts.severity import Family, Severity
from alerts.transitions import Trigger, step
from alerts.watch import Watch, begin_watch
from tests.alerts.stay import Stay, clock, reading, told

MISSED, HIGH, LOW = Family.MISSED_READING, Severity.HIGH, Severity.LOW
START = Record(watch=begin_watch(clock("08:00")))
RIGHT = reading("08:00", spo2=97)


def lived(wrong: Reading, until: str) -> Stay:
    """A stay from 08:00 with one right reading then, and a wrong one."""
    stay = Stay(admitted="08:00")
    stay.receives(RIGHT)
    stay.receives(wrong)
    stay.waits_until(until)
    return stay


def corrected(stay: Stay, at: str, closings: list[Closing] | None = None) -> tuple[Decisions, Watch]:
    without = refold(START, [RIGHT], [], [], closings or [], clock(at))
    assert stay.record.watch is not None
    decided = correct(stay.record.episodes, without.episodes, clock(at), "wrong", USUAL_LIMITS)
    return decided, set_back(stay.record.watch, without)


@pytest.mark.hazard("H1")
def test_a_silence_that_has_passed_is_told_at_once_from_its_own_beginning() -> None:
    stay = lived(reading("1 07:00", spo2=97, id="wrong"), "1 09:10")
    assert stay.families == set()
    decided, watch = corrected(stay, "1 09:10")
    (change,) = decided.changes
    assert (change.kind, change.at, change.reason) == ("opened", clock("1 09:10"), "a reading was entered in error")
    whole = fold(START, [RIGHT], until=clock("1 09:10")).episodes[MISSED]
    assert (change.after.severity, change.after.first_breach_at) == (HIGH, whole.first_breach_at)
    assert whole.first_breach_at == clock("13:00")
    assert change.after.respond_by == clock("1 09:40")
    assert watch.silent_from == clock("08:00")


@pytest.mark.hazard("H1")
def test_a_silence_that_has_not_passed_yet_counts_from_what_is_left() -> None:
    stay = lived(reading("1 07:00", spo2=97, id="wrong"), "1 07:30")
    decided, watch = corrected(stay, "1 07:30")
    assert decided.episodes[MISSED].severity == LOW
    record = stay.record._replace(window=(RIGHT,), newest_resting_at=None, episodes=decided.episodes, watch=watch)
    assert advance(record, clock("1 07:59")).changes == ()
    (worse,) = advance(record, clock("1 08:00")).changes
    assert (worse.kind, worse.after.severity) == ("worsened", HIGH)


def test_an_alert_about_silence_that_the_error_had_ended_is_open_again() -> None:
    stay = lived(reading("1 10:00", spo2=97, id="wrong"), "1 10:05")
    assert stay.alert(MISSED).state == State.RECOVERED
    decided, _ = corrected(stay, "1 10:10")
    (change,) = decided.changes
    assert (change.kind, change.after.state, change.after.recovered_at) == ("reopened", State.OPEN, None)
    assert change.transition == step(State.RECOVERED, Trigger.BREACH)[1]
    assert change.after.opened_at == stay.alert(MISSED).opened_at


def test_one_that_stands_is_told_as_worse_when_it_is() -> None:
    stay = lived(reading("09:00", spo2=97, id="wrong"), "1 08:30")
    assert stay.alert(MISSED).severity == LOW
    decided, _ = corrected(stay, "1 08:30")
    (change,) = decided.changes
    assert (change.kind, change.severity_before, change.after.severity) == ("worsened", LOW, HIGH)


def test_one_that_stands_no_worse_is_left_alone() -> None:
    stay = lived(reading("09:00", spo2=97, id="wrong"), "1 09:30")
    decided, _ = corrected(stay, "1 09:30")
    assert (decided.changes, decided.episodes[MISSED]) == ((), stay.alert(MISSED))


def test_absence_that_was_told_is_never_taken_back() -> None:
    # 94 at 08:00 makes the missed slot of 13:00 urgent; without it nobody would have been told yet.
    stay = Stay(admitted="08:00")
    stay.reads("08:00", spo2=94, breathlessness=0, id="wrong")
    stay.reads("08:01", spo2=97)
    stay.waits_until("14:30")
    stands = stay.alert(MISSED)
    assert stands.severity == HIGH
    without = refold(START, [reading("08:01", spo2=97)], [], [], [], clock("14:30"))
    assert MISSED not in without.episodes
    decided = correct(stay.record.episodes, without.episodes, clock("14:30"), "wrong", USUAL_LIMITS)
    assert decided.episodes[MISSED] is stands


def test_what_a_person_closed_is_not_told_again() -> None:
    stay = lived(reading("1 10:00", spo2=97, id="wrong"), "1 10:05")
    stay.acts("1 10:06", Verb.RESOLVE, MISSED)
    decided, _ = corrected(stay, "1 10:10", [Closing(clock("1 10:06"), MISSED)])
    assert decided.changes == ()


def test_what_a_plan_lacks_is_no_matter_of_a_reading() -> None:
    stay = lived(reading("1 07:00", spo2=97, id="wrong"), "2 08:00")
    assert Family.PLAN in stay.families
    without = refold(START, [RIGHT], [], [], [], clock("2 08:00"))
    episodes = {family: each for family, each in stay.record.episodes.items() if family != Family.PLAN}
    assert Family.PLAN not in correct(episodes, without.episodes, clock("2 08:00"), "wrong", USUAL_LIMITS).episodes


def test_nobody_watches_and_nothing_is_set_back() -> None:
    watch = begin_watch(clock("08:00"))
    assert set_back(watch, refold(Record(), [RIGHT], [], [], [], clock("1 09:10"))) is watch
    assert watched(Record(), [], [], clock("09:00")).watch is None


@pytest.mark.parametrize(("due", "expected"), [("12:00", "12:00"), ("2 00:00", "14:00"), (None, "14:00")])
def test_what_is_due_because_of_it_is_not_overlooked(due: str | None, expected: str) -> None:
    watch = begin_watch(clock("08:00"))._replace(due_at=None if due is None else clock(due))
    assert set_back(watch, refold(START, [RIGHT], [], [], [], clock("11:00"))).due_at == clock(expected)


def test_a_plan_without_reading_times_waits_for_nothing() -> None:
    never = Record(plan=Plan(reading_times=(), baseline_spo2=97), watch=begin_watch(clock("08:00")))
    without = refold(never, [RIGHT], [], [], [], clock("11:00"))
    assert set_back(begin_watch(clock("08:00"))._replace(due_at=None), without).due_at is None


def test_pauses_and_plans_belong_to_the_history() -> None:
    pauses = [PauseEvent(clock("08:10"), clock("1 20:00")), PauseEvent(clock("1 12:00"), None)]
    once: dict[str, Any] = {"reading_times": ("18:00",)}
    plans = [PlanEvent(clock("1 13:00"), Plan(**once))]
    for until in ("1 12:00", "1 21:59", "1 22:00", "2 11:59", "2 12:00", "3 02:00"):
        folded = refold(START, [RIGHT], plans, [], [], clock(until), pauses)
        whole = fold(START, [RIGHT], plans=plans, pauses=pauses, until=clock(until))
        assert folded == whole.record
    assert folded.episodes[MISSED].severity == HIGH


@pytest.mark.parametrize("since", ["07:00", "08:05", "12:00", "1 11:00", "1 12:30", "1 13:30"])
def test_the_watch_of_an_earlier_instant_looks_on_as_the_whole_fold(since: str) -> None:
    pauses = [PauseEvent(clock("08:10"), clock("1 20:00")), PauseEvent(clock("1 12:00"), None)]
    plans = [PlanEvent(clock("1 13:00"), Plan(reading_times=("18:00",)))]
    known = Record(
        watch=START.watch, window=(RIGHT,) if clock(since) > RIGHT.received_at else (),
        newest_resting_at=RIGHT.observed_at if clock(since) > RIGHT.received_at else None,
    )  # fmt: skip
    start = watched(known, plans, pauses, clock(since))
    at = clock(since)
    assert start.watch is not None
    assert start.watch.due_at == max(at, clock("08:00"))
    folded = refold(
        start, [r for r in (RIGHT,) if r.received_at >= at], [p for p in plans if p.at >= at], [], [], clock("3 02:00"),
        [p for p in pauses if p.at >= at],
    )  # fmt: skip
    whole = fold(START, [RIGHT], plans=plans, pauses=pauses, until=clock("3 02:00"))
    assert folded.episodes[MISSED] == whole.episodes[MISSED]
    assert (folded.plan, folded.watch) == (whole.record.plan, whole.record.watch)


def reminded(
    wrong: Reading, at: str, *, looked: str = "", start: Record = START, more: tuple[Reading, ...] = ()
) -> Any:
    """What the person is asked for when the wrong reading of a day is taken back; the clock was looked at before."""
    stay = Stay()
    stay.record = start
    for each in sorted((RIGHT, wrong, *more), key=lambda one: one.received_at):
        stay.receives(each)
    stay.waits_until(looked or at)
    without = refold(start, [RIGHT, *more], [], [], [], clock(at))
    assert stay.record.watch is not None
    asked = unreminded(without, stay.record.watch, wrong, clock(at))
    return [(told(each.slot), told(each.at), told(each.until)) for each in asked]


FILLED = reading("12:50", spo2=97, id="wrong")
"""The slot of 13:00, and nothing was asked at 14:00."""


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        ("13:59", []),  # the clock will do it
        ("14:00", []),  # at that instant too, if nobody has looked
        ("14:01", [("13:00", "14:01", "17:00")]),
        ("16:59", [("13:00", "16:59", "17:00")]),
        ("17:00", []),
        ("1 09:30", []),
    ],
)
def test_a_slot_that_a_wrong_reading_had_filled_is_asked_for_while_it_can_be_filled(at: str, asked: list[Any]) -> None:
    assert reminded(FILLED, at, looked="13:59" if at == "14:00" else "") == asked


def test_what_the_clock_has_not_looked_at_yet_is_left_to_it() -> None:
    stay = lived(FILLED, "13:30")
    without = refold(START, [RIGHT], [], [], [], clock("14:30"))
    watch = stay.record.watch
    assert watch is not None
    early = watch._replace(due_at=clock("14:00"))
    assert unreminded(without, early, FILLED, clock("14:30")) == ()
    never = watch._replace(due_at=None)
    assert len(unreminded(without, never, FILLED, clock("14:30"))) == 1


def test_nobody_is_asked_twice_for_a_slot() -> None:
    # The reminder of 14:00 was given before the wrong reading came.
    assert reminded(reading("14:00", spo2=97, id="wrong"), "14:30") == []
    assert reminded(reading("14:20", spo2=97, id="wrong"), "14:30") == []


def test_nobody_is_asked_for_a_slot_that_another_reading_fills() -> None:
    assert reminded(FILLED, "14:30", more=(reading("14:10", spo2=98),)) == []


def test_a_reading_that_filled_nothing_empties_nothing() -> None:
    assert reminded(reading("12:50", spo2=97, id="wrong", quality="poor"), "14:30") == []
    # The slot of 13:00 is empty with and without it, and was asked for.
    assert reminded(reading("14:30", received="14:31", id="wrong", breathlessness=2), "15:00") == []


def test_of_many_slots_only_the_one_that_the_reading_filled_is_asked_for() -> None:
    start = START._replace(plan=Plan(reading_times=("08:00", "09:00", "10:00", "11:00", "12:00")))
    wrong = reading("09:50", spo2=97, id="wrong")
    # The slots of 10:00 and 11:00 were empty anyway, and asked for at their time.
    assert reminded(wrong, "12:30", start=start) == [("09:00", "12:30", "13:00")]
