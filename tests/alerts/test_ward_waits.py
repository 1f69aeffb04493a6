"""How long a ward waits for readings that do not come (R14) and for the usual SpO2 (R23), by numbers of its own."""

import json
from datetime import timedelta
from typing import Any

import pytest

from alerts.episode import State
from alerts.fold import RuleSetEvent, fold
from alerts.judge import advance, change_rule_set
from alerts.passing import next_due_at
from alerts.plan import Plan
from alerts.record import Judgement, Record
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Family, Severity
from alerts.watch import USUAL, begin_watch, dump_watch, load_watch
from tests.alerts.stay import clock, reading, told

MISSED, HIGH, LOW = Family.MISSED_READING, Severity.HIGH, Severity.LOW


def ward(**numbers: Any) -> RuleSet:
    return RuleSet(version="ward-7.2", **numbers)


def waits(until: str, *sent: Any, rules: RuleSet = DEFAULT, **plan: Any) -> Judgement:
    """What comes of a stay from 08:00 with these readings, looked at in the end."""
    start = Record(plan=Plan(**plan), rule_set=rules, watch=begin_watch(clock("08:00")))
    return fold(start, sent, until=clock(until))


def reminded(judgement: Judgement) -> list[tuple[str, str, str]]:
    return [(told(each.slot), told(each.at), told(each.until)) for each in judgement.reminders]


def test_the_reminder_and_the_end_of_a_slot_are_the_wards_own() -> None:
    assert reminded(waits("12:00")) == [("09:00", "10:00", "13:00")]
    rules = ward(slot_reminder_minutes=30, slot_until_minutes=120)
    judged = waits("12:00", rules=rules)
    assert reminded(judged) == [("09:00", "09:30", "11:00")]
    missed = judged.episodes[MISSED]
    assert (missed.opened_at, missed.explanation.rule_set_version) == (clock("11:00"), "ward-7.2")
    assert [(limit.name, limit.value) for limit in missed.explanation.limits] == [("fills_until", 2)]
    assert MISSED not in waits("12:00").episodes


def test_a_slot_is_filled_within_the_wards_own_window() -> None:
    early = reading("06:30", received="08:10", spo2=97)
    assert reminded(waits("12:00", early)) == [("09:00", "10:00", "13:00")]
    assert reminded(waits("12:00", early, rules=ward(slot_before_minutes=180))) == []
    late = reading("14:30", spo2=97)
    assert MISSED not in waits("16:59", late, rules=ward(slot_until_minutes=360)).episodes
    assert waits("14:29").episodes[MISSED].opened_at == clock("13:00")


def test_two_in_a_row_go_by_the_wards_window_too() -> None:
    early = reading("06:30", received="08:10", spo2=97)
    assert waits("14:00", early).episodes[MISSED].opened_at == clock("13:00")
    wide = ward(slot_before_minutes=180, slot_until_minutes=360)
    assert MISSED not in waits("14:00", early, rules=wide).episodes
    assert waits("20:00", early, rules=wide).episodes[MISSED].opened_at == clock("19:00")


def test_a_low_value_makes_a_missed_slot_urgent_after_the_wards_own_wait() -> None:
    amber = reading("08:30", spo2=94, breathlessness=0)
    assert waits("14:00", amber).episodes[MISSED].opened_at == clock("14:00")
    sooner = waits("14:00", amber, rules=ward(slot_reminder_minutes=30)).episodes[MISSED]
    assert (sooner.opened_at, sooner.severity) == (clock("13:30"), HIGH)


def test_a_silence_is_urgent_after_the_wards_own_wait() -> None:
    once: dict[str, Any] = {"reading_times": ("09:00",)}
    sent = reading("08:30", spo2=97)
    for rules, at in (
        (DEFAULT, "1 20:30"), (ward(silent_gaps=1), "1 08:30"), (ward(silent_hours=12, silent_gaps=1), "1 08:30"),
    ):  # fmt: skip
        before = clock(at) - timedelta(minutes=1)
        assert waits(told(before), sent, rules=rules, **once).episodes.get(MISSED) is None or (
            waits(told(before), sent, rules=rules, **once).episodes[MISSED].severity == LOW
        )
        assert waits(at, sent, rules=rules, **once).episodes[MISSED].severity == HIGH
    often: dict[str, Any] = {"reading_times": ("00:00", "06:00", "12:00", "18:00")}
    short = ward(silent_hours=12, silent_gaps=1)
    assert waits("20:29", sent, rules=short, **often).episodes[MISSED].severity == LOW
    assert waits("20:30", sent, rules=short, **often).episodes[MISSED].severity == HIGH
    assert waits("20:30", sent, **often).episodes[MISSED].severity == LOW


def test_the_usual_spo2_is_asked_for_after_the_wards_own_wait() -> None:
    assert Family.PLAN not in waits("1 08:00").episodes
    asked = waits("1 08:00", rules=ward(baseline_hours=24)).episodes[Family.PLAN]
    assert (asked.opened_at, "24 h after admission" in asked.explanation.text) == (clock("1 08:00"), True)


def live(judged: Judgement, rules: RuleSet, at: str) -> Judgement:
    return change_rule_set(judged.record, rules, clock(at))


@pytest.mark.parametrize(
    ("at", "rules", "raised"),
    [
        ("12:00", {"slot_until_minutes": 120}, ["opened"]),
        ("10:59", {"slot_until_minutes": 120}, []),
        ("11:00", {"slot_until_minutes": 120}, ["opened"]),
        ("12:00", {"slot_until_minutes": 360}, []),
        ("12:00", {"slot_reminder_minutes": 30}, []),
    ],
)
def test_what_new_numbers_make_overdue_is_told_when_they_go_live(
    at: str, rules: dict[str, Any], raised: list[str]
) -> None:
    changed = live(waits(at), ward(**rules), at)
    assert [change.kind for change in changed.changes] == raised
    assert all(change.at == clock(at) for change in changed.changes)
    assert changed.record.watch is not None
    assert changed.record.watch.limits == changed.record.rule_set.watch


def test_a_reminder_that_is_overdue_by_the_new_numbers_comes_once() -> None:
    changed = live(waits("09:40"), ward(slot_reminder_minutes=30), "09:40")
    assert reminded(changed) == [("09:00", "09:40", "13:00")]
    assert reminded(advance(changed.record, clock("11:00"))) == []
    assert reminded(live(waits("09:30"), ward(slot_reminder_minutes=30), "09:30")) == [("09:00", "09:30", "13:00")]
    assert reminded(live(waits("10:00"), ward(slot_reminder_minutes=30), "10:00")) == []


def test_a_silence_that_is_too_long_by_the_new_numbers_is_told_once() -> None:
    often: dict[str, Any] = {"reading_times": ("00:00", "06:00", "12:00", "18:00")}
    short = ward(silent_hours=12, silent_gaps=1)
    sent = reading("08:30", spo2=97)
    for at, kinds in (("20:29", []), ("20:30", ["worsened"]), ("1 08:29", ["worsened"]), ("1 08:30", [])):
        assert [change.kind for change in live(waits(at, sent, **often), short, at).changes] == kinds, at
    changed = live(waits("21:00", sent, **often), short, "21:00")
    assert changed.changes[0].after.explanation.text == "No usable resting SpO2 for 12.5 h, since 08:30 on 22 November."
    assert {change.kind for change in advance(changed.record, clock("1 09:00")).changes} == {"updated"}


def test_after_new_numbers_the_next_look_is_never_too_late() -> None:
    stood = waits("10:10", reading("09:05", spo2=97))
    assert next_due_at(stood.record) == clock("14:00")
    assert next_due_at(live(stood, ward(slot_reminder_minutes=30), "10:10").record) == clock("13:30")
    asked = live(waits("1 09:00", reading("1 08:30", spo2=97)), ward(baseline_hours=24), "1 09:00").record
    assert advance(asked, clock("1 09:01")).episodes[Family.PLAN].state == State.OPEN


def test_nothing_is_asked_for_in_a_pause_or_by_a_plan_without_times() -> None:
    stood = waits("12:00", reading_times=())
    assert live(stood, ward(slot_until_minutes=120), "12:00").changes == ()
    watch = begin_watch(clock("08:00"))._replace(paused_until=clock("1 08:00"))
    paused = fold(Record(watch=watch), until=clock("12:00"))
    assert live(paused, ward(slot_until_minutes=120), "12:00").changes == ()


def test_what_was_told_by_the_numbers_before_is_not_told_by_the_new_ones() -> None:
    stood = waits("13:00").record
    assert stood.episodes[MISSED].opened_at == clock("13:00")
    closed = stood._replace(episodes={})
    assert change_rule_set(closed, ward(slot_until_minutes=120), clock("13:00")).changes == ()


def test_slots_before_the_clock_began_are_not_missed_by_new_numbers_either() -> None:
    begun = fold(Record(watch=begin_watch(clock("10:00"))), until=clock("11:30"))
    assert live(begun, ward(slot_until_minutes=120), "11:30").changes == ()


def test_numbers_that_are_not_about_waiting_leave_the_watch_alone() -> None:
    stood = waits("12:00").record
    assert change_rule_set(stood, ward(drop=4), clock("12:00")).record.watch is stood.watch


def test_the_watch_learns_of_new_numbers_by_itself() -> None:
    # The service opens a case with the ward's live rules: nobody tells the watch that they are new.
    stood = waits("12:00").record._replace(rule_set=ward(slot_until_minutes=120))
    assert [change.kind for change in advance(stood, clock("12:00")).changes] == ["opened"]


def test_in_the_fold_each_slot_is_missed_by_what_was_live_then() -> None:
    start = Record(watch=begin_watch(clock("08:00")))
    rules = [RuleSetEvent(clock("12:00"), ward(slot_until_minutes=120)), RuleSetEvent(clock("14:00"), DEFAULT)]
    folded = fold(start, [reading("12:30", spo2=97), reading("13:30", spo2=97)], rule_sets=rules, until=clock("22:00"))
    assert [(change.kind, told(change.at)) for change in folded.changes] == [("opened", "12:00"), ("resolved", "12:30")]
    assert reminded(folded)[-1] == ("19:00", "20:00", "23:00")


def test_the_limits_are_kept_with_the_watch() -> None:
    watch = begin_watch(clock("08:00"))
    assert load_watch(json.loads(json.dumps(dump_watch(watch)))).limits is None
    own = watch._replace(limits=ward(silent_gaps=1, slot_before_minutes=90, baseline_hours=30).watch)
    assert load_watch(json.loads(json.dumps(dump_watch(own)))) == own
    usual = watch._replace(limits=DEFAULT.watch)
    assert load_watch(json.loads(json.dumps(dump_watch(usual)))).limits is USUAL
    before = {name: value for name, value in dump_watch(watch).items() if name != "limits"}
    assert load_watch(before) == watch
