"""Numbers and small print that nothing else would miss: each test here stands for a mistake that once went unnoticed
(docs/mutation.md)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from alerts.carrying import carry
from alerts.episode import State
from alerts.fold import Verb
from alerts.judge import WINDOW_READINGS, catch_up, judge
from alerts.plan import Plan
from alerts.reading import LIMITS
from alerts.receipt import receipt
from alerts.record import Judgement, Record
from alerts.replay import Arrival, Team, replay
from alerts.rule_set import bounds
from alerts.severity import Family, Severity
from alerts.snoozing import SnoozeTooLong, snooze
from alerts.watch import begin_watch
from tests.alerts.stay import COMPLETE, Stay, clock, reading


def test_what_can_be_a_value_at_all() -> None:
    assert LIMITS == {
        "spo2": (0, 100), "pulse_rate": (20, 250), "respiratory_rate": (3, 60), "systolic_bp": (50, 300),
        "diastolic_bp": (20, 200), "temperature": (30, 43), "oxygen_flow": (0, 60), "breathlessness": (0, 10),
        "perfusion_index": (0, 30),
    }  # fmt: skip


def test_what_a_ward_may_set_its_numbers_to() -> None:
    assert bounds() == {
        "standard_red_at": (80, 94),
        "standard_amber_at": (81, 96),
        "hypercapnic_red_at": (80, 88),
        "hypercapnic_amber_at": (81, 90),
        "sleep_allowance": (0, 4),
        "red_minutes": (5, 15),
        "amber_minutes": (15, 60),
        "answer_below_amber_minutes": (5, 15),
        "answer_at_amber_minutes": (15, 60),
        "answer_holds_minutes": (15, 60),
        "implausible_minutes": (5, 15),
        "rest_minutes": (5, 10),
        "mild_up_to": (2, 3.5),
        "moderate_from": (2.5, 4),
        "breathless_high_from": (3, 5),
        "breathless_critical_from": (5, 7),
        "breathless_rise": (2, 3),
        "drop": (2, 4),
        "large_drop": (3, 6),
        "clear_drop": (0, 2),
        "exertion_fall": (2, 4),
        "exertion_session_minutes": (5, 15),
        "over_oxygenation_minutes": (10, 60),
        "more_oxygen": (0.5, 1),
        "trend_below_usual": (1, 4),
        "trend_step": (2, 5),
        "trend_medium_at": (90, 97),
        "trend_readings": (4, 6),
        "trend_hours": (12, 36),
        "trend_last": (3, 5),
        "trend_latest": (2, 3),
        "trend_compared_with": (3, 6),
        "worse_rise": (1, 3),
        "poor_in_a_row": (2, 5),
        "slot_before_minutes": (60, 180),
        "slot_until_minutes": (120, 360),
        "slot_reminder_minutes": (30, 60),
        "silent_hours": (12, 24),
        "silent_gaps": (1, 1.5),
        "baseline_hours": (24, 72),
        "critical_acknowledge_minutes": (5, 15),
        "critical_contact_minutes": (10, 30),
        "critical_expiry_minutes": (10, 30),
        "high_acknowledge_minutes": (10, 30),
        "high_contact_minutes": (20, 60),
        "high_expiry_minutes": (20, 60),
        "medium_acknowledge_minutes": (30, 240),
        "medium_contact_minutes": (60, 480),
        "medium_expiry_minutes": (60, 480),
        "low_acknowledge_hours": (8, 24),
        "low_expiry_hours": (8, 24),
        "technical_acknowledge_minutes": (15, 60),
        "technical_expiry_minutes": (60, 240),
    }


def test_a_large_drop_that_is_still_green_is_low() -> None:
    stay = Stay(baseline_spo2=100)
    stay.reads("08:00", spo2=95)
    stay.reads("09:00", spo2=95)
    assert (stay.alert().title, stay.alert().severity) == ("baseline_drop", Severity.LOW)


def test_a_value_on_target_is_not_below_it() -> None:
    custom: dict[str, Any] = {"profile": "custom", "reason": "fibrosis", "review_on": date(2027, 1, 31)}
    stay = Stay(**custom, red_at=88, amber_at=90, target_low=94)
    stay.reads("08:00", spo2=94)
    stay.reads("09:00", spo2=93)
    assert stay.families == set()
    stay.reads("10:00", spo2=93)
    assert stay.alert().title == "below_target"


def test_a_red_flag_of_the_day_before_yesterday_is_high_and_asks_for_a_call() -> None:
    stay = Stay()
    stay.reads("-2 08:00", received="08:00", symptoms=("chest_pain",))
    assert stay.alert(Family.SYMPTOMS).severity == Severity.HIGH
    assert "call the patient" in stay.alert(Family.SYMPTOMS).explanation.text


def test_a_new_prescription_recovers_the_alert_about_the_old_one() -> None:
    stay = Stay(prescribed_oxygen_flow=1)
    stay.reads("08:00", spo2=97, oxygen_flow=3)
    assert stay.families == {Family.OXYGEN}
    stay.is_replanned("09:00", prescribed_oxygen_flow=3, version=2)
    assert (stay.alert().state, stay.alert().recovered_at) == (State.RECOVERED, clock("09:00"))


def test_a_transferred_alert_is_the_first_version_of_its_own() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    stay.acts("08:10", Verb.ACKNOWLEDGE)
    assert stay.alert().version > 1
    carried = carry(Record(), [], stay.record.episodes, {}, clock("08:30"))
    assert carried.episodes[Family.OXYGEN].version == 1


def test_giving_an_alert_back_forgets_the_value_it_was_snoozed_at() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=4)
    stay.acts("08:02", Verb.ACKNOWLEDGE)
    stay.acts("08:05", Verb.SNOOZE, until="09:00")
    assert stay.alert().snoozed_spo2 == 93
    stay.acts("08:10", Verb.UNACKNOWLEDGE)
    assert (stay.alert().snoozed_until, stay.alert().snoozed_spo2) == (None, None)


def test_a_snooze_that_ends_forgets_the_value_it_began_at() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=4)
    stay.acts("08:05", Verb.SNOOZE, until="09:00")
    stay.acts("09:00", Verb.SNOOZE_ENDS)
    assert stay.alert().snoozed_spo2 is None


def test_who_snoozes_too_long_is_told_how_long_is_possible() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=4)
    with pytest.raises(SnoozeTooLong, match="at most 1:00:00") as refused:
        snooze(stay.alert(), clock("08:05"), clock("10:00"))
    assert refused.value.longest == timedelta(hours=1)


def test_a_new_plan_and_a_pause_found_at_one_look_are_both_told() -> None:
    stay = Stay(admitted="07:00", prescribed_oxygen_flow=1, baseline_spo2=97)
    stay.reads("08:00", spo2=97, oxygen_flow=3)
    plan = Plan(prescribed_oxygen_flow=3, baseline_spo2=97, version=2)
    caught = catch_up(stay.record, plan, clock("18:00"), clock("08:30"))
    assert [(change.kind, change.family) for change in caught.changes] == [("recovered", Family.OXYGEN)]
    assert caught.record.watch is not None
    assert caught.record.watch.paused_until == clock("18:00")


def test_breathlessness_after_effort_is_no_step_towards_being_well_again() -> None:
    stay = Stay(usual_breathlessness=0)
    stay.reads("08:00", spo2=97, breathlessness=2.5)
    assert stay.alert(Family.SYMPTOMS).rule_ids == ("R11",)
    for at in ("09:00", "10:00"):
        stay.reads(at, spo2=97, breathlessness=0, context="post_exertion_40_steps")
    assert stay.families == {Family.SYMPTOMS}


def test_of_what_arrives_together_the_newest_is_the_newest() -> None:
    stay = Stay()
    stay.receives(reading("08:00", received="09:00", pulse_rate=80), reading("09:00", pulse_rate=80))
    stay.reads("08:30", received="09:05", pulse_rate=80)
    assert stay.evaluation is not None
    assert stay.evaluation.placement == "retrospective"


def test_no_more_than_two_hundred_readings_are_looked_back_at() -> None:
    assert WINDOW_READINGS == 200
    known = tuple(reading(f"{number // 60:02}:{number % 60:02}", spo2=97) for number in range(250))
    judged = judge(Record(window=known), [reading("05:00", spo2=97)])
    assert len(judged.evaluations[0].case.window) == 200


def test_two_greens_at_rest_end_what_exertion_showed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, context="post_exertion_40_steps")
    stay.reads("08:05", spo2=97)
    stay.reads("08:25", spo2=97)
    assert stay.alert().state == State.RECOVERED


@pytest.mark.parametrize(("pregnant", "reason"), [(True, "not_applicable"), (False, "value_not_given")])
def test_a_score_that_does_not_apply_is_told_from_one_that_lacks_a_value(pregnant: bool, reason: str) -> None:
    stay = Stay(pregnant=pregnant)
    stay.reads("08:00", spo2=97)
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R9"} == {reason}


def test_an_early_warning_says_what_it_is_made_of() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, **{**COMPLETE, "respiratory_rate": 24, "pulse_rate": 125, "oxygen_flow": 2})
    text = stay.alert(Family.EARLY_WARNING).explanation.text
    assert text.startswith("NEWS2 6 (respiratory rate 2, oxygen 2, pulse rate 2).")


def test_a_value_too_low_to_use_is_told_as_the_reason_why_red_is_silent() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45)
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R1"} == {"too_low_to_use"}


def test_a_red_value_on_a_poor_signal_names_the_signal() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, quality="poor")
    assert ("quality", "poor") in {(item.name, item.value) for item in stay.alert().explanation.inputs}


def test_in_a_replay_a_plan_that_is_complete_again_closes_what_said_it_was_not() -> None:
    @dataclass
    class Planned:
        arrivals: list[Arrival]

        def next_at(self) -> datetime | None:
            return self.arrivals[0].at if self.arrivals else None

        def take(self) -> Arrival:
            return self.arrivals.pop(0)

        def hear(self, at: datetime, judgement: Judgement) -> None:
            """Nobody listens."""

    start = Record(plan=Plan(reading_times=()), watch=begin_watch(clock("00:00")))
    complete = Plan(reading_times=(), baseline_spo2=97, version=2)
    replayed = replay(Planned([Arrival(clock("2 06:00"), plan=complete)]), start, Team(), clock("5 00:00"))
    assert [(alert.family, alert.closed_at) for alert in replayed.raised] == [(Family.PLAN, clock("2 06:00"))]


@pytest.mark.parametrize(("spo2", "counts"), [(49, False), (49.5, False), (50, True), (50.5, True), (51, True)])
def test_a_value_counts_from_fifty_on_as_it_is_judged(spo2: float, counts: bool) -> None:
    assert reading("08:00", spo2=spo2).counts_for_spo2 is counts
