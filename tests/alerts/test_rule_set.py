"""Rule sets as values: bounds, what may not be switched off, and that every number is the one the rules go by."""

from typing import Any

import pytest

from alerts.fold import RuleSetEvent, fold
from alerts.plan import Plan
from alerts.receipt import receipt
from alerts.record import Record
from alerts.rule_set import DEFAULT, OPTIONAL_RULES, RuleSet, RuleSetInvalid, bounds
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, clock, reading


def ward(**numbers: Any) -> RuleSet:
    return RuleSet.from_mapping({"version": "ward-7.2", **numbers})


def stay_on(rule_set: RuleSet, **plan: Any) -> Stay:
    stay = Stay(**plan)
    stay.record = Record(plan=Plan(**plan), rule_set=rule_set)
    return stay


def test_the_default_survives_being_written_and_read() -> None:
    assert RuleSet.from_mapping(DEFAULT.to_mapping()) == DEFAULT
    assert DEFAULT.version == "2026.11.2"


COMPANIONS: dict[str, dict[str, float]] = {
    "standard_red_at": {"standard_amber_at": 96},
    "standard_amber_at": {"standard_red_at": 80},
    "hypercapnic_red_at": {"hypercapnic_amber_at": 90},
    "hypercapnic_amber_at": {"hypercapnic_red_at": 80},
    "large_drop": {"drop": 2},
    "clear_drop": {"drop": 3},
    "breathless_critical_from": {"breathless_high_from": 4},
    "mild_up_to": {"moderate_from": 4},
    "breathless_high_from": {"mild_up_to": 2},
    "critical_contact_minutes": {"critical_acknowledge_minutes": 5},
    "critical_expiry_minutes": {"critical_acknowledge_minutes": 5, "critical_contact_minutes": 10},
    "high_acknowledge_minutes": {"critical_acknowledge_minutes": 5},
    "high_contact_minutes": {
        "critical_acknowledge_minutes": 5, "critical_contact_minutes": 20, "high_acknowledge_minutes": 10,
    },
    "high_expiry_minutes": {
        "critical_acknowledge_minutes": 5, "critical_contact_minutes": 20, "critical_expiry_minutes": 20,
        "high_acknowledge_minutes": 10, "high_contact_minutes": 20,
    },
    "medium_acknowledge_minutes": {"medium_contact_minutes": 300, "medium_expiry_minutes": 300},
    "medium_contact_minutes": {"medium_acknowledge_minutes": 30, "medium_expiry_minutes": 480},
    "medium_expiry_minutes": {"medium_acknowledge_minutes": 30, "medium_contact_minutes": 60},
}  # fmt: skip
"""What has to give way for a number to be set to either of its bounds."""


def test_the_default_lies_within_its_own_bounds_and_both_ends_can_be_set() -> None:
    for name, (low, high) in bounds().items():
        assert low <= getattr(DEFAULT, name) <= high
        for value in (low, high):
            assert getattr(ward(**{**COMPANIONS.get(name, {}), name: value}), name) == value


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({"red_at": 92}, "red_at", "unknown"),
        ({"standard": 1}, "standard", "unknown"),
        ({"standard_red_at": 79}, "standard_red_at", "out_of_range"),
        ({"standard_red_at": 95}, "standard_red_at", "out_of_range"),
        ({"red_minutes": 16}, "red_minutes", "out_of_range"),
        ({"standard_red_at": 92.5}, "standard_red_at", "invalid"),
        ({"standard_red_at": 92.0}, "standard_red_at", "invalid"),
        ({"standard_red_at": True}, "standard_red_at", "invalid"),
        ({"standard_red_at": "92"}, "standard_red_at", "invalid"),
        ({"standard_red_at": None}, "standard_red_at", "invalid"),
        ({"worse_rise": float("nan")}, "worse_rise", "invalid"),
        ({"worse_rise": 2.2}, "worse_rise", "invalid"),
        ({"standard_red_at": 94}, "standard_amber_at", "crossing"),
        ({"hypercapnic_red_at": 87}, "hypercapnic_amber_at", "crossing"),
        ({"clear_drop": 2, "drop": 2}, "drop", "crossing"),
        ({"drop": 4, "large_drop": 4}, "large_drop", "crossing"),
        ({"mild_up_to": 3}, "moderate_from", "crossing"),
        ({"mild_up_to": 3, "moderate_from": 4, "breathless_high_from": 3}, "breathless_high_from", "crossing"),
        ({"breathless_high_from": 5, "breathless_critical_from": 5}, "breathless_critical_from", "crossing"),
        ({"critical_acknowledge_minutes": 16}, "critical_acknowledge_minutes", "out_of_range"),
        ({"critical_acknowledge_minutes": 4}, "critical_acknowledge_minutes", "out_of_range"),
        ({"low_acknowledge_hours": 25}, "low_acknowledge_hours", "out_of_range"),
        ({"high_contact_minutes": 30.5}, "high_contact_minutes", "invalid"),
        ({"critical_contact_minutes": 15}, "critical_contact_minutes", "crossing"),
        ({"high_contact_minutes": 30}, "high_contact_minutes", "crossing"),
        ({"medium_acknowledge_minutes": 240}, "medium_contact_minutes", "crossing"),
        ({"critical_expiry_minutes": 29}, "critical_expiry_minutes", "crossing"),
        ({"high_expiry_minutes": 59}, "high_expiry_minutes", "crossing"),
        ({"medium_contact_minutes": 241}, "medium_expiry_minutes", "crossing"),
        ({"high_acknowledge_minutes": 14}, "high_acknowledge_minutes", "crossing"),
        ({"critical_contact_minutes": 30, "high_acknowledge_minutes": 15, "high_contact_minutes": 29},
         "high_contact_minutes", "crossing"),
        ({"critical_acknowledge_minutes": 5, "critical_contact_minutes": 20, "high_acknowledge_minutes": 10,
          "high_contact_minutes": 20, "high_expiry_minutes": 29}, "high_expiry_minutes", "crossing"),
        ({"off": ["R1"]}, "off", "mandatory"),
        ({"off": ["R13"]}, "off", "mandatory"),
        ({"off": "R5"}, "off", "invalid"),
        ({"off": [5]}, "off", "invalid"),
        ({"off": 5}, "off", "invalid"),
        ({"version": ""}, "version", "invalid"),
        ({"version": "x" * 41}, "version", "invalid"),
        ({"version": " 1"}, "version", "invalid"),
        ({"version": "1\n2"}, "version", "invalid"),
        ({"version": 7}, "version", "invalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field_named(data: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(RuleSetInvalid, match=f"/{field}: ") as refused:
        ward(**data)
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


def test_a_rule_set_without_a_version_is_refused() -> None:
    with pytest.raises(RuleSetInvalid, match="/version"):
        RuleSet.from_mapping({"drop": 3})


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(RuleSetInvalid) as refused:
        ward(drop=9, standard_red_at=10, off=["R1", "R2"])
    assert {problem.field for problem in refused.value.problems} == {"drop", "standard_red_at", "off"}


def test_the_longest_version_is_taken() -> None:
    assert ward(version="x" * 40).version == "x" * 40


def test_what_kills_cannot_be_switched_off() -> None:
    assert OPTIONAL_RULES == ("R5", "R6", "R11", "R12", "R16")
    assert ward(off=["R12", "R5", "R5"]).off == ("R12", "R5")


def test_a_ward_with_other_limits_has_other_bands_and_says_by_which_rule_set() -> None:
    stay = stay_on(ward(standard_red_at=90, standard_amber_at=93))
    assert not stay.reads("08:00", spo2=94)
    stay.reads("08:20", spo2=91)
    assert stay.alert().severity == Severity.MEDIUM
    assert stay.alert().explanation.rule_set_version == "ward-7.2"
    stay.reads("08:40", spo2=90)
    assert stay.alert().severity == Severity.CRITICAL


def test_a_persons_own_limits_outrank_the_wards() -> None:
    custom = {
        "profile": "custom",
        "red_at": 89,
        "amber_at": 91,
        "reason": "fibrosis",
        "review_on": clock("10:00").date(),
    }
    stay = stay_on(ward(standard_red_at=94, standard_amber_at=96), **custom)
    assert not stay.reads("08:00", spo2=92)


def test_the_hypercapnic_limits_are_numbers_of_their_own() -> None:
    stay = stay_on(ward(hypercapnic_red_at=86, hypercapnic_amber_at=89), profile="hypercapnic")
    stay.reads("08:00", spo2=89)
    assert stay.alert().severity == Severity.MEDIUM
    stay.reads("08:10", spo2=86)
    assert stay.alert().severity == Severity.CRITICAL


def test_waits_are_the_wards() -> None:
    rules = ward(red_minutes=5, amber_minutes=30, answer_below_amber_minutes=6, answer_at_amber_minutes=20)
    for spo2, minutes in ((91, {"R1": 5}), (94, {"R2": 30, "R4": 20}), (93, {"R2": 30, "R4": 6})):
        stay = stay_on(rules)
        stay.reads("08:00", spo2=spo2)
        waits = {wait.key: (wait.due_at - clock("08:00")).seconds // 60 for wait in stay.alert().waits}
        assert waits == minutes


def test_a_value_too_low_to_use_waits_as_long_as_the_ward_says_and_so_does_the_red_after_it() -> None:
    stay = stay_on(ward(implausible_minutes=7, red_minutes=6))
    stay.reads("08:00", spo2=45)
    assert not stay.waits_until("08:06")
    stay.waits_until("08:07")
    assert (stay.alert().severity, stay.alert().confirmed) == (Severity.CRITICAL, False)
    assert stay.alert().explanation.rule_set_version == "ward-7.2"
    stay.waits_until("08:13")
    assert stay.alert().confirmed


def test_after_exertion_the_wards_fall_and_wait_count() -> None:
    stay = stay_on(ward(exertion_fall=4, rest_minutes=5))
    stay.reads("08:00", spo2=97)
    assert not stay.reads("08:02", spo2=94, context="post_exertion_40_steps")
    stay.reads("08:04", spo2=93, context="post_exertion_40_steps")
    assert "4 or more below the 97 %" in stay.alert().explanation.text
    stay.reads("08:05", spo2=88, context="post_exertion_40_steps")
    stay.waits_until("08:10")
    assert stay.alert().severity == Severity.CRITICAL


def test_asleep_red_starts_as_much_lower_as_the_ward_says() -> None:
    stay = stay_on(ward(sleep_allowance=1))
    stay.reads("02:00", spo2=91, context="sleep")
    assert stay.alert().severity == Severity.CRITICAL


def test_breathlessness_is_graded_by_the_wards_numbers() -> None:
    stay = stay_on(ward(breathless_high_from=4, breathless_critical_from=6, mild_up_to=3, moderate_from=3.5))
    stay.reads("08:00", spo2=97, breathlessness=4)
    assert stay.alert(Family.SYMPTOMS).severity == Severity.HIGH
    stay.reads("08:10", spo2=97, breathlessness=6)
    assert stay.alert(Family.SYMPTOMS).severity == Severity.CRITICAL
    mild = stay_on(ward(mild_up_to=3, moderate_from=3.5))
    mild.reads("08:00", spo2=93, breathlessness=3)
    assert mild.alert().title == "silent_hypoxia"
    amber = stay_on(ward(moderate_from=3.5))
    amber.reads("08:00", spo2=94, breathlessness=3)
    assert amber.alert().severity == Severity.MEDIUM
    rise = stay_on(ward(breathless_rise=2), usual_breathlessness=1)
    rise.reads("08:00", spo2=97, breathlessness=3)
    assert rise.alert(Family.SYMPTOMS).severity == Severity.HIGH


def test_drops_are_measured_by_the_wards_numbers() -> None:
    stay = stay_on(ward(drop=4, clear_drop=2, large_drop=6), baseline_spo2=99)
    stay.reads("08:00", spo2=96)
    assert not stay.reads("08:20", spo2=96)
    stay.reads("09:00", spo2=95)
    stay.reads("09:20", spo2=95)
    assert "4 or more below the usual 99 %" in stay.alert().explanation.text
    stay.reads("10:00", spo2=97)
    stay.reads("10:20", spo2=97)
    assert not stay.record.episodes
    stay.reads("11:00", spo2=94, breathlessness=0)
    assert stay.alert().severity == Severity.HIGH
    amber = stay_on(ward(drop=4, large_drop=6), baseline_spo2=97)
    amber.reads("08:00", spo2=94, breathlessness=0)
    assert amber.alert().severity == Severity.MEDIUM


def test_oxygen_is_judged_by_the_wards_numbers() -> None:
    more = stay_on(ward(more_oxygen=0.5), prescribed_oxygen_flow=1)
    more.reads("08:00", spo2=96, oxygen_flow=1.5)
    assert more.alert().title == "more_oxygen"
    over = stay_on(ward(over_oxygenation_minutes=30), profile="hypercapnic")
    over.reads("08:00", spo2=94, oxygen_flow=2)
    assert not over.reads("08:20", spo2=94, oxygen_flow=2)
    over.reads("08:30", spo2=94, oxygen_flow=2)
    assert "30 min apart" in over.alert(Family.OVER_OXYGENATION).explanation.text


def test_an_answer_holds_as_long_as_the_ward_says() -> None:
    for rules, minute, answered in (
        (DEFAULT, "09:00", True), (DEFAULT, "09:01", False),
        (ward(answer_holds_minutes=15), "08:15", True), (ward(answer_holds_minutes=15), "08:16", False),
    ):  # fmt: skip
        stay = stay_on(rules)
        stay.reads("08:00", spo2=97, breathlessness=0)
        stay.reads(minute, spo2=93)
        assert stay.alert().rule_ids == (("R2", "R3") if answered else ("R2", "R4")), minute


def test_an_answer_alone_finds_its_reading_as_long_as_the_ward_says() -> None:
    for rules, minute, answered in (
        (DEFAULT, "09:00", True), (DEFAULT, "09:01", False),
        (ward(answer_holds_minutes=30), "08:30", True), (ward(answer_holds_minutes=30), "08:31", False),
    ):  # fmt: skip
        stay = stay_on(rules)
        stay.reads("08:00", spo2=93)
        stay.reads(minute, breathlessness=0)
        assert ("R3" in stay.alert().rule_ids) == answered, minute


def test_rest_and_exertion_belong_together_as_long_as_the_ward_says() -> None:
    for rules, minute, falls in (
        (DEFAULT, "08:10", True), (DEFAULT, "08:11", False),
        (ward(exertion_session_minutes=15), "08:15", True), (ward(exertion_session_minutes=15), "08:16", False),
        (ward(exertion_session_minutes=5), "08:06", False),
    ):  # fmt: skip
        stay = stay_on(rules)
        stay.reads("08:00", spo2=97)
        stay.reads(minute, spo2=94, context="post_exertion_40_steps")
        assert bool(stay.families) == falls, minute


SIX = ("-1 09:00", "-1 13:00", "-1 19:00", "09:00", "13:00", "19:00")


@pytest.mark.parametrize(
    ("numbers", "values", "raised"),
    [
        ({"trend_hours": 24}, (97, 97, 96, 96), True),
        ({"trend_hours": 25}, (97, 97, 96, 96), False),
        ({"trend_hours": 36}, (98, 98, 97, 97, 96, 96), False),
        ({}, (98, 98, 97, 96, 96), True),
        ({"trend_readings": 5}, (98, 98, 97, 96, 96), True),
        ({"trend_readings": 6}, (98, 98, 97, 96, 96), False),
        ({"trend_last": 4}, (98, 98, 97, 96, 96), False),
        ({"trend_last": 4}, (98, 97, 96, 96, 95), True),
        ({"trend_last": 5}, (98, 97, 96, 96, 95), True),
        ({"trend_last": 5}, (97, 97, 98, 96, 96, 95), False),
    ],
)
def test_a_falling_trend_takes_as_many_values_as_the_ward_says(
    numbers: dict[str, Any], values: tuple[int, ...], raised: bool
) -> None:
    stay = stay_on(ward(**numbers), baseline_spo2=98)
    for at, spo2 in zip(SIX[-len(values) :], values, strict=True):
        stay.reads(at, spo2=spo2)
    assert ("R12" in stay.alert().rule_ids if stay.families else False) == raised


def test_a_trend_of_half_a_day_is_one_where_the_ward_says_so() -> None:
    for rules, falling in ((DEFAULT, False), (ward(trend_hours=12), True)):
        stay = stay_on(rules, baseline_spo2=98)
        for at, spo2 in (("07:00", 97), ("11:00", 97), ("15:00", 96), ("19:00", 96)):
            stay.reads(at, spo2=spo2)
        assert bool(stay.families) == falling


@pytest.mark.parametrize(
    ("numbers", "values", "raised"),
    [
        ({}, (99, 99, 99, 99, 96, 96), True),
        ({}, (99, 99, 99, 96, 96), False),
        ({"trend_compared_with": 3}, (99, 99, 99, 96, 96), True),
        ({"trend_compared_with": 3}, (99, 99, 98, 95, 96), True),
        ({"trend_latest": 3}, (99, 99, 99, 99, 96, 96), False),
        ({"trend_latest": 3, "trend_compared_with": 3}, (99, 99, 99, 96, 95, 96), True),
        ({"trend_latest": 3, "trend_compared_with": 3}, (99, 99, 99, 97, 95, 96), False),
        ({"trend_compared_with": 5}, (99, 99, 99, 99, 96, 96), False),
    ],
)
def test_a_step_takes_as_many_values_as_the_ward_says(
    numbers: dict[str, Any], values: tuple[int, ...], raised: bool
) -> None:
    stay = stay_on(ward(**numbers))
    for at, spo2 in zip(SIX[-len(values) :], values, strict=True):
        stay.reads(at, spo2=spo2)
    assert bool(stay.families) == raised


def test_a_rule_that_is_switched_off_says_so_and_raises_nothing() -> None:
    stay = stay_on(ward(off=["R5"]), baseline_spo2=99)
    stay.reads("08:00", spo2=96)
    assert not stay.reads("08:20", spo2=96)
    assert stay.evaluation is not None
    reasons = {line.rule.id: line.reason for line in receipt(stay.evaluation)}
    assert reasons["R5"] == "switched_off"


def test_the_history_folds_with_the_rule_set_that_was_live_at_each_time() -> None:
    readings = [reading("08:00", spo2=91), reading("12:00", spo2=97, symptoms=("chest_pain",))]
    live = [RuleSetEvent(clock("10:00"), ward(standard_red_at=90))]
    folded = fold(Record(), readings, rule_sets=live)
    assert folded.episodes[Family.OXYGEN].severity == Severity.CRITICAL
    assert folded.episodes[Family.OXYGEN].confirmed
    assert folded.episodes[Family.OXYGEN].explanation.rule_set_version == DEFAULT.version
    assert folded.episodes[Family.SYMPTOMS].explanation.rule_set_version == "ward-7.2"
