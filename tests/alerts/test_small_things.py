"""More of what only one test would miss if it were wrong (docs/mutation.md)."""

from typing import Any

import pytest

from alerts.correct import correct, refold
from alerts.episode import Escalation
from alerts.judge import not_evaluated
from alerts.limits import DAILY
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
    folded = refold(Record(), sent[:1], [], [], [], clock("08:06"))
    after = correct(stay.record.episodes, folded, clock("08:06"), sent[1].id, DAILY).episodes[OXYGEN]
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
