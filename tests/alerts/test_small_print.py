"""What only one test would miss if it were wrong, by subject: each stands for a mistake that once went unnoticed
(docs/mutation.md)."""

from typing import Any

import pytest

from alerts.change import Kind
from alerts.clearing import ends_when
from alerts.correct import correct, refold
from alerts.fold import Verb
from alerts.judge import not_evaluated, refuse
from alerts.limits import USUAL_LIMITS
from alerts.margins import Comparison
from alerts.plan import Plan
from alerts.policy import Policy, PolicyInvalid, Step
from alerts.reading import Reading
from alerts.receipt import receipt
from alerts.record import Record
from alerts.replay import Arrival, Team, replay
from alerts.rule_set import RuleSet, RuleSetInvalid, bounds
from alerts.severity import Family, Severity
from tests.alerts.stay import COMPLETE, Stay, clock, reading
from tests.alerts.test_advice import advised
from tests.alerts.test_receipt import CUSTOM
from tests.alerts.test_replay import Tape

OXYGEN, SYMPTOMS, VITALS = Family.OXYGEN, Family.SYMPTOMS, Family.VITALS


def compared(rule: str, stay: Stay) -> tuple[str, float]:
    """How the receipt of the last reading says that a rule begins."""
    assert stay.evaluation is not None
    (margin,) = {line.margin for line in receipt(stay.evaluation) if line.rule.key == rule}
    assert margin is not None
    return str(margin.comparison), margin.limit


def corrected(sent: list[Reading], wrong: Reading, at: str) -> Any:
    stay = Stay()
    for each in sent:
        stay.receives(each)
    folded = refold(Record(), [each for each in sent if each is not wrong], [], [], [], clock(at)).episodes
    return correct(stay.record.episodes, folded, clock(at), wrong.id, USUAL_LIMITS)


def test_severities_are_stored_as_the_numbers_one_to_four() -> None:
    assert [severity.value for severity in Severity] == [1, 2, 3, 4]


def test_one_rule_that_a_person_closes_is_enough_for_a_person_to_close_the_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, symptoms=("chest_pain",), breathlessness=8)
    assert stay.alert(SYMPTOMS).rule_ids == ("R10", "R10b")
    assert ends_when(stay.alert(SYMPTOMS)) == "A person closes it; no reading does."


def test_the_alert_without_the_wrong_value_is_as_severe_and_as_old_as_what_is_left() -> None:
    sent = [reading("08:00", spo2=94, breathlessness=0), reading("08:30", spo2=90, breathlessness=0)]
    after = corrected(sent, sent[1], "08:35").episodes[OXYGEN]
    assert (after.severity, after.last_breach_at) == (Severity.MEDIUM, clock("08:00"))


def test_what_stands_again_without_a_wrong_good_value_says_why() -> None:
    sent = [reading("08:00", spo2=94, breathlessness=0), reading("08:20", spo2=97), reading("08:40", spo2=97)]
    (change,) = corrected(sent, sent[2], "08:45").changes
    assert (change.kind, change.reason) == (Kind.OPENED, "a reading was entered in error")


def test_two_refused_readings_are_told_of_once() -> None:
    twice = refuse(refuse(Record(), clock("08:00")).record, clock("09:00"))
    text = twice.episodes[Family.TECHNICAL].explanation.text
    assert text == "Two readings were refused within 24 h: something is sending and nothing arrives."


@pytest.mark.parametrize(("borg", "told"), [(2.5, True), (3, False)])
def test_whoever_is_moderately_breathless_is_not_told_that_they_may_feel_well(borg: float, told: bool) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=borg)
    assert ("You may feel well" in advised(stay).text) is told


def test_of_two_unconfirmed_rules_one_that_a_good_reading_confirms_calls_again() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, quality="poor", respiratory_rate=26, pulse_rate=135)
    assert not stay.alert(VITALS).confirmed
    stay.acts("08:05", Verb.ACKNOWLEDGE, VITALS)
    (change,) = stay.reads("08:10", spo2=97, respiratory_rate=26, pulse_rate=80)
    assert (change.kind, change.reason) == (Kind.REOPENED, "confirmed by a reading")


def test_the_next_measurement_is_due_when_the_first_of_several_is() -> None:
    stay = Stay()
    stay.record = stay.record._replace(rule_set=RuleSet(version="sooner", implausible_minutes=5))
    stay.reads("08:00", spo2=45)
    stay.reads("08:03", spo2=46)
    assert stay.evaluation is not None
    assert {finding.rule_id for finding in stay.evaluation.findings} >= {"R0", "R1"}
    assert stay.evaluation.recheck_by == clock("08:08")


def test_an_answer_of_exactly_an_hour_before_is_the_answer_that_is_waited_for() -> None:
    stay = Stay()
    stay.reads("09:00", spo2=93)
    stay.reads("08:00", received="09:05", breathlessness=4)
    assert {wait.key for wait in stay.alert().waits} == {"R2"}
    assert stay.alert().severity == Severity.HIGH


def test_oxygen_without_a_prescription_is_told_though_another_reading_of_the_request_has_none() -> None:
    stay = Stay(admitted="07:00", baseline_spo2=97)
    stay.receives(
        reading("08:00", received="08:10", spo2=97),
        reading("08:05", received="08:10", spo2=97, oxygen_flow=2),
    )
    assert stay.families == {Family.PLAN}


def test_in_a_replay_what_came_late_is_judged_with_the_two_days_before_it() -> None:
    known = Arrival(clock("1 07:00"), (reading("1 07:00", spo2=95),))
    # One request on day 3: a value of a day and a half after the first, kept back until now, and a new one.
    together = Arrival(clock("3 08:00"), (reading("2 22:00", received="3 08:00", spo2=95), reading("3 08:00", spo2=98)))
    made = replay(Tape([known, together]), Record(plan=Plan(baseline_spo2=98)), Team(), clock("3 08:30"))
    assert [(alert.rule_id, alert.severity) for alert in made.raised] == [("R5", Severity.LOW)]


def test_how_long_it_has_been_silent_is_told_in_hours() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97)
    stay.waits_until("1 10:00")
    why = stay.alert(Family.MISSED_READING).explanation
    assert why.text == "No usable resting SpO2 for 24 h, since 10:00 on 22 November."
    assert {(limit.name, limit.value, limit.unit) for limit in why.limits} == {("silent_at_most", 24, "h")}


@pytest.mark.parametrize(
    ("rule", "begins"),
    [
        ("R0", (Comparison.BELOW, 50)),
        ("R1", (Comparison.AT_OR_BELOW, 92)),
        ("R2", (Comparison.AT_OR_BELOW, 94)),
        ("R5", (Comparison.AT_OR_BELOW, 95)),
        ("R7", (Comparison.AT_OR_ABOVE, 93)),
        ("R8", (Comparison.AT_OR_BELOW, 92)),
        ("R9", (Comparison.AT_OR_ABOVE, 5)),
        ("R10b", (Comparison.AT_OR_ABOVE, 5)),
        ("R11:breathlessness", (Comparison.AT_OR_ABOVE, 4)),
        ("R12", (Comparison.AT_OR_BELOW, 96)),
        ("R13:systolic_bp", (Comparison.AT_OR_ABOVE, 220)),
        ("R13:pulse_rate", (Comparison.AT_OR_BELOW, 40)),
        ("R16", (Comparison.AT_OR_ABOVE, 3)),
        ("R18", (Comparison.AT_OR_ABOVE, 2)),
    ],
)
def test_where_each_rule_begins(rule: str, begins: tuple[Comparison, float]) -> None:
    """A pressure in the middle of its range, 155, is told against the upper end."""
    stay = Stay(baseline_spo2=98, usual_breathlessness=2, prescribed_oxygen_flow=1)
    stay.reads("08:00", spo2=97, breathlessness=2, **{**COMPLETE, "systolic_bp": 155, "oxygen_flow": 1})
    assert compared(rule, stay) == begins


def test_below_target_begins_below_the_target_itself() -> None:
    stay = Stay(**CUSTOM)
    stay.reads("08:00", spo2=97)
    assert compared("R6", stay) == (Comparison.BELOW, 95)


def test_where_the_plan_says_air_any_oxygen_is_more() -> None:
    stay = Stay(prescribed_oxygen_flow=0)
    stay.reads("08:00", spo2=97, oxygen_flow=0)
    assert compared("R18", stay) == (Comparison.ABOVE, 0)


def test_a_step_at_an_impossible_time_is_told_what_is_possible() -> None:
    with pytest.raises(PolicyInvalid, match="lies between 0 and 1440 minutes"):
        Policy((Step(1441, "on_duty"),))


def test_a_low_alert_is_taken_within_a_day_and_stays_taken_for_a_day() -> None:
    stay = Stay(baseline_spo2=99)
    for at in ("09:00", "09:30"):
        stay.reads(at, spo2=96, breathlessness=0)
    assert (stay.alert().severity, stay.alert().respond_by) == (Severity.LOW, clock("1 09:30"))
    stay.acts("10:00", Verb.ACKNOWLEDGE)
    assert stay.alert().ack_expires_at == clock("1 10:00")


@pytest.mark.parametrize("day", ["0", "-29"])
def test_with_one_reading_a_day_two_missed_in_a_row_are_told_after_an_hour(day: str) -> None:
    """On the second of these days the clocks go back: there are 25 hours between two readings."""
    first, hour = int(day), 0 if day == "0" else 1
    stay = Stay(admitted=f"{first} 07:00", baseline_spo2=97, reading_times=("09:00",))
    stay.waits_until(f"{first} {13 - hour}:00")
    stay.acts(f"{first} 14:00", Verb.RESOLVE, Family.MISSED_READING)
    stay.waits_until(f"{first + 1} 09:59")
    assert stay.families == set()
    stay.waits_until(f"{first + 1} 10:00")
    assert "nor for the one before it" in stay.alert(Family.MISSED_READING).explanation.text


def test_with_one_reading_a_day_the_next_look_is_at_the_next_days() -> None:
    stay = Stay(admitted="07:00", baseline_spo2=97, reading_times=("09:00",))
    stay.reads("09:00", spo2=97, breathlessness=0)
    stay.waits_until("10:00")
    assert stay.record.watch is not None
    assert stay.record.watch.due_at == clock("1 10:00")


def test_after_a_pause_the_clock_starts_at_its_end() -> None:
    stay = Stay(admitted="07:00", baseline_spo2=97)
    stay.is_paused("10:00", "18:00")
    stay.waits_until("18:30")
    watch = stay.record.watch
    assert watch is not None
    assert (watch.paused_until, watch.slots_from, watch.silent_from) == (None, clock("18:00"), clock("18:00"))
    assert watch.due_at == clock("20:00")


def test_a_red_value_that_could_not_be_judged_twice_is_waited_for_once() -> None:
    record = Record()
    for at in ("08:00", "08:05"):
        record = not_evaluated(record, reading(at, spo2=90)).record
    assert [(wait.key, wait.due_at) for wait in record.episodes[OXYGEN].waits] == [("R1", clock("08:15"))]


def test_a_value_too_low_to_use_does_not_begin_the_clearing_of_a_drop_anew() -> None:
    stay = Stay(baseline_spo2=99)
    for at, spo2 in (("08:00", 96), ("08:10", 96), ("08:20", 98), ("08:30", 45), ("08:40", 98)):
        stay.reads(at, spo2=spo2, breathlessness=0)
    kinds = [(change.kind, change.at) for change in stay.changes if change.family == OXYGEN]
    assert kinds == [(Kind.OPENED, clock("08:10")), (Kind.RESOLVED, clock("08:40"))]


IN_HALVES = {
    "mild_up_to": 2.5, "moderate_from": 3.5, "breathless_high_from": 4.5, "breathless_critical_from": 6.5,
    "breathless_rise": 2.5, "more_oxygen": 0.5, "worse_rise": 1.5,
    "silent_gaps": 1.5,
}  # fmt: skip


def test_what_is_said_in_halves_is_set_in_halves_and_all_else_in_whole_numbers() -> None:
    RuleSet(version="halves", **IN_HALVES)
    for name, (low, _) in bounds().items():
        step = 0.5 if name in IN_HALVES else 1
        with pytest.raises(RuleSetInvalid, match=f"/{name}: In steps of {step:g}."):
            RuleSet(**{"version": "between", name: low + step / 2})
