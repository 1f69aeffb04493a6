"""Ends of ranges, words and kinds that only one test would miss if they were wrong (docs/mutation.md)."""

from collections import Counter
from datetime import date, time
from typing import Any

import pytest

from alerts.calendar import Span, Timetable
from alerts.change import Kind
from alerts.coverage import Coverage
from alerts.episode import State
from alerts.figures import BUDGET, Load
from alerts.fold import HumanEvent, Verb, fold
from alerts.judge import change_rule_set
from alerts.limits import ServiceHours
from alerts.policy import Policy, PolicyInvalid
from alerts.receipt import receipt
from alerts.record import Record
from alerts.rule_set import RuleSet, RuleSetInvalid
from alerts.rules import RULES
from alerts.severity import Channel, Family, Severity
from alerts.ward import DELIVERY_FAILED, SYSTEM_DEGRADED
from tests.alerts.stay import Stay, clock, reading
from tests.alerts.test_advice import WISHES, advised

OXYGEN, SYMPTOMS, TECHNICAL = Family.OXYGEN, Family.SYMPTOMS, Family.TECHNICAL
SPAN = Span(time(8), time(12))


def test_a_week_with_one_working_day_is_not_empty_nor_is_one_with_a_single_date() -> None:
    assert Timetable().empty
    assert not Timetable(((SPAN,), *[()] * 6)).empty
    assert not Timetable(dates={date(2026, 12, 24): (SPAN,), date(2026, 12, 25): ()}).empty


def test_a_night_shift_that_began_the_day_before_changes_who_is_there_when_it_ends() -> None:
    night = Timetable(((Span(time(21), time(7), "somebody"),),) * 7)
    assert Coverage(ServiceHours("UTC"), night).next_change(clock("01:00")) == clock("07:00")


@pytest.mark.parametrize(
    ("context", "reason"), [("sleep", "not_applicable"), ("post_exertion_40_steps", "not_at_rest")]
)
def test_why_a_green_value_that_was_not_at_rest_is_not_judged_as_one(context: str, reason: str) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, context=context)
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R1"} == {reason}


def test_of_several_rules_that_cannot_be_switched_off_one_is_told() -> None:
    with pytest.raises(RuleSetInvalid) as refused:
        RuleSet(version="quiet", off=("R1", "R10"))
    assert [problem.code for problem in refused.value.problems] == ["mandatory"]


def test_in_the_fold_an_alert_that_resolved_itself_can_be_reopened() -> None:
    readings = [reading(at, spo2=spo2, breathlessness=0) for at, spo2 in (("08:00", 94), ("08:20", 97), ("08:40", 97))]
    again = HumanEvent(clock("09:00"), OXYGEN, Verb.REOPEN)
    assert fold(Record(), readings, [again]).episodes[OXYGEN].state == State.OPEN


@pytest.mark.parametrize(("alerts", "within"), [(3, True), (4, False)])
def test_three_clinical_alerts_in_ten_patient_days_are_within_the_budget(alerts: int, within: bool) -> None:
    load = Load(10.0, 30, 0, Counter({(Channel.CLINICAL, "R2", Severity.HIGH): alerts}), Counter())
    assert (BUDGET, load.within_budget) == (0.3, within)


def test_what_is_wrong_with_the_ward_is_technical() -> None:
    assert {DELIVERY_FAILED.family, SYSTEM_DEGRADED.family} == {TECHNICAL}


def test_which_of_equally_severe_rules_names_a_symptom() -> None:
    named = sorted((rule for rule in RULES if rule.family == SYMPTOMS), key=lambda rule: -rule.rank)
    assert [rule.key for rule in named] == ["R10", "R10b", "R11:breathlessness", "R11:feeling"]
    assert len({rule.rank for rule in named}) == len(named)


@pytest.mark.parametrize(("second", "severity"), [("08:10", Severity.MEDIUM), ("08:09", Severity.CRITICAL)])
def test_two_good_values_contradict_a_red_one_when_they_are_five_minutes_apart(second: str, severity: Severity) -> None:
    stay = Stay()
    for at, spo2 in (("08:00", 91), ("08:05", 97), (second, 97)):
        stay.reads(at, spo2=spo2)
    assert stay.alert().severity == severity


def test_a_value_too_low_to_use_does_not_begin_the_clearing_of_what_exertion_showed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, context="post_exertion_40_steps")
    for at, spo2 in (("08:05", 45), ("08:19", 97), ("08:21", 97)):
        stay.reads(at, spo2=spo2)
    assert stay.alert().state == State.OPEN


def test_a_text_that_ends_in_a_full_stop_gets_no_other() -> None:
    stay = Stay(**WISHES)
    stay.reads("08:00", spo2=91)
    assert "Ring the hospice team, 01234 567. " in f"{advised(stay).text} "
    assert ".." not in advised(stay).text


@pytest.mark.parametrize(
    ("values", "family"),
    [
        ({"spo2": 97, "breathlessness": 2.5}, SYMPTOMS),
        ({"spo2": 97, "feeling": "worse"}, SYMPTOMS),
        ({"spo2": 97, "breathlessness": 8}, SYMPTOMS),
        ({"spo2": 97, "symptoms": ("chest_pain",)}, SYMPTOMS),
        ({"spo2": 97, "oxygen_flow": 4}, OXYGEN),
        ({"spo2": 45}, TECHNICAL),
        ({"spo2": 97, "time_corrected": True}, TECHNICAL),
    ],
)
def test_what_needs_no_signal_is_confirmed_on_a_poor_one(values: dict[str, Any], family: Family) -> None:
    stay = Stay(usual_breathlessness=0, prescribed_oxygen_flow=1)
    (change,) = (each for each in stay.reads("08:00", quality="poor", **values) if each.family == family)
    assert (change.kind, change.after.confirmed) == (Kind.OPENED, True)


def test_a_value_too_low_to_use_is_no_good_value() -> None:
    stay = Stay()
    for at, spo2 in (("08:00", 94), ("08:05", 45), ("08:21", 97)):
        stay.reads(at, spo2=spo2, breathlessness=0)
    amber = stay.alert().trace("R2")
    assert amber is not None
    assert (amber.active, amber.clearings) == (True, 1)


def test_an_answer_alone_is_no_good_value() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91)
    stay.reads("08:05", spo2=97)
    stay.reads("08:21", breathlessness=0)
    assert stay.alert().state == State.OPEN
    stay.reads("08:22", spo2=97)
    assert stay.alert().state == State.RECOVERED


def test_what_the_plan_no_longer_speaks_of_is_not_cleared_by_it() -> None:
    stay = Stay(baseline_spo2=99)
    for at in ("08:00", "08:10"):
        stay.reads(at, spo2=96)
    stay.is_replanned("08:15", version=2)
    for at in ("08:30", "08:50"):
        stay.reads(at, spo2=99)
    assert (stay.alert().title, stay.alert().state) == ("baseline_drop", State.OPEN)


def test_a_rule_that_is_switched_off_clears_nothing() -> None:
    stay = Stay(baseline_spo2=99)
    for at in ("08:00", "08:10"):
        stay.reads(at, spo2=96)
    stay.record = change_rule_set(stay.record, RuleSet(version="quiet", off=("R5",)), clock("08:15")).record
    for at in ("08:30", "08:50"):
        stay.reads(at, spo2=99)
    assert (stay.alert().title, stay.alert().state) == ("baseline_drop", State.OPEN)


def test_too_few_readings_to_see_a_trend_do_not_end_one() -> None:
    stay = Stay(baseline_spo2=98)
    for at, spo2 in (("08:00", 98), ("20:00", 97), ("1 08:00", 96), ("1 20:00", 96)):
        stay.reads(at, spo2=spo2, breathlessness=0)
    assert stay.alert().title == "trend_fall"
    for at in ("4 08:00", "4 08:20"):
        stay.reads(at, spo2=96, breathlessness=0)
    assert stay.alert().state == State.OPEN


def test_a_policy_of_too_many_steps_is_told_how_many_there_may_be() -> None:
    with pytest.raises(PolicyInvalid, match="has 1 to 10 steps"):
        Policy(())
