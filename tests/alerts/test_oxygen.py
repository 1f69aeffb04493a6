"""Low oxygen: severity, confirmation, the question, and how it clears (R0-R4)."""

from typing import Any

import pytest

from alerts.case import judged
from alerts.episode import State
from alerts.fold import Verb
from alerts.plan import Plan
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, clock, reading

CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW


@pytest.mark.parametrize(
    ("spo2", "answer", "baseline", "severity"),
    [
        (94, None, None, MEDIUM),
        (94, 0, None, MEDIUM),
        (94, 2.5, None, MEDIUM),
        (94, 3, None, HIGH),
        (94, 0, 96, MEDIUM),
        (94, 0, 97, HIGH),
        (94, None, 97, HIGH),
        (93, None, None, MEDIUM),
        (93, None, 96, HIGH),
        (93, 0, None, HIGH),
        (93, 4, None, HIGH),
        (92, None, None, CRITICAL),
        (92, 9, 92, CRITICAL),
    ],
)
@pytest.mark.hazard("H1")
def test_how_severe_a_low_value_is(spo2: int, answer: float, baseline: int, severity: Severity) -> None:
    stay = Stay(baseline_spo2=baseline)
    stay.reads("08:00", spo2=spo2, breathlessness=answer)
    assert stay.alert().severity == severity


@pytest.mark.parametrize(("answer", "title"), [(2, "silent_hypoxia"), (2.5, "spo2_red"), (None, "spo2_red")])
def test_silent_hypoxia_is_named_when_breathlessness_is_mild_at_most(answer: float, title: str) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=answer)
    assert stay.alert().title == title


def test_silent_hypoxia_names_the_red_value_that_came_before_it() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91)
    assert stay.alert().title == "spo2_red"
    stay.reads("08:05", spo2=94, breathlessness=1)
    assert stay.alert().title == "silent_hypoxia"


@pytest.mark.parametrize(("asked", "title"), [("07:00", "silent_hypoxia"), ("06:59", "spo2_red")])
def test_an_answer_belongs_to_the_readings_of_the_next_hour(asked: str, title: str) -> None:
    stay = Stay()
    stay.reads(asked, breathlessness=1)
    stay.reads("08:00", spo2=91)
    assert stay.alert().title == title


def test_the_message_says_that_the_number_still_matters() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    explanation = stay.alert().explanation
    assert "The patient may feel well; the number still matters." in explanation.text
    assert {(item.name, item.value) for item in explanation.inputs} == {("spo2", 91), ("breathlessness", 1)}
    assert ("red_at", 92) in {(limit.name, limit.value) for limit in explanation.limits}
    assert explanation.source


def test_a_value_that_was_rounded_is_told_as_it_was_sent() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92.5, breathlessness=5)
    assert "SpO2 92 % (sent as 92.5)" in stay.alert().explanation.text


def test_below_70_the_alert_says_that_the_device_is_out_of_its_range() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=69, breathlessness=5)
    assert "outside device accuracy" in stay.alert().explanation.text
    assert not stay.alert().confirmed
    stay.reads("08:05", spo2=70, breathlessness=5)
    assert "outside device accuracy" not in stay.alert().explanation.text


def test_amber_confirms_red() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92, breathlessness=1)
    stay.reads("08:05", spo2=94, breathlessness=1)
    assert stay.alert().confirmed


@pytest.mark.parametrize("weak", [{"context": "unknown"}, {"quality": "poor"}, {"context": "sleep"}])
@pytest.mark.hazard("H5")
def test_a_weak_reading_neither_confirms_nor_clears_red(weak: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:04", spo2=88, breathlessness=1, **weak)
    assert not stay.alert().confirmed
    stay.reads("08:08", spo2=98, **weak)
    stay.reads("08:14", spo2=98, **weak)
    assert (stay.alert().severity, stay.alert().state) == (CRITICAL, State.OPEN)


def test_a_confirmed_red_never_becomes_transient() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:02", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=97)
    stay.reads("08:12", spo2=97)
    assert (stay.alert().severity, stay.alert().transient) == (CRITICAL, False)


def test_two_good_readings_four_minutes_apart_contradict_nothing() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=97)
    stay.reads("08:09", spo2=97)
    assert stay.alert().severity == CRITICAL


def test_red_after_a_transient_is_critical_and_believed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=97)
    (lowered,) = stay.reads("08:12", spo2=97)
    assert (lowered.kind, lowered.after.transient, lowered.after.next_due_at) == ("downgraded", True, None)
    assert not lowered.after.confirmed
    (worse,) = stay.reads("08:40", spo2=91, breathlessness=1)
    assert (worse.kind, worse.after.transient, worse.after.confirmed) == ("worsened", False, True)


def test_a_transient_red_keeps_what_other_rules_found() -> None:
    stay = Stay(prescribed_oxygen_flow=0)
    stay.reads("08:00", spo2=91, breathlessness=1, oxygen_flow=2)
    stay.reads("08:05", spo2=97)
    stay.reads("08:12", spo2=97)
    assert (stay.alert().severity, stay.alert().title) == (HIGH, "more_oxygen")


def test_clearing_begins_again_after_a_reading_in_between() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.reads("08:10", spo2=95)
    stay.reads("08:20", spo2=94, breathlessness=0)
    stay.reads("08:30", spo2=95)
    assert stay.alert().state == State.OPEN
    stay.reads("08:45", spo2=95)
    assert stay.alert().state == State.RECOVERED


def test_a_recheck_that_came_ends_the_wait_for_it() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    assert stay.alert().next_due_at == clock("09:00")
    stay.reads("08:30", spo2=95)
    assert stay.alert().next_due_at is None
    assert stay.waits_until("12:00") == []


def test_two_poor_red_values_wait_for_one_thing_by_the_first_of_their_limits() -> None:
    stay = Stay()
    for at in ("08:00", "08:05"):
        stay.reads(at, spo2=91, breathlessness=3, quality="poor")
    assert [(wait.key, wait.due_at) for wait in stay.alert().waits] == [("R1", clock("08:15"))]


def test_a_poor_recheck_is_no_recheck() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.reads("08:30", spo2=97, quality="poor")
    (change,) = stay.waits_until("09:00")
    assert (change.kind, change.after.severity) == ("worsened", HIGH)


def test_time_runs_from_receipt() -> None:
    stay = Stay()
    stay.reads("06:00", received="08:00", spo2=92, breathlessness=1)
    assert stay.alert().next_due_at == clock("08:15")
    assert stay.alert().first_breach_at == clock("06:00")
    assert stay.alert().opened_at == clock("08:00")


def test_an_answer_ends_the_wait_for_it_and_can_only_raise() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    stay.reads("08:05", breathlessness=6)
    assert stay.alert().severity == HIGH
    assert stay.alert().next_due_at == clock("09:00")
    stay.reads("08:06", breathlessness=0)
    assert stay.alert().severity == HIGH
    assert stay.alert().reading_count == 1
    assert not stay.alert().confirmed


def test_an_answer_more_than_an_hour_later_belongs_to_nothing() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    stay.reads("09:01", breathlessness=4)
    assert "R3" not in stay.alert().rule_ids
    assert (stay.alert().title, stay.alert().severity) == ("spo2_amber", HIGH)


def test_an_answer_belongs_to_the_reading_whose_question_it_is_though_another_came_since() -> None:
    stay = Stay()
    stay.reads("08:00", id="asked", spo2=93)
    stay.reads("08:05", id="since", spo2=97)
    stay.reads("08:10", breathlessness=1, answers="asked")
    assert stay.evaluation is not None
    assert (stay.evaluation.case.level, stay.evaluation.case.carried) == (93, True)
    stay.reads("08:12", breathlessness=1)
    assert stay.evaluation.case.level == 97


@pytest.mark.parametrize("said", [{"pulse_rate": 80}, {"breathlessness": 1, "context": "post_exertion_40_steps"}])
def test_nothing_but_an_answer_at_rest_is_judged_with_the_low_value_before_it(said: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91)
    stay.reads("08:05", **said)
    assert stay.evaluation is not None
    assert (stay.evaluation.case.measured, stay.evaluation.findings) == (None, ())


@pytest.mark.parametrize("between", [1, 2])
def test_an_answer_and_a_value_find_each_other_whatever_came_between(between: int) -> None:
    for first, last in (({"spo2": 91}, {"breathlessness": 1}), ({"breathlessness": 1}, {"spo2": 91})):
        stay = Stay()
        stay.reads("08:00", **first)
        for minute in range(1, 1 + between):
            stay.reads(f"08:0{minute}", pulse_rate=80)
        stay.reads("08:05", **last)
        assert stay.alert().title == "silent_hypoxia"


def test_a_late_answer_adds_nothing_to_an_alert_whose_low_value_is_over() -> None:
    stay = Stay()
    stay.reads("08:00", id="asked", spo2=93, breathlessness=3)
    for at in ("08:10", "08:30"):
        stay.reads(at, spo2=97)
    assert stay.alert().state == State.RECOVERED
    assert stay.reads("08:40", breathlessness=1, answers="asked") == []


@pytest.mark.parametrize("over", [(), (("07:00", 91), ("07:10", 97), ("07:30", 97))])
def test_a_late_answer_belongs_to_an_alert_with_one_low_value_that_stands(over: tuple[tuple[str, int], ...]) -> None:
    stay = Stay()
    for at, spo2 in over:
        stay.reads(at, spo2=spo2, breathlessness=3)
    stay.reads("08:40", spo2=93, breathlessness=3)
    stay.reads("08:45", breathlessness=1)
    assert "R3" in stay.alert().rule_ids


def test_a_late_answer_raises_no_alert_that_a_person_has_closed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    stay.acts("08:10", Verb.RESOLVE)
    assert stay.reads("08:20", breathlessness=1) == []


def test_asleep_red_starts_three_points_lower_and_amber_not_at_all() -> None:
    stay = Stay()
    stay.reads("02:00", spo2=90, context="sleep")
    assert stay.families == set()
    stay.reads("02:10", spo2=89, context="sleep")
    assert stay.alert().rule_ids == ("R1",)


def test_after_exertion_the_resting_bands_do_not_run() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, context="post_exertion_1_min_sit_to_stand")
    assert stay.families == set()
    stay.reads("08:01", spo2=91, context="post_exertion_1_min_sit_to_stand")
    assert stay.alert().rule_ids == ("R8",)


def test_after_exertion_a_value_too_low_to_use_is_measured_again_like_any_other() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45, context="post_exertion_40_steps")
    assert stay.families == {Family.TECHNICAL}


def test_a_reading_without_spo2_has_none_to_judge() -> None:
    with pytest.raises(ValueError, match="without SpO2"):
        judged(reading("08:00", pulse_rate=80), Plan())


def test_an_unknown_context_is_judged_as_rest() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, context="unknown")
    assert stay.alert().severity == CRITICAL


def test_a_second_value_below_50_later_than_a_quarter_of_an_hour_is_the_first_again() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45)
    stay.reads("08:10", spo2=97)
    stay.reads("08:16", spo2=47)
    assert stay.families == {Family.TECHNICAL}


@pytest.mark.parametrize(
    ("first", "at", "second", "believed"),
    [(45, "08:15", 47, True), (45, "08:16", 47, False), (49.5, "08:05", 49, True), (50, "08:05", 49, False)],
)
def test_a_value_below_50_is_believed_when_another_came_at_most_a_quarter_of_an_hour_before(
    first: float, at: str, second: float, believed: bool
) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=first)
    stay.reads(at, spo2=second)
    assert stay.evaluation is not None
    assert ("R1" in {finding.rule_id for finding in stay.evaluation.findings}) is believed


def test_the_lowest_value_that_can_be_used_is_not_confirmed_by_itself() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=50)
    assert (stay.alert().severity, stay.alert().confirmed) == (CRITICAL, False)


@pytest.mark.parametrize(("profile", "flow", "level"), [(None, 2, 94), ("hypercapnic", 0, 94), ("hypercapnic", 2, 95)])
def test_a_half_goes_up_only_for_those_at_risk_of_too_much_oxygen_while_they_have_some(
    profile: Any, flow: float, level: int
) -> None:
    stay = Stay(profile=profile)
    stay.reads("08:00", spo2=94.5, oxygen_flow=flow)
    assert stay.evaluation is not None
    assert stay.evaluation.judged_spo2 == level


def test_a_technical_low_clears_with_two_usable_values() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45)
    stay.reads("08:05", spo2=97)
    stay.reads("08:20", spo2=97)
    assert stay.alert(Family.TECHNICAL).state == State.RECOVERED


def test_red_raised_by_silence_after_45_is_confirmed_by_more_silence() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45)
    kinds = [(change.kind, change.family, change.at) for change in stay.waits_until("09:00")]
    assert kinds == [
        ("opened", Family.OXYGEN, clock("08:15")), ("confirmed", Family.OXYGEN, clock("08:30")),
    ]  # fmt: skip
    assert "no usable one followed" in stay.alert().explanation.text
    assert stay.alert().first_breach_at == clock("08:00")


def test_amber_without_a_recheck_does_not_confirm_a_red_that_was_poor() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.reads("08:55", spo2=90, breathlessness=0, quality="poor")
    stay.waits_until("09:00")
    assert (stay.alert().severity, stay.alert().trace("R1").confirmed) == (CRITICAL, False)  # type: ignore[union-attr]
    stay.waits_until("09:10")
    assert stay.alert().confirmed


def test_an_alert_is_confirmed_by_what_makes_it_as_severe_as_it_is() -> None:
    stay = Stay()
    for at in ("08:00", "08:05"):
        stay.reads(at, spo2=94, breathlessness=3)
    assert stay.alert().confirmed
    stay.reads("08:10", spo2=90, breathlessness=3, quality="poor")
    assert (stay.alert().severity, stay.alert().confirmed) == (CRITICAL, False)
