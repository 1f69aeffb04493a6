"""More of what only one test would miss if it were wrong (docs/mutation.md)."""

from typing import Any

import pytest

from alerts.correct import correct, refold
from alerts.episode import Escalation
from alerts.judge import not_evaluated
from alerts.limits import USUAL_LIMITS
from alerts.policy import Step, Via
from alerts.receipt import receipt
from alerts.record import Record
from alerts.rules import RULES
from alerts.severity import Family, Severity
from alerts.slots import is_filled
from tests.alerts.stay import Stay, clock, reading

OXYGEN = Family.OXYGEN


def test_an_alert_left_without_its_wrong_value_waits_for_one_thing_once() -> None:
    stay, sent = Stay(), [reading("08:00", spo2=91), reading("08:05", spo2=90, quality="poor")]
    for each in sent:
        stay.receives(each)
    folded = refold(Record(), sent[:1], [], [], [], clock("08:06")).episodes
    after = correct(stay.record.episodes, folded, clock("08:06"), sent[1].id, USUAL_LIMITS).episodes[OXYGEN]
    assert [(wait.key, wait.due_at) for wait in after.waits] == [("R1", clock("08:15"))]


def test_an_amber_value_that_is_high_already_waits_for_no_answer() -> None:
    stay = Stay(baseline_spo2=98)
    stay.reads("08:00", spo2=94)
    assert stay.evaluation is not None
    (unknown,) = (finding for finding in stay.evaluation.findings if finding.rule_id == "R4")
    assert (unknown.severity, unknown.waits) == (Severity.HIGH, ())


@pytest.mark.parametrize(
    ("said", "reason"),
    [({}, "value_not_given"), ({"symptoms": ()}, "not_met"), ({"consciousness": "alert"}, "not_met")],
)
def test_whoever_was_asked_and_has_no_red_flag_is_told_from_whoever_was_not_asked(said: Any, reason: str) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, **said)
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R10"} == {reason}


def test_every_reading_that_could_not_be_judged_is_counted() -> None:
    record = Record()
    for at in ("08:00", "08:05"):
        record = not_evaluated(record, reading(at, spo2=97)).record
    assert record.episodes[Family.TECHNICAL].reading_count == 2


def test_before_any_limit_has_passed_no_step_was_taken() -> None:
    assert Escalation().steps == 0


@pytest.mark.parametrize("value", [{"systolic_bp": 225}, {"temperature": 39.4}])
def test_effort_does_not_explain_a_high_pressure_or_temperature(value: Any) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, context="post_exertion_40_steps", **value)
    assert stay.families == {Family.VITALS}


def test_one_reading_fills_one_slot_though_it_would_fit_three() -> None:
    times = ("09:00", "11:00", "13:00")
    slots = [clock(time) for time in times]
    taken = [slot for slot in slots if is_filled(slot, times, "UTC", slots[0], [reading("11:00", spo2=97)])]
    assert taken == [clock("09:00")]


def test_which_of_equally_severe_rules_names_a_low_value() -> None:
    low = sorted((rule for rule in RULES if rule.family == OXYGEN), key=lambda rule: -rule.rank)
    assert [rule.id for rule in low] == ["R3", "R1", "R2", "R18", "R8", "R4", "R5", "R12", "R6", "R15"]
    assert len({rule.rank for rule in low}) == len(low)


def test_an_answer_belongs_to_the_value_of_exactly_an_hour_before() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    stay.reads("09:00", breathlessness=0)
    assert stay.evaluation is not None
    assert (stay.evaluation.case.level, stay.evaluation.case.carried) == (93, True)


def test_an_alert_is_confirmed_by_its_second_red_value() -> None:
    stay = Stay()
    for at in ("08:00", "08:05", "08:10"):
        stay.reads(at, spo2=91, breathlessness=0)
    assert [change.after.confirmed for change in stay.changes] == [False, True, True]


def test_the_alert_without_the_wrong_value_speaks_of_what_is_left() -> None:
    stay, sent = Stay(), [reading("08:00", spo2=94, breathlessness=0), reading("08:30", spo2=90, breathlessness=0)]
    for each in sent:
        stay.receives(each)
    folded = refold(Record(), sent[:1], [], [], [], clock("08:35")).episodes
    after = correct(stay.record.episodes, folded, clock("08:35"), sent[1].id, USUAL_LIMITS).episodes[OXYGEN]
    assert after.explanation.text.startswith("SpO2 94 % ")
    assert [(wait.key, wait.due_at) for wait in after.waits] == [("R2", clock("09:00"))]


def test_a_step_tells_people_in_their_queue_unless_it_says_otherwise() -> None:
    assert Step(0, "lead").channel == Via.QUEUE


def test_what_time_raises_is_of_now() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97)
    stay.waits_until("17:00")
    assert not stay.alert(Family.MISSED_READING).retrospective


def test_an_answer_after_effort_lacks_every_value_of_the_score() -> None:
    stay = Stay()
    stay.reads("08:00", breathlessness=0, context="post_exertion_40_steps")
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R9b"} == {"value_not_given"}


@pytest.mark.parametrize(("spo2", "severity"), [(50, Severity.HIGH), (92, Severity.HIGH), (93, None)])
def test_after_exertion_red_is_from_the_red_limit_down_to_the_lowest_value_that_can_be_used(
    spo2: int, severity: Severity | None
) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=spo2, context="post_exertion_40_steps")
    assert [alert.severity for alert in stay.record.episodes.values()] == ([] if severity is None else [severity])
    if severity is not None:
        said = f"SpO2 {spo2} % after exertion: at or below the red limit of 92 %."
        assert stay.alert().explanation.text.startswith(said)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"spo2": 45, "context": "post_exertion_40_steps"}, "too_low_to_use"),
        ({"pulse_rate": 80}, "not_applicable"),
        ({"spo2": 91, "context": "sleep"}, "not_applicable"),
        ({"spo2": 89, "context": "sleep"}, "not_applicable"),
        ({"spo2": 93}, "another_rule_applies"),
    ],
)
def test_why_the_rule_about_exertion_says_nothing(values: dict[str, Any], reason: str) -> None:
    stay = Stay()
    stay.reads("08:00", **values)
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R8"} == {reason}
