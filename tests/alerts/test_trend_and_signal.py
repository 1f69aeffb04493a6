"""A fall over a day (R12), and signals that stay poor (R16)."""

from typing import Any

import pytest

from alerts.episode import State
from alerts.receipt import receipt
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay

TIMES = ("-1 09:00", "-1 13:00", "-1 19:00", "09:00", "13:00", "19:00")


def measured(*values: float, times: tuple[str, ...] = TIMES, **plan: Any) -> Stay:
    """Green values three a day, the last one this evening unless `times` says otherwise."""
    stay = Stay(**plan)
    for at, spo2 in zip(times[-len(values) :], values, strict=True):
        stay.reads(at, spo2=spo2)
    return stay


def rules(stay: Stay) -> tuple[str, ...]:
    return stay.alert().rule_ids if Family.OXYGEN in stay.families else ()


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        ((98, 97, 97, 96, 96), Severity.LOW),
        ((98, 97, 97, 96, 95), Severity.MEDIUM),
        ((98, 96, 96, 96, 96), Severity.LOW),
        ((98, 97, 97, 97, 96), None),
        ((98, 97, 96, 97, 96), None),
    ],
)
def test_three_values_that_do_not_rise_with_their_median_two_below_usual(
    values: tuple[int, ...], severity: Severity | None
) -> None:
    stay = measured(*values, baseline_spo2=98)
    assert rules(stay) == (("R12",) if severity else ())
    if severity:
        assert (stay.alert().severity, stay.alert().title) == (severity, "trend_fall")


def test_the_explanation_tells_the_values_before() -> None:
    text = measured(98, 97, 97, 96, 96, baseline_spo2=98).alert().explanation.text
    assert text == "SpO2 96 % is falling: before it 96, 97, 97, 98 (newest first)."


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ((99, 99, 99, 99, 96, 96), True),
        ((99, 99, 99, 99, 97, 96), False),
        ((99, 99, 99, 99, 96, 97), False),
        ((100, 99, 98, 97, 96, 95), False),
        ((99, 99, 98, 98, 95, 95), True),
        ((99, 99, 96, 95), False),
    ],
)
def test_without_anything_usual_a_step_down_from_the_four_before_counts(values: tuple[int, ...], raised: bool) -> None:
    assert rules(measured(*values)) == (("R12",) if raised else ())


def test_a_fall_within_less_than_a_day_is_no_trend() -> None:
    short = ("00:00", "04:00", "08:00", "12:00", "16:00", "23:59")
    assert not rules(measured(98, 97, 97, 96, 96, 96, times=short, baseline_spo2=98))
    assert not rules(measured(99, 99, 99, 99, 96, 96, times=short))
    day = ("00:00", "04:00", "08:00", "12:00", "16:00", "1 00:00")
    assert rules(measured(98, 97, 97, 96, 96, 96, times=day, baseline_spo2=98))


def test_what_is_not_a_valid_reading_makes_no_day() -> None:
    stay = Stay(baseline_spo2=98)
    stay.reads("-1 08:00", spo2=98, quality="poor")
    stay.reads("-1 08:30", spo2=98, context="unknown")
    for at, spo2 in (("-1 20:00", 98), ("09:00", 96), ("13:00", 96), ("19:59", 96)):
        stay.reads(at, spo2=spo2)
    assert not rules(stay)
    stay.reads("20:00", spo2=96)
    assert rules(stay) == ("R12",)


def test_three_values_are_not_enough() -> None:
    assert not rules(measured(96, 96, 96, times=("-1 09:00", "09:00", "19:00"), baseline_spo2=98))
    assert rules(measured(96, 96, 96, 96, times=("-1 09:00", "09:00", "13:00", "19:00"), baseline_spo2=98))


def test_the_last_three_must_lie_within_a_day_and_a_half() -> None:
    apart = ("-1 06:00", "-1 07:00", "18:00", "1 04:00")
    assert rules(measured(98, 96, 96, 96, times=("-1 06:00", "-1 17:00", "18:00", "1 04:00"), baseline_spo2=98))
    assert not rules(measured(98, 96, 96, 96, times=apart, baseline_spo2=98))


def test_exertion_and_poor_signals_feed_no_trend() -> None:
    stay = measured(98, 97, 97, 97, baseline_spo2=98)
    stay.reads("19:10", spo2=96, context="post_exertion_40_steps")
    stay.reads("19:20", spo2=95, quality="poor")
    stay.reads("19:40", spo2=96)
    assert not rules(stay)


def test_a_trend_clears_by_two_values_a_quarter_of_an_hour_apart() -> None:
    stay = measured(98, 97, 97, 96, 96, baseline_spo2=98)
    stay.reads("20:00", spo2=98)
    stay.reads("20:14", spo2=98)
    assert stay.alert().state == State.OPEN
    changes = stay.reads("20:15", spo2=98)
    assert changes[-1].after.state == State.RESOLVED


@pytest.mark.parametrize(("first", "raised"), [("-1 07:00", True), ("-1 06:59", False)])
def test_the_last_three_lie_within_36_hours_to_the_minute(first: str, raised: bool) -> None:
    times = ("-1 06:00", first, "13:00", "19:00")
    assert rules(measured(98, 96, 96, 96, times=times, baseline_spo2=98)) == (("R12",) if raised else ())


@pytest.mark.parametrize(("context", "raised"), [("rest", True), ("unknown", False)])
def test_a_value_that_counts_for_nothing_ends_no_trend(context: str, raised: bool) -> None:
    stay = measured(98, 97, 96, 96, times=("-1 14:00", "-1 19:00", "09:00", "13:00"), baseline_spo2=98)
    assert rules(stay) == ()
    stay.reads("19:00", spo2=96, context=context)
    assert rules(stay) == (("R12",) if raised else ())


def test_the_lowest_value_that_can_be_used_ends_a_trend_and_one_below_it_does_not() -> None:
    for spo2, falls in ((50, True), (49, False)):
        assert ("R12" in rules(measured(98, 97, 97, 96, spo2, baseline_spo2=98))) == falls


def test_the_smallest_step_is_from_a_hundred() -> None:
    assert rules(measured(100, 100, 100, 100, 97, 97)) == ("R12",)


def test_the_median_of_four_lies_between_the_middle_two() -> None:
    assert rules(measured(100, 98, 98, 95, 95, 95)) == ("R12",)


def test_someone_who_usually_has_a_hundred_falls_to_98() -> None:
    assert rules(measured(100, 99, 99, 98, 98, baseline_spo2=100)) == ("R12",)


def test_of_many_values_the_last_six_are_told() -> None:
    times = ("-1 06:00", *TIMES)
    text = measured(98, 98, 98, 98, 97, 96, 96, times=times, baseline_spo2=98).alert().explanation.text
    assert text == "SpO2 96 % is falling: before it 96, 97, 98, 98, 98 (newest first)."


@pytest.mark.parametrize("times", [("07:00", "11:00", "15:00", "19:00"), ("-1 13:00", "07:00", "19:00")])
def test_why_there_is_no_trend_yet(times: tuple[str, ...]) -> None:
    stay = measured(*[96] * len(times), times=times, baseline_spo2=98)
    assert stay.evaluation is not None
    assert {line.reason for line in receipt(stay.evaluation) if line.rule.id == "R12"} == {"too_few_readings"}


def test_values_that_are_low_and_fall_no_more_clear_a_trend() -> None:
    stay = measured(98, 97, 97, 96, 96, baseline_spo2=98)
    for at in ("20:00", "20:20"):
        stay.reads(at, spo2=97)
    assert stay.families == set()


def test_a_trend_at_a_low_value_joins_the_alert_of_that_value() -> None:
    stay = measured(97, 96, 95, 95, 93, baseline_spo2=97)
    assert stay.alert().rule_ids[0] == "R12"
    assert {"R12", "R2", "R4"} <= set(stay.alert().rule_ids)
    assert len(stay.families) == 1


def poor(stay: Stay, *times: str, **values: Any) -> None:
    for at in times:
        stay.reads(at, **{"spo2": 97, "quality": "poor", **values})


@pytest.mark.hazard("H12")
def test_three_poor_signals_in_a_row_are_a_technical_alert() -> None:
    stay = Stay()
    poor(stay, "08:00", "08:10")
    assert not stay.families
    poor(stay, "08:20")
    assert (stay.alert(Family.TECHNICAL).severity, stay.alert(Family.TECHNICAL).title) == (
        Severity.MEDIUM,
        "quality_poor",
    )
    assert stay.alert(Family.TECHNICAL).explanation.text.startswith("3 readings in a row with a poor signal")


def test_a_usable_signal_breaks_the_row_and_an_answer_alone_does_not() -> None:
    stay = Stay()
    poor(stay, "08:00", "08:10")
    stay.reads("08:15", breathlessness=0)
    stay.reads("08:17", spo2=97, quality="fair")
    poor(stay, "08:20")
    assert not stay.families
    stay.reads("08:25", breathlessness=0)
    poor(stay, "08:30", "08:40")
    assert stay.families == {Family.TECHNICAL}


def test_poor_signals_count_in_every_context_and_clear_by_two_usable_ones_in_any() -> None:
    stay = Stay()
    poor(stay, "02:00", "03:00", "04:00", context="sleep")
    assert stay.families == {Family.TECHNICAL}
    stay.reads("05:00", spo2=97, context="sleep")
    poor(stay, "05:10")
    stay.reads("05:20", spo2=97, context="sleep")
    stay.reads("05:34", spo2=97)
    assert stay.families == {Family.TECHNICAL}
    stay.reads("05:35", spo2=97)
    assert not stay.families
