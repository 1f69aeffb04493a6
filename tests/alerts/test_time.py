"""Readings that come late, together, out of order or twice; what is saved between them; the whole fold."""

import json
from typing import Any

import pytest

from alerts.case import Placement
from alerts.checkpoint import load
from alerts.episode import State
from alerts.fold import Verb
from alerts.judge import advance, judge
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, clock, reading, stored

HIGH, LOW, CRITICAL = Severity.HIGH, Severity.LOW, Severity.CRITICAL


def placement(stay: Stay) -> Placement:
    assert stay.evaluation is not None
    return stay.evaluation.placement


@pytest.mark.parametrize(
    ("at", "expected"),
    [("-1 08:00", Placement.LIVE), ("-1 07:59", Placement.STALE), ("07:00", Placement.LIVE)],
)
@pytest.mark.hazard("H1")
def test_the_newest_is_live_for_a_day(at: str, expected: Placement) -> None:
    stay = Stay()
    stay.reads(at, received="08:00", spo2=97)
    assert placement(stay) == expected


@pytest.mark.parametrize(
    "newer",
    [{"pulse_rate": 80}, {"spo2": 97, "quality": "poor"}, {"spo2": 97, "context": "post_exertion_40_steps"},
     {"spo2": 97, "context": "unknown"}, {"breathlessness": 0}],
)  # fmt: skip
@pytest.mark.hazard("H7")
def test_nothing_but_a_good_resting_value_overtakes_a_late_red(newer: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:30", **newer)
    stay.reads("08:00", received="08:40", spo2=90, breathlessness=1)
    assert placement(stay) == Placement.LIVE
    assert stay.alert().severity == CRITICAL


@pytest.mark.parametrize(
    ("context", "expected"),
    [("sleep", Placement.LIVE), ("unknown", Placement.LIVE), ("post_exertion_40_steps", Placement.RETROSPECTIVE)],
)
def test_a_newer_pulse_overtakes_no_late_value_but_one_after_exertion(context: str, expected: Placement) -> None:
    stay = Stay()
    stay.reads("08:30", pulse_rate=80)
    stay.reads("08:00", received="08:40", spo2=88, context=context)
    assert placement(stay) == expected


def test_of_a_late_and_a_new_reading_that_arrive_together_the_new_one_is_the_newest() -> None:
    stay = Stay()
    stay.reads("08:00", pulse_rate=80)
    stay.receives(reading("07:30", received="09:00", pulse_rate=80), reading("09:00", pulse_rate=80))
    stay.reads("08:30", received="09:05", pulse_rate=80)
    assert placement(stay) == Placement.RETROSPECTIVE


@pytest.mark.parametrize("values", [{"pulse_rate": 80}, {"spo2": 97}])
def test_what_was_the_newest_is_known_without_the_readings_themselves(values: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:30", **values)
    stay.record = stay.record._replace(window=())
    stay.reads("08:00", received="08:40", **values)
    assert placement(stay) == Placement.RETROSPECTIVE


@pytest.mark.hazard("H7")
def test_a_value_that_is_overtaken_is_retrospective() -> None:
    stay = Stay()
    stay.reads("08:30", spo2=97)
    stay.reads("08:00", received="08:40", spo2=93, breathlessness=0)
    alert = stay.alert()
    assert (placement(stay), alert.retrospective, alert.severity) == (Placement.RETROSPECTIVE, True, LOW)
    assert alert.next_due_at is None
    assert "Newer readings were already known." in alert.explanation.text


@pytest.mark.hazard("H7")
def test_a_late_value_never_stands_without_its_age() -> None:
    stay = Stay()
    stay.reads("06:30", received="08:00", spo2=90, breathlessness=1)
    assert "Taken 1 h 30 min before it arrived." in stay.alert().explanation.text


def test_a_stale_amber_asks_for_a_telephone_call() -> None:
    stay = Stay()
    stay.reads("-2 20:00", received="08:00", spo2=94, breathlessness=0)
    assert stay.alert().severity == HIGH
    assert "call the patient" in stay.alert().explanation.text
    assert stay.alert().next_due_at is None


def test_a_live_breach_makes_a_retrospective_alert_live() -> None:
    stay = Stay()
    stay.reads("08:30", spo2=97)
    stay.reads("08:00", received="08:40", spo2=93, breathlessness=0)
    stay.reads("09:00", spo2=93, breathlessness=0)
    assert (stay.alert().retrospective, stay.alert().severity) == (False, HIGH)
    assert stay.alert().first_breach_at == clock("08:00")


def test_a_late_breach_undoes_no_newer_clearing() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=91, breathlessness=1)
    stay.reads("09:00", spo2=96)
    stay.reads("09:30", spo2=96)
    assert stay.alert().state == State.RECOVERED
    (change,) = stay.reads("08:10", received="10:00", spo2=90, breathlessness=1)
    assert (change.kind, change.after.state) == ("updated", State.RECOVERED)


def test_a_late_breach_does_not_interrupt_a_clearing_under_way() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=1)
    stay.reads("09:00", spo2=96)
    stay.reads("08:10", received="09:05", spo2=93, breathlessness=1)
    stay.reads("09:15", spo2=96)
    assert stay.alert().state == State.RECOVERED


def test_a_late_breach_reopens_no_acknowledged_recovery() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.acts("08:01", Verb.ACKNOWLEDGE)
    stay.waits_until("08:20")
    stay.reads("09:00", spo2=96)
    stay.reads("09:30", spo2=96)
    stay.reads("08:10", received="10:00", spo2=93, breathlessness=5)
    assert stay.alert().state == State.ACKNOWLEDGED


def test_readings_received_together_clear_in_their_order() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.receives(
        reading("08:40", received="08:50", spo2=96, id="second"),
        reading("08:20", received="08:50", spo2=96, id="first"),
    )
    assert stay.families == set()


def test_a_batch_answers_in_the_order_it_was_given() -> None:
    stay = Stay()
    batch = [
        reading("08:40", received="09:00", spo2=96, id="b"),
        reading("08:20", received="09:00", spo2=91, id="a"),
    ]
    judgement = judge(stay.record, batch)
    assert [evaluation.reading.id for evaluation in judgement.evaluations] == ["b", "a"]
    assert [evaluation.placement for evaluation in judgement.evaluations] == ["live", "retrospective"]


def test_what_was_due_is_applied_before_the_reading_that_comes_after_it() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92, breathlessness=1)
    changes = stay.reads("08:20", spo2=97)
    assert [(change.kind, change.at) for change in changes] == [("confirmed", clock("08:15"))]


def test_a_reading_in_time_is_not_beaten_by_a_timer_that_comes_late() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.reads("08:59", spo2=96)
    assert stay.waits_until("12:00") == []


def test_advancing_twice_changes_nothing_more() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    assert len(stay.waits_until("10:00")) == 2
    assert stay.waits_until("10:00") == []


def test_what_has_not_changed_need_not_be_written() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26)
    judgement = judge(stay.record, [reading("08:10", symptoms=())])
    assert judgement.touched(stay.record) == ()
    judgement = judge(stay.record, [reading("08:10", respiratory_rate=16)])
    assert judgement.touched(stay.record) == (Family.VITALS,)


def test_an_alert_of_a_rule_that_is_no_more_stays_for_a_person() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=0)
    renamed = json.loads(json.dumps(stored(stay.alert())).replace('"R2"', '"R99"'))
    kept = stay.record._replace(episodes={Family.OXYGEN: load(renamed)})
    due = advance(kept, clock("09:00"))
    assert due.episodes[Family.OXYGEN].trace("R99") is not None
    after = judge(due.record, [reading("10:00", spo2=97), reading("10:30", spo2=97)])
    assert after.episodes[Family.OXYGEN].state == State.OPEN


def test_an_answer_about_an_earlier_hour_does_not_end_the_wait() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    stay.reads("06:59", received="08:05", breathlessness=1)
    (change,) = stay.waits_until("08:15")
    assert (change.kind, change.after.severity) == ("worsened", HIGH)


@pytest.mark.parametrize(("at", "late"), [("07:00", False), ("06:59", True)])
def test_late_is_more_than_an_hour(at: str, late: bool) -> None:
    stay = Stay()
    stay.reads(at, received="08:00", spo2=97)
    assert stay.evaluation is not None
    assert stay.evaluation.late is late


def test_a_late_new_rule_reopens_an_alert_somebody_has_taken_and_that_has_not_recovered() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26)
    stay.acts("08:05", Verb.ACKNOWLEDGE, Family.VITALS)
    (change,) = stay.reads("07:30", received="08:10", pulse_rate=140)
    assert (change.kind, change.transition) == ("reopened", "T14")
    assert [trace.active for trace in stay.alert(Family.VITALS).traces] == [True, True]


def test_a_late_new_rule_stands_in_no_alert_that_has_recovered_and_a_new_one_in_time_does() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26)
    stay.acts("08:05", Verb.ACKNOWLEDGE, Family.VITALS)
    for at in ("08:10", "08:40"):
        stay.reads(at, spo2=97, respiratory_rate=16)
    assert stay.alert(Family.VITALS).recovered_at == clock("08:40")
    stay.reads("07:30", received="08:45", pulse_rate=140)
    assert [trace.active for trace in stay.alert(Family.VITALS).traces] == [False, False]
    stay.reads("08:50", systolic_bp=85)
    assert [trace.active for trace in stay.alert(Family.VITALS).traces] == [False, False, True]


def test_a_window_is_two_days_whatever_more_is_known() -> None:
    stay = Stay(profile="hypercapnic")
    stay.reads("-2 07:59", spo2=94, oxygen_flow=1)
    stay.reads("08:00", spo2=94, oxygen_flow=1)
    assert stay.families == set()
