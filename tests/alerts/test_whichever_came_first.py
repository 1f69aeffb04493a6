"""What several readings bring about together comes about whichever of them arrives last."""

from itertools import permutations

import pytest

from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, clock, told

CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM


@pytest.mark.parametrize(("first", "second"), [("08:00", "08:15"), ("08:15", "08:00")], ids=["in order", "not"])
@pytest.mark.hazard("H1")
def test_the_second_of_two_values_below_50_is_critical_at_once_whichever_was_observed_first(
    first: str, second: str
) -> None:
    stay = Stay()
    stay.reads(first, received="08:15", spo2=45)
    assert stay.families == {Family.TECHNICAL}
    (opened,) = (change for change in stay.reads(second, received="08:16", spo2=47) if change.family == Family.OXYGEN)
    assert (opened.kind, opened.at, opened.after.severity) == ("opened", clock("08:16"), CRITICAL)


@pytest.mark.parametrize("earlier", ["07:59", "08:00"])
def test_two_values_below_50_more_than_a_quarter_of_an_hour_apart_are_not_yet_critical(earlier: str) -> None:
    stay = Stay()
    stay.reads("08:15", spo2=45)
    stay.reads(earlier, received="08:16", spo2=47)
    assert (Family.OXYGEN in stay.families) == (earlier == "08:00")


def test_an_answer_to_the_only_value_below_50_is_no_second_one() -> None:
    stay = Stay()
    stay.reads("07:50", spo2=94, breathlessness=3)
    stay.reads("08:00", spo2=45)
    stay.reads("08:05", breathlessness=4)
    assert (stay.alert().severity, stay.alert().rule_ids) == (HIGH, ("R2",))


@pytest.mark.parametrize("order", list(permutations(("08:00", "08:05", "08:10"))), ids=" ".join)
@pytest.mark.hazard("H12")
def test_three_poor_signals_in_a_row_are_an_alert_in_whatever_order_they_arrive(order: tuple[str, ...]) -> None:
    stay = Stay()
    for minutes, at in enumerate(order, start=10):
        assert not stay.families
        stay.reads(at, received=told(clock(f"08:{minutes}")), spo2=97, quality="poor")
    assert (stay.alert(Family.TECHNICAL).title, stay.alert(Family.TECHNICAL).severity) == ("quality_poor", MEDIUM)


@pytest.mark.parametrize("good", ["08:02", "08:07"])
def test_a_usable_signal_between_them_breaks_the_row_in_whatever_order_they_arrive(good: str) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, quality="poor")
    stay.reads(good, spo2=97)
    for at in ("08:10", "08:05"):
        stay.reads(at, received="08:11" if at == "08:05" else at, spo2=97, quality="poor")
    assert not stay.families


@pytest.mark.parametrize(
    ("value", "answer", "severity", "rules"),
    [
        (93, 1, HIGH, {"R2", "R3", "R4"}),
        (93, 4, HIGH, {"R2", "R4"}),
        (94, 1, MEDIUM, {"R2", "R3", "R4"}),
        (94, 4, HIGH, {"R2", "R4"}),
        (91, 1, CRITICAL, {"R1", "R3", "R4"}),
    ],
)
@pytest.mark.hazard("H1")
def test_an_answer_of_just_before_a_low_value_that_arrives_after_it_counts_at_once(
    value: int, answer: int, severity: Severity, rules: set[str]
) -> None:
    stay = Stay()
    stay.reads("08:10", spo2=value)
    stay.reads("08:05", received="08:12", breathlessness=answer)
    assert (stay.alert().severity, set(stay.alert().rule_ids)) == (severity, rules)


@pytest.mark.parametrize(("asked", "rise"), [("08:05", True), ("07:09", False)], ids=["within the hour", "older"])
def test_an_answer_of_long_before_or_with_a_newer_one_known_is_not_the_answer_to_a_low_value(
    asked: str, rise: bool
) -> None:
    stay, answered = Stay(), Stay()
    stay.reads("08:10", spo2=93)
    stay.reads(asked, received="08:12", breathlessness=1)
    assert (stay.alert().severity == HIGH) == rise
    answered.reads("08:10", spo2=94, breathlessness=0)
    answered.reads(asked, received="08:12", breathlessness=4)
    assert answered.alert().severity == MEDIUM


def test_an_answer_of_before_a_low_value_says_nothing_of_one_an_hour_later() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97)
    stay.reads("09:30", spo2=93)
    stay.reads("08:05", received="09:32", breathlessness=1)
    assert stay.alert().severity == MEDIUM


def test_an_answer_to_a_low_value_that_a_newer_good_one_overtook_makes_it_no_more_urgent() -> None:
    stay = Stay()
    stay.reads("08:10", spo2=93)
    stay.reads("08:12", spo2=97)
    stay.reads("08:05", received="08:13", breathlessness=1)
    assert stay.alert().severity == MEDIUM
