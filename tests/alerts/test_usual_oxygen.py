"""The drop from usual, the target range and the prescription (R5, R6, R18)."""

import pytest

from alerts.episode import State
from alerts.severity import Severity
from tests.alerts.stay import Stay, clock

CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW


@pytest.mark.parametrize(("drops", "severity"), [((96, 96), LOW), ((96, 98, 96), LOW), ((96,), None)])
@pytest.mark.hazard("H6")
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


@pytest.mark.hazard("H12")
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


@pytest.mark.hazard("H12")
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


def test_a_usual_spo2_and_the_reason_for_it_are_no_new_prescription() -> None:
    stay = Stay(prescribed_oxygen_flow=0)
    stay.reads("08:00", spo2=97, oxygen_flow=2)
    assert stay.is_replanned("08:10", prescribed_oxygen_flow=0, baseline_spo2=97, reason="measured", version=2) == []
    assert stay.alert().state == State.OPEN


def test_the_prescription_is_kept_in_every_context_and_by_poor_signals_too() -> None:
    stay = Stay(prescribed_oxygen_flow=1)
    stay.reads("02:00", spo2=96, oxygen_flow=3, context="sleep")
    assert (stay.alert().title, stay.alert().confirmed) == ("more_oxygen", True)
    stay.reads("02:10", spo2=96, oxygen_flow=1, context="sleep")
    stay.reads("02:20", spo2=96, oxygen_flow=1, quality="poor")
    assert stay.alert().state == State.RECOVERED


def test_a_late_word_of_the_right_flow_clears_nothing() -> None:
    stay = Stay(prescribed_oxygen_flow=1)
    stay.reads("08:00", spo2=96, oxygen_flow=3)
    stay.reads("07:00", received="08:10", spo2=96, oxygen_flow=1)
    stay.reads("07:10", received="08:20", spo2=96, oxygen_flow=1)
    assert stay.alert().state == State.OPEN
