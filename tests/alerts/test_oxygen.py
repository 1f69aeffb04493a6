"""Low oxygen: severity, confirmation, the question, and how it clears (R0-R6, R18)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.episode import State
from alerts.evaluate import evaluate
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
def test_how_severe_a_low_value_is(spo2: int, answer: float, baseline: int, severity: Severity) -> None:
    stay = Stay(baseline_spo2=baseline)
    stay.reads("08:00", spo2=spo2, breathlessness=answer)
    assert stay.alert().severity == severity


@pytest.mark.parametrize(("answer", "title"), [(2, "silent_hypoxia"), (2.5, "spo2_red"), (None, "spo2_red")])
def test_silent_hypoxia_is_named_when_breathlessness_is_mild_at_most(answer: float, title: str) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=answer)
    assert stay.alert().title == title


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


def test_amber_confirms_red() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92, breathlessness=1)
    stay.reads("08:05", spo2=94, breathlessness=1)
    assert stay.alert().confirmed


@pytest.mark.parametrize("weak", [{"context": "unknown"}, {"quality": "poor"}, {"context": "sleep"}])
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
    (worse,) = stay.reads("08:40", spo2=91, breathlessness=1)
    assert (worse.kind, worse.after.transient, worse.confirmed_now) == ("worsened", False, True)


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
    stay.reads("08:00", spo2=91, context="post_exertion_1_min_sit_to_stand")
    assert stay.families == set()


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


@pytest.mark.parametrize(("drops", "severity"), [((96, 96), LOW), ((96, 98, 96), LOW), ((96,), None)])
def test_a_drop_from_usual_needs_two_of_three(drops: tuple[int, ...], severity: Severity | None) -> None:
    stay = Stay(baseline_spo2=99)
    for hour, spo2 in enumerate(drops, start=8):
        stay.reads(f"{hour:02}:00", spo2=spo2)
    assert (stay.alert().severity if stay.families else None) == severity


def test_a_drop_clears_when_it_is_one_at_most_twice() -> None:
    stay = Stay(baseline_spo2=99)
    for at, spo2 in (("08:00", 96), ("12:00", 96), ("16:00", 98), ("16:01", 97), ("16:02", 98)):
        stay.reads(at, spo2=spo2)
    assert stay.alert().state == State.OPEN
    stay.reads("16:03", spo2=98)
    assert stay.families == set()


def test_only_good_resting_values_count_for_a_drop() -> None:
    stay = Stay(baseline_spo2=99)
    stay.reads("08:00", spo2=96)
    stay.reads("08:05", spo2=96, quality="poor")
    stay.reads("08:10", spo2=96, context="post_exertion_40_steps")
    assert stay.families == set()
    stay.reads("08:15", spo2=96)
    assert stay.alert().title == "baseline_drop"


def below_target() -> Stay:
    limits = {"red_at": 89, "amber_at": 91, "target_low": 95}
    return Stay(profile="custom", reason="fibrosis", review_on=clock("00:00").date(), **limits)


def test_below_target_needs_two_of_three_good_values() -> None:
    stay = below_target()
    for at, values in (("08:00", {"spo2": 94}), ("08:05", {"pulse_rate": 80}), ("08:10", {"spo2": 95})):
        stay.reads(at, **values)
    stay.reads("08:15", spo2=94, quality="poor")
    assert stay.families == set()
    stay.reads("08:20", spo2=94)
    assert (stay.alert().title, stay.alert().severity) == ("below_target", LOW)
    assert "below the target of 95 %" in stay.alert().explanation.text


def test_below_target_clears_with_two_values_on_target() -> None:
    stay = below_target()
    for at, spo2 in (("08:00", 94), ("08:05", 94), ("08:10", 95), ("08:11", 91), ("08:12", 95)):
        stay.reads(at, spo2=spo2, breathlessness=5)
    assert stay.alert().trace("R6").active  # type: ignore[union-attr]
    stay.reads("08:13", spo2=95)
    assert not stay.alert().trace("R6").active  # type: ignore[union-attr]


def test_five_below_usual_and_amber_is_high() -> None:
    stay = Stay(baseline_spo2=99)
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.reads("08:20", spo2=94, breathlessness=0)
    trace = stay.alert().trace("R5")
    assert trace is not None
    assert trace.severity == HIGH


def test_more_oxygen_clears_when_back_at_the_prescription_twice() -> None:
    stay = Stay(prescribed_oxygen_flow=1)
    stay.reads("08:00", spo2=96, oxygen_flow=2)
    stay.reads("08:10", spo2=96, oxygen_flow=1)
    stay.reads("08:20", spo2=96, oxygen_flow=1.5)
    stay.reads("08:30", spo2=96, oxygen_flow=1)
    assert stay.alert().state == State.OPEN
    stay.reads("08:40", spo2=96, oxygen_flow=1)
    assert stay.alert().state == State.RECOVERED


def test_more_oxygen_ends_with_the_plan_and_nothing_else_does() -> None:
    stay = Stay(prescribed_oxygen_flow=0)
    stay.reads("08:00", spo2=94, breathlessness=0, oxygen_flow=0.5)
    assert stay.alert().title == "more_oxygen"
    assert stay.is_replanned("08:10", prescribed_oxygen_flow=1) == []
    stay.reads("08:20", spo2=96, oxygen_flow=1)
    (change,) = stay.reads("08:40", spo2=96, oxygen_flow=1)
    assert change.kind == "recovered"


def test_a_new_prescription_alone_recovers_the_alert_about_it() -> None:
    stay = Stay(prescribed_oxygen_flow=0)
    stay.reads("08:00", spo2=97, oxygen_flow=2)
    (change,) = stay.is_replanned("08:10", prescribed_oxygen_flow=2)
    assert (change.kind, change.reason) == ("recovered", "the plan changed")


@given(
    low=st.integers(50, 100), high=st.integers(50, 100), answer=st.none() | st.integers(0, 20),
    baseline=st.none() | st.integers(70, 93), profile=st.sampled_from(["standard", "hypercapnic"]),
    pulse=st.none() | st.integers(20, 250),
)  # fmt: skip
def test_off_oxygen_a_lower_value_is_never_less_severe(
    low: int, high: int, answer: int | None, baseline: int | None, profile: Any, pulse: int | None
) -> None:
    low, high = sorted((low, high))
    plan = Plan(profile=profile, baseline_spo2=baseline)
    others = {"breathlessness": answer and answer / 2, "oxygen_flow": 0, "pulse_rate": pulse}

    def severity(spo2: int) -> int:
        now = reading("08:00", spo2=spo2, **others)
        return evaluate((now,), plan, now.received_at).severity or 0

    assert severity(low) >= severity(high)


@given(spo2=st.integers(0, 100), answer=st.integers(0, 20), baseline=st.none() | st.integers(70, 100))
def test_an_answer_never_lowers(spo2: int, answer: int, baseline: int | None) -> None:
    stay, asked = Stay(baseline_spo2=baseline), Stay(baseline_spo2=baseline)
    stay.reads("08:00", spo2=spo2)
    asked.reads("08:00", spo2=spo2)
    asked.reads("08:05", breathlessness=answer / 2)
    for family, episode in stay.record.episodes.items():
        assert asked.alert(family).severity >= episode.severity
