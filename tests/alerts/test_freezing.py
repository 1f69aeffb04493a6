"""The usual SpO2, frozen from the first three good readings when no clinician said it."""

from typing import Any

import pytest

from alerts.fold import PlanEvent, fold
from alerts.freezing import frozen_plan
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from alerts.rule_set import RuleSet
from tests.alerts.stay import Stay, clock, reading

ADMITTED = clock("08:00")


def day(*values: float, start: int = 9, **fields: Any) -> list[Reading]:
    return [reading(f"{start + number:02}:00", spo2=spo2, **fields) for number, spo2 in enumerate(values)]


def frozen(known: list[Reading], arrived: list[Reading], **plan: Any) -> Plan | None:
    return frozen_plan(known, arrived, Plan(**plan), ADMITTED)


def test_the_third_good_reading_freezes_the_median_as_the_next_version() -> None:
    first, second, third = day(98, 95, 97)
    assert frozen([], [first]) is None
    assert frozen([first], [second]) is None
    plan = frozen([first, second], [third])
    assert plan == Plan(baseline_spo2=97, version=2)


def test_it_is_frozen_once() -> None:
    assert frozen(day(98, 95, 97), day(90, start=13)) is None


def test_three_that_come_together_freeze_it_and_a_fourth_with_them_does_not_count() -> None:
    plan = frozen([], day(95, 96, 97, 100, 100))
    assert plan is not None
    assert plan.baseline_spo2 == 96


def test_the_first_by_observation_count_in_whatever_order_they_come() -> None:
    late, second, third, fourth = day(94, 96, 97, 98)
    plan = frozen([second, fourth], [late, third])
    assert plan is not None
    assert plan.baseline_spo2 == 96


def test_a_clinicians_value_wins() -> None:
    assert frozen([], day(95, 96, 97), baseline_spo2=93) is None


@pytest.mark.parametrize(
    "useless",
    [{"quality": "poor"}, {"context": "unknown"}, {"context": "sleep"}, {"context": "post_exertion_40_steps"}],
)
def test_what_is_no_valid_resting_reading_does_not_count(useless: dict[str, Any]) -> None:
    assert frozen(day(97, 97), day(97, start=11, **useless)) is None
    assert frozen(day(97, 97), [reading("11:00", breathlessness=1)]) is None
    plan = frozen([*day(97, 97), *day(97, start=11, **useless)], day(97, start=12))
    assert plan is not None


@pytest.mark.parametrize(("at", "counts"), [("07:59", False), ("08:00", True), ("2 08:00", True), ("2 08:01", False)])
def test_only_the_first_48_hours_count(at: str, counts: bool) -> None:
    assert (frozen(day(97, 97), [reading(at, spo2=97)]) is not None) == counts


@pytest.mark.parametrize(
    ("plan", "lowest"),
    [
        ({}, 94),
        ({"profile": "hypercapnic"}, 88),
        ({"profile": "custom", "red_at": 88, "amber_at": 90, "reason": "x", "review_on": ADMITTED.date()}, 91),
        (
            {"profile": "custom", "red_at": 88, "amber_at": 90, "target_low": 93, "reason": "x",
             "review_on": ADMITTED.date()},
            93,
        ),
    ],
)  # fmt: skip
def test_all_three_must_reach_the_target(plan: dict[str, Any], lowest: int) -> None:
    assert frozen([], day(lowest, lowest, lowest + 1), **plan) is not None
    assert frozen([], day(lowest + 1, lowest + 2, lowest - 1), **plan) is None


def test_a_median_the_profile_does_not_go_with_is_left_to_a_clinician() -> None:
    assert frozen([], day(94, 95, 95), profile="hypercapnic") is None
    reasoned = frozen([], day(94, 95, 95), profile="hypercapnic", reason="on the way out of acute failure")
    assert reasoned is not None
    assert reasoned.baseline_spo2 == 95


def test_values_are_judged_as_they_are_everywhere() -> None:
    plan = frozen([], day(93.6, 95.5, 96.4))
    assert plan is not None
    assert plan.baseline_spo2 == 95


def test_the_target_is_that_of_the_rule_set() -> None:
    rules = RuleSet(version="1", standard_red_at=90, standard_amber_at=93)
    assert frozen_plan([], day(94, 94, 94), Plan(), ADMITTED, rules) is not None
    assert frozen_plan([], day(93, 94, 94), Plan(), ADMITTED, rules) is None


def test_a_new_usual_value_settles_nothing_about_the_prescription() -> None:
    stay = Stay(prescribed_oxygen_flow=1)
    stay.reads("09:00", spo2=96, oxygen_flow=3)
    assert not stay.is_replanned("09:01", prescribed_oxygen_flow=1, baseline_spo2=96, version=2)
    assert stay.is_replanned("09:02", prescribed_oxygen_flow=3, baseline_spo2=96, version=3)


def test_the_fold_judges_by_it_from_the_next_reading_on() -> None:
    readings = day(99, 98, 99, 95, 95)
    plan = frozen(readings[:2], readings[2:3])
    assert plan is not None
    folded = fold(Record(), readings, plans=[PlanEvent(clock("11:00"), plan)])
    assert [finding.rule_id for each in folded.evaluations for finding in each.findings] == ["R5"]
