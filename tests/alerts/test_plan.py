"""The plan says itself what is wrong with it."""

from datetime import date
from typing import Any

import pytest

from alerts.plan import Limits, Plan, PlanInvalid

CUSTOM: dict[str, Any] = {
    "profile": "custom", "red_at": 88, "amber_at": 90, "reason": "fibrosis", "review_on": date(2027, 1, 31),
}  # fmt: skip


def problems(**fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(PlanInvalid) as refused:
        Plan(**fields)
    return [(problem.field, problem.code) for problem in refused.value.problems]


@pytest.mark.hazard("H4")
def test_no_profile_is_standard_with_the_coah_bands() -> None:
    assert Plan().limits == Limits(red_at=92, amber_at=94, target_low=94)


def test_hypercapnic_aims_at_88_to_92_and_scores_on_scale_2() -> None:
    plan = Plan(profile="hypercapnic")
    assert plan.limits == Limits(red_at=85, amber_at=87, target_low=88)
    assert plan.news2_scale == 2
    assert Plan(**CUSTOM).news2_scale == 1


def test_a_custom_plan_needs_its_limits_a_reason_and_a_review() -> None:
    assert problems(profile="custom") == [
        ("red_at", "required"), ("amber_at", "required"), ("reason", "required"), ("review_on", "required"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["red_at", "amber_at", "target_low"])
def test_only_a_custom_plan_has_limits_of_its_own(name: str) -> None:
    assert problems(**{name: 90}) == [(name, "only_with_custom")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"red_at": 79}, "red_at"),
        ({"red_at": 95, "amber_at": 96}, "red_at"),
        ({"amber_at": 88}, "amber_at"),
        ({"amber_at": 97}, "amber_at"),
        ({"target_low": 90}, "target_low"),
        ({"target_low": 99}, "target_low"),
    ],
)
def test_custom_limits_have_bounds(changes: dict[str, Any], field: str) -> None:
    assert problems(**{**CUSTOM, **changes}) == [(field, "out_of_range")]


@pytest.mark.parametrize("changes", [{"red_at": 80}, {"red_at": 94, "amber_at": 95}, {"amber_at": 96}])
def test_custom_limits_may_lie_on_their_bounds(changes: dict[str, Any]) -> None:
    Plan(**{**CUSTOM, **changes})


def test_a_red_limit_below_88_waits_for_a_second_clinician() -> None:
    proposed = Plan(**{**CUSTOM, "red_at": 84, "amber_at": 86})
    assert (proposed.red_at, proposed.limits.red_at, proposed.limits.amber_at) == (84, 88, 89)
    approved = Plan(**{**CUSTOM, "red_at": 84, "amber_at": 86, "red_at_approved": True})
    assert (approved.limits.red_at, approved.limits.amber_at) == (84, 86)


@pytest.mark.hazard("H4")
def test_hypercapnic_with_a_usual_value_of_94_needs_a_reason() -> None:
    assert problems(profile="hypercapnic", baseline_spo2=94) == [("reason", "required")]
    Plan(profile="hypercapnic", baseline_spo2=94, reason="recovering")
    Plan(profile="hypercapnic", baseline_spo2=93)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"baseline_spo2": 69}, ("baseline_spo2", "out_of_range")),
        ({"baseline_spo2": 101}, ("baseline_spo2", "out_of_range")),
        ({"usual_breathlessness": 2.3}, ("usual_breathlessness", "out_of_range")),
        ({"usual_breathlessness": 10.5}, ("usual_breathlessness", "out_of_range")),
        ({"usual_breathlessness": float("nan")}, ("usual_breathlessness", "out_of_range")),
        ({"prescribed_oxygen_flow": -1}, ("prescribed_oxygen_flow", "out_of_range")),
        ({"prescribed_oxygen_flow": 61}, ("prescribed_oxygen_flow", "out_of_range")),
        ({"reading_times": ("09:00", "09:00")}, ("reading_times", "duplicate")),
        ({"reading_times": ("13:00", "09:00")}, ("reading_times", "unsorted")),
        ({"reading_times": ("24:00",)}, ("reading_times", "invalid")),
        ({"reading_times": ("9:00",)}, ("reading_times", "invalid")),
        ({"reading_times": ("09:60",)}, ("reading_times", "invalid")),
        ({"reading_times": ("09.00",)}, ("reading_times", "invalid")),
        ({"reading_times": ("٠٩:00",)}, ("reading_times", "invalid")),
        ({"treatment_escalation": "limited"}, ("patient_text", "required")),
    ],
)
def test_a_value_out_of_bounds_is_named(fields: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problems(**fields) == [problem]


def test_every_problem_is_reported_at_once() -> None:
    assert len(problems(baseline_spo2=10, prescribed_oxygen_flow=99, reading_times=("x",))) == 3


@pytest.mark.parametrize(("profile", "warned"), [("standard", 1), ("hypercapnic", 0)])
@pytest.mark.hazard("H4")
def test_home_oxygen_without_personal_limits_is_a_warning_not_a_refusal(profile: Any, warned: int) -> None:
    assert len(Plan(profile=profile, prescribed_oxygen_flow=2).warnings()) == warned
    assert not Plan(profile=profile, prescribed_oxygen_flow=0).warnings()


@pytest.mark.parametrize(
    ("profile", "usual", "codes"),
    [("standard", 95, ["baseline_low"]), ("standard", 96, []), ("hypercapnic", 90, [])],
)
def test_a_low_usual_value_under_standard_limits_asks_for_a_look(profile: Any, usual: int, codes: list[str]) -> None:
    warnings = Plan(profile=profile, baseline_spo2=usual).warnings()
    assert [problem.code for problem in warnings] == codes


@pytest.mark.parametrize(
    "fields",
    [{"usual_breathlessness": 0}, {"usual_breathlessness": 10}, {"usual_breathlessness": 0.5},
     {"baseline_spo2": 70}, {"baseline_spo2": 100}, {"prescribed_oxygen_flow": 0},
     {"prescribed_oxygen_flow": 60}, {"reading_times": ("00:00", "23:59")}, {"reading_times": ()}],
)  # fmt: skip
def test_a_value_may_lie_on_its_bounds(fields: dict[str, Any]) -> None:
    Plan(**fields)
