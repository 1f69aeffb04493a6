"""Readings that do not come: the reminder, the alert, the urgent one, and what a pause and a restart do to them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.change import Kind
from alerts.episode import State
from alerts.fold import Verb
from alerts.judge import advance, catch_up, change_plan, change_rule_set, judge
from alerts.limits import ServiceHours
from alerts.passing import next_due_at
from alerts.plan import Plan
from alerts.rule_set import RuleSet
from alerts.severity import Family, Severity
from alerts.watch import begin_watch, dump_watch, load_watch
from tests.alerts.stay import Stay, clock, reading, told

MISSED, OXYGEN = Family.MISSED_READING, Family.OXYGEN
LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH
KNOWN: dict[str, Any] = {"baseline_spo2": 97}
"""A plan that lacks nothing, so that nothing but readings is missed."""


def story(stay: Stay) -> list[tuple[str, str, str]]:
    return [(str(change.kind), change.after.severity.word, told(change.at)) for change in stay.changes]


@pytest.mark.hazard("H1")
def test_nothing_arrives_after_admission() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("13:59")
    assert (stay.reminders, stay.changes) == ([], [])
    stay.waits_until("14:00")
    assert stay.reminded == ["13:00 at 14:00"]
    assert stay.waits_until("16:59") == []
    stay.waits_until("17:00")
    assert story(stay) == [("opened", "low", "17:00")]
    stay.waits_until("1 09:59")
    assert stay.alert(MISSED).severity == LOW
    stay.waits_until("1 10:00")
    assert story(stay)[-1] == ("worsened", "high", "1 10:00")
    assert stay.reminded == ["13:00 at 14:00", "19:00 at 20:00", "1 09:00 at 1 10:00"]


def test_a_reminder_says_how_long_it_is_worth_sending() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("14:00")
    (reminder,) = stay.reminders
    assert (reminder.slot, reminder.until) == (clock("13:00"), clock("17:00"))


def test_who_measures_as_asked_hears_nothing() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    for at in ("13:10", "18:00", "1 12:59", "1 13:00"):
        stay.reads(at, spo2=97, breathlessness=0)
    stay.waits_until("1 19:59")
    assert (stay.changes, stay.reminded) == ([], ["1 09:00 at 1 10:00"])


def test_two_empty_slots_in_a_row_are_missed_before_four_hours_are_over() -> None:
    stay = Stay(admitted="08:00", reading_times=("09:00", "11:00", "13:00"), **KNOWN)
    stay.waits_until("11:59")
    assert stay.changes == []
    stay.waits_until("12:00")
    assert story(stay) == [("opened", "low", "12:00")]
    assert "nor for the one before it" in stay.alert(MISSED).explanation.text


def test_a_filled_slot_between_two_empty_ones_breaks_the_row() -> None:
    stay = Stay(admitted="08:00", reading_times=("09:00", "11:00", "13:00"), **KNOWN)
    stay.reads("10:30", spo2=97, breathlessness=0)
    stay.reads("11:30", spo2=97, breathlessness=0)
    stay.waits_until("14:00")
    assert (stay.reminded, stay.changes) == (["09:00 at 10:00", "13:00 at 14:00"], [])


def test_an_open_oxygen_alert_makes_a_missed_slot_urgent_after_an_hour() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("09:00", spo2=94, breathlessness=0)
    stay.waits_until("13:59")
    assert stay.families == {OXYGEN}
    (change,) = stay.waits_until("14:00")
    assert (change.family, change.after.severity, change.at) == (MISSED, HIGH, clock("14:00"))
    assert "while a low value is an open alert" in change.after.explanation.text
    assert stay.reminded == ["13:00 at 14:00"]


def test_so_does_a_last_value_that_was_amber_though_its_alert_is_closed() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("09:00", spo2=94, breathlessness=0)
    stay.acts("09:10", Verb.RESOLVE)
    (change,) = stay.waits_until("14:00")
    assert (change.family, change.after.severity) == (MISSED, HIGH)
    assert "the last value was 94 %" in change.after.explanation.text


def test_an_alert_that_has_recovered_is_no_worry_any_more() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    for at, spo2 in (("08:10", 91), ("08:12", 91), ("08:40", 97), ("09:00", 97)):
        stay.reads(at, spo2=spo2, breathlessness=1)
    assert stay.alert().state == State.RECOVERED
    stay.waits_until("14:00")
    assert stay.families == {OXYGEN}


@pytest.mark.parametrize(
    "values",
    [{"pulse_rate": 80}, {"spo2": 97, "quality": "poor"}, {"spo2": 97, "context": "unknown"},
     {"spo2": 97, "context": "post_exertion_40_steps"}, {"breathlessness": 0}],
)  # fmt: skip
def test_only_a_resting_value_on_a_good_signal_ends_it(values: dict[str, Any]) -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("1 10:00")
    stay.reads("1 10:30", **values)
    assert stay.alert(MISSED).state == State.OPEN
    stay.reads("1 10:40", spo2=97, breathlessness=0)
    assert stay.alert(MISSED).state == State.RECOVERED


def test_a_low_one_resolves_by_itself_when_a_value_comes() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("17:00")
    (change,) = stay.reads("18:00", spo2=97, breathlessness=0)
    assert (change.kind, change.family) == (Kind.RESOLVED, MISSED)
    assert stay.families == set()


def test_a_value_older_than_a_day_does_not_end_the_silence() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("1 13:00")
    stay.reads("12:00", received="1 13:00", spo2=97, breathlessness=0)
    assert stay.alert(MISSED).state == State.OPEN


def test_a_longer_gap_in_the_plan_allows_a_longer_silence() -> None:
    stay = Stay(admitted="09:00", reading_times=("09:00",), **KNOWN)
    stay.reads("09:00", spo2=97, breathlessness=0)
    stay.waits_until("1 20:59")
    assert stay.alert(MISSED).severity == LOW
    stay.waits_until("1 21:00")
    assert stay.alert(MISSED).severity == HIGH
    assert "for 36 h, since 09:00 on 22 November" in stay.alert(MISSED).explanation.text


def test_the_silence_counts_from_the_last_value_not_from_admission() -> None:
    stay = Stay(admitted="00:00", **KNOWN)
    stay.reads("18:00", spo2=97, breathlessness=0)
    stay.waits_until("1 17:59")
    assert stay.alert(MISSED).severity == LOW
    stay.waits_until("1 18:00")
    assert stay.alert(MISSED).severity == HIGH


@pytest.mark.hazard("H6")
def test_each_further_slot_is_told_once_and_a_silence_that_stands_is_not_told_again() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("2 12:00")
    assert story(stay) == [
        ("opened", "low", "17:00"), ("updated", "low", "23:00"), ("worsened", "high", "1 10:00"),
        ("updated", "high", "1 17:00"), ("updated", "high", "1 23:00"),
    ]  # fmt: skip


def test_a_person_who_closes_it_hears_of_the_next_day_of_silence() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("1 23:30")
    stay.acts("1 23:40", Verb.RESOLVE, MISSED)
    stay.waits_until("2 09:59")
    assert stay.families == set()
    (change,) = stay.waits_until("2 10:00")
    assert (change.kind, change.after.severity) == (Kind.OPENED, HIGH)
    assert "for 48 h" in change.after.explanation.text


@pytest.mark.parametrize("looks", [("15:00",), ("14:00", "14:10", "14:20", "15:00"), ("14:30", "14:30", "15:00")])
def test_an_hour_in_which_nobody_looked_raises_each_thing_once(looks: tuple[str, ...]) -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("09:00", spo2=94, breathlessness=0)
    stay.waits_until("13:00")
    for at in looks:
        stay.waits_until(at)
    assert stay.reminded == ["13:00 at 14:00"]
    assert [change.family for change in stay.changes if change.at == clock("14:00")] == [MISSED]


def test_days_in_which_nobody_looked_are_the_same_as_looking_every_minute() -> None:
    once, often = Stay(admitted="10:00", **KNOWN), Stay(admitted="10:00", **KNOWN)
    once.waits_until("3 12:00")
    for hour in range(10, 84):
        for minute in (0, 20, 40, 59):
            often.waits_until(f"{hour // 24} {hour % 24}:{minute:02}")
    often.waits_until("3 12:00")
    assert story(once) == story(often)
    assert once.reminders == often.reminders
    assert once.record == often.record


def test_what_was_missed_is_applied_before_the_reading_that_comes_after_it() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    changes = stay.reads("17:30", spo2=97, breathlessness=0)
    assert [(change.kind, told(change.at)) for change in changes] == [("opened", "17:00"), ("resolved", "17:30")]
    assert stay.reminded == ["13:00 at 14:00"]


def test_readings_of_one_request_with_two_receipts_know_each_other() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    judgement = judge(stay.record, [reading("13:00", spo2=97), reading("14:30", spo2=97)])
    assert (judgement.changes, judgement.reminders) == ((), ())


def test_a_pause_stops_the_slots_and_the_silence_and_nothing_else() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("08:30", spo2=97, breathlessness=0)
    stay.is_paused("12:00", until="2 12:00")
    stay.waits_until("2 12:00")
    assert (stay.reminders, stay.changes) == ([], [])
    (change, *_) = stay.reads("2 12:30", spo2=90, breathlessness=1)
    assert (change.family, change.after.severity) == (OXYGEN, Severity.CRITICAL)


def test_a_red_value_alarms_in_a_pause_and_is_confirmed_by_time() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.is_paused("12:00", until="2 12:00")
    stay.reads("13:00", spo2=90, breathlessness=1)
    (change,) = stay.waits_until("13:15")
    assert (change.kind, stay.families) == (Kind.CONFIRMED, {OXYGEN})


def test_after_a_pause_the_clock_starts_again() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("08:30", spo2=97, breathlessness=0)
    stay.is_paused("12:00", until="2 12:00")
    stay.waits_until("2 16:59")
    assert stay.reminded == ["2 13:00 at 2 14:00"]
    stay.waits_until("3 12:00")
    assert story(stay) == [("opened", "low", "2 17:00"), ("updated", "low", "2 23:00"), ("worsened", "high", "3 12:00")]


def test_so_it_does_after_a_pause_that_a_person_ends() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.is_paused("08:30", until="3 08:00")
    stay.is_resumed("2 12:30")
    stay.waits_until("2 17:00")
    assert (stay.reminded, story(stay)) == (["2 13:00 at 2 14:00"], [("opened", "low", "2 17:00")])


def test_resuming_what_is_not_paused_changes_no_clock() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.is_resumed("12:00")
    stay.waits_until("1 10:00")
    assert stay.alert(MISSED).severity == HIGH


def test_what_was_missed_before_a_pause_is_raised_before_it() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    changes = stay.is_paused("18:00", until="1 18:00")
    assert [change.family for change in changes] == [MISSED]


def test_new_reading_times_count_from_the_change_and_the_silence_goes_on() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("09:00", spo2=97, breathlessness=0)
    stay.is_replanned("12:00", reading_times=("10:00", "18:00"), **KNOWN)
    stay.waits_until("18:59")
    assert (stay.reminders, stay.changes) == ([], [])
    stay.waits_until("1 09:00")
    assert stay.reminded == ["18:00 at 19:00"]
    assert story(stay) == [("opened", "low", "22:00"), ("worsened", "high", "1 09:00")]


def test_a_new_plan_with_the_same_times_forgives_no_slot() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.is_replanned("13:30", baseline_spo2=96)
    stay.waits_until("17:00")
    assert story(stay) == [("opened", "low", "17:00")]


def test_a_plan_that_asks_for_no_readings_misses_none() -> None:
    stay = Stay(admitted="10:00", reading_times=(), **KNOWN)
    assert stay.waits_until("9 10:00") == []
    assert next_due_at(stay.record) is None


def test_without_a_watch_nothing_is_missed() -> None:
    stay = Stay(**KNOWN)
    stay.is_paused("10:00", until="12:00")
    stay.is_resumed("11:00")
    assert stay.waits_until("9 10:00") == []
    assert next_due_at(stay.record) is None


def test_a_missed_slot_ends_every_snooze() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("17:00")
    stay.acts("17:10", Verb.SNOOZE, MISSED, until="1 05:00")
    stay.waits_until("19:59")
    assert stay.alert(MISSED).snoozed_until == clock("1 05:00")
    (change,) = stay.waits_until("20:00")
    assert (change.kind, change.reason) == (Kind.SNOOZE_ENDED, "a reading was missed")
    assert stay.alert(MISSED).snoozed_until is None


def test_slots_are_those_of_the_wards_own_clock() -> None:
    stay = Stay(admitted="00:30", **KNOWN)
    stay.record = stay.record._replace(service_hours=ServiceHours(zone="America/New_York"))
    stay.waits_until("14:59")
    assert stay.reminders == []
    stay.waits_until("15:00")
    assert stay.reminded == ["14:00 at 15:00"]
    stay.waits_until("18:00")
    assert "for the reading of 09:00, 4 h after its time" in stay.alert(MISSED).explanation.text


def test_when_time_next_matters() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    assert next_due_at(stay.record) == clock("10:00")
    stay.waits_until("10:00")
    assert next_due_at(stay.record) == clock("14:00")
    stay.reads("12:00", spo2=97, breathlessness=0)
    # Too early by now, which costs one look.
    assert next_due_at(stay.record) == clock("14:00")
    stay.waits_until("14:00")
    assert next_due_at(stay.record) == clock("20:00")
    stay.reads("14:30", spo2=94, breathlessness=0)
    assert next_due_at(stay.record) == clock("15:30")
    stay.waits_until("20:00")
    assert next_due_at(stay.record) == clock("23:00")
    stay.is_paused("20:10", until="21:00")
    assert next_due_at(stay.record) == clock("21:00")


def test_nothing_is_due_before_the_watch_says_so() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("14:00")
    before = stay.record
    assert advance(before, clock("16:59")).record is before


def test_what_people_did_between_two_looks_is_caught_up_with() -> None:
    stay = Stay(admitted="10:00", **KNOWN)
    stay.waits_until("14:00")
    paused = catch_up(stay.record, stay.record.plan, clock("1 15:00"), clock("15:00"))
    assert paused.record.watch is not None
    assert paused.record.watch.paused_until == clock("1 15:00")
    assert catch_up(paused.record, stay.record.plan, clock("1 15:00"), clock("15:01")).record is paused.record
    resumed = catch_up(paused.record, Plan(baseline_spo2=97, version=2, reading_times=("16:00",)), None, clock("15:30"))
    assert resumed.record.watch is not None
    assert (resumed.record.watch.paused_until, resumed.record.watch.plan_version) == (None, 2)
    assert next_due_at(resumed.record) == clock("17:00")


def test_what_was_due_before_a_plan_or_rules_that_come_late_is_not_forgotten() -> None:
    stay = Stay(admitted="08:00", **KNOWN)
    stay.reads("08:30", spo2=92, breathlessness=1)
    plan, other = replace(stay.record.plan, version=2, pregnant=True), RuleSet(version="other")
    now, due = clock("14:05"), [("confirmed", "08:45"), ("opened", "14:00")]
    for late in (
        change_plan(stay.record, plan, now),
        catch_up(stay.record, plan, None, now),
        catch_up(stay.record, plan, clock("18:00"), now),
        change_rule_set(stay.record, other, now),
    ):
        assert [(change.kind, told(change.at)) for change in late.changes] == due
        assert [told(one.at) for one in late.reminders] == ["14:00"]
        assert late.episodes[Family.OXYGEN].confirmed


def test_without_a_watch_there_is_nothing_to_catch_up_with() -> None:
    stay = Stay(**KNOWN)
    assert catch_up(stay.record, Plan(version=2), clock("15:00"), clock("14:00")).record is stay.record


def test_a_stay_that_was_not_watched_before_is_watched_from_now_on() -> None:
    record = Stay(**KNOWN).record._replace(watch=begin_watch(clock("-9 10:00"), clock("10:00")))
    assert [told(one.slot) for one in advance(record, clock("16:59")).reminders] == ["13:00"]


def test_a_silence_is_remembered_when_the_window_has_moved_on() -> None:
    stay = Stay(admitted="-1 20:00", **KNOWN)
    stay.reads("08:30", spo2=97, breathlessness=0)
    for day in range(5):
        stay.waits_until(f"{day} 23:59")
        stay.record = stay.record._replace(window=(), newest_observed_at=None, newest_resting_at=None)
    urgent = next(change for change in stay.changes if change.after.severity == HIGH)
    assert (told(urgent.at), "since 08:30 on 22 November" in urgent.after.explanation.text) == ("1 08:30", True)


def test_the_watch_is_stored_and_loaded_without_loss() -> None:
    stay = Stay(admitted="10:00")
    stay.waits_until("3 10:00")
    assert stay.record.watch is not None
    for watch in (stay.record.watch, begin_watch(clock("10:00")), stay.record.watch._replace(due_at=None)):
        assert load_watch(dump_watch(watch)) == watch


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 23), ("2026-10-24", 25)])
def test_missed_readings_keep_the_clock_on_the_wall_when_it_changes(day: str, hours: int) -> None:
    """Admitted at 20:00 local time on the eve: the next morning's slot is at 09:00 by the new time."""
    admitted = datetime.fromisoformat(f"{day}T20:00").replace(tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
    record = Stay(**KNOWN).record._replace(watch=begin_watch(admitted))
    nine = admitted + timedelta(hours=13 + hours - 24)
    assert advance(record, nine + timedelta(minutes=59)).reminders == ()
    (reminder,) = advance(record, nine + timedelta(hours=1)).reminders
    assert reminder.slot == nine
