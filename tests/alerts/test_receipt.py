"""The receipt: every rule answers for a reading, and its margin says what would have changed the answer."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from alerts import rule
from alerts.evaluate import Evaluation, evaluate
from alerts.margins import Comparison, measure_of
from alerts.plan import Plan
from alerts.receipt import Line, Outcome, receipt
from alerts.rule import Silent
from alerts.rules import RULES
from tests.alerts.stay import Stay, clock, reading

CUSTOM: dict[str, Any] = {
    "profile": "custom", "red_at": 89, "amber_at": 91, "target_low": 95, "reason": "fibrosis",
    "review_on": date(2027, 1, 1),
}  # fmt: skip


def lines(*sent: dict[str, Any], **plan: Any) -> dict[str, Line]:
    """The receipt of the last of some readings, sent a quarter of an hour apart, by rule."""
    stay = Stay(**plan)
    for number, values in enumerate(sent):
        stay.reads(f"08:{15 * number:02}", **values)
    assert stay.evaluation is not None
    return {line.rule.key: line for line in receipt(stay.evaluation)}


def test_every_rule_answers_once_and_as_the_evaluation_says() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=0)
    assert stay.evaluation is not None
    answered = receipt(stay.evaluation)
    assert [line.rule for line in answered] == list(RULES)
    fired = {line.rule.key for line in answered if line.outcome == Outcome.FIRED}
    assert fired == {finding.rule.key for finding in stay.evaluation.findings} == {"R2", "R3"}
    assert all(line.text for line in answered)
    assert all((line.clears_when is None) == (line.outcome != Outcome.FIRED) for line in answered)


@pytest.mark.parametrize(
    ("key", "sent", "plan", "limit", "distance"),
    [
        ("R0", {"spo2": 52}, {}, 50, 2),
        ("R1", {"spo2": 97}, {}, 92, 5),
        ("R1", {"spo2": 90}, {}, 92, -2),
        ("R1", {"spo2": 92, "context": "sleep"}, {}, 89, 3),
        ("R2", {"spo2": 97}, {}, 94, 3),
        ("R5", {"spo2": 97}, {"baseline_spo2": 98}, 95, 2),
        ("R6", {"spo2": 97}, CUSTOM, 95, 2),
        ("R7", {"spo2": 90, "oxygen_flow": 1}, {"profile": "hypercapnic"}, 93, 3),
        ("R8", {"spo2": 94, "context": "post_exertion_40_steps"}, {}, 92, 2),
        ("R9", {"spo2": 95, "pulse_rate": 95, "respiratory_rate": 16, "systolic_bp": 120, "consciousness": "alert",
                "temperature": 37, "oxygen_flow": 0}, {}, 5, 3),
        ("R9b", {"spo2": 95, "pulse_rate": 95}, {}, 5, 3),
        ("R10b", {"breathlessness": 1.5}, {"usual_breathlessness": 1}, 4, 2.5),
        ("R11:breathlessness", {"breathlessness": 1.5}, {"usual_breathlessness": 1}, 3, 1.5),
        ("R12", {"spo2": 97}, {"baseline_spo2": 98}, 96, 1),
        ("R16", {"spo2": 97, "quality": "poor"}, {}, 3, 2),
        ("R13:pulse_rate", {"pulse_rate": 120}, {}, 131, 11),
        ("R13:temperature", {"temperature": 36.8}, {}, 35.0, 1.8),
        ("R18", {"oxygen_flow": 1.5}, {"prescribed_oxygen_flow": 1}, 2, 0.5),
        ("R18", {"oxygen_flow": 0}, {"prescribed_oxygen_flow": 0}, 0, 0),
    ],
)  # fmt: skip
def test_the_margin_is_the_way_to_the_limit(
    key: str, sent: dict[str, Any], plan: dict[str, Any], limit: float, distance: float
) -> None:
    near = lines(sent, **plan)[key].margin
    assert near is not None
    assert (near.limit, near.distance) == (limit, distance)


def test_after_effort_the_limit_is_three_below_the_value_at_rest() -> None:
    at_rest, after = {"spo2": 99}, {"spo2": 97, "context": "post_exertion_40_steps"}
    stay = Stay()
    stay.reads("08:00", **at_rest)
    stay.reads("08:05", **after)
    assert stay.evaluation is not None
    line = {line.rule.key: line for line in receipt(stay.evaluation)}["R8"]
    assert line.margin is not None
    assert (line.margin.limit, line.margin.distance) == (96, 1)


def test_a_nurse_reads_what_was_compared() -> None:
    said = {key: line.text for key, line in lines({"spo2": 97, "breathlessness": 1}, baseline_spo2=99).items()}
    assert said["R1"] == "Not met. SpO2 was 97 %; the rule begins at 92 % or below, 5 away."
    assert said["R5"].startswith("Not met, but not far enough away to count as clear. SpO2 was 97 %")
    assert said["R10b"] == "Not met. Breathlessness was 1 Borg; the rule begins at 5 Borg or above, 4 away."
    assert said["R13:pulse_rate"] == "Not judged: what it needs was not given."
    amber = {key: line.text for key, line in lines({"spo2": 93, "breathlessness": 4}).items()}
    assert amber["R1"].startswith("Another rule speaks of this value. SpO2 was 93 %")
    assert lines({"spo2": 50})["R0"].text == "Not met. SpO2 was 50 %; the rule begins below 50 %."
    on_air = lines({"spo2": 97, "oxygen_flow": 0}, prescribed_oxygen_flow=0)["R18"]
    assert on_air.text == "Not met. Oxygen flow was 0 L/min; the rule begins above 0 L/min."


def test_a_nurse_reads_what_would_clear_it() -> None:
    assert lines({"spo2": 93})["R2"].clears_when == "Two readings above 94 %, 15 min apart or more."
    assert lines({"symptoms": ("chest_pain",)})["R10"].clears_when == "A person closes it; no reading does."
    clock_ahead = lines({"spo2": 97, "time_corrected": True})["R19"]
    assert clock_ahead.clears_when == "The next reading that is accepted and does not meet it."
    assert lines({"breathlessness": 8})["R10b"].clears_when == "Two readings that do not meet it."


def test_an_answer_alone_is_told_from_a_measurement() -> None:
    said = lines({"spo2": 93}, {"breathlessness": 7})
    assert said["R1"].reason == "answer_without_measurement"
    assert said["R1"].outcome == Outcome.NOT_APPLICABLE
    assert said["R10b"].outcome == Outcome.FIRED


def test_every_reason_a_rule_can_give_has_words() -> None:
    reasons = {value.reason for value in vars(rule).values() if isinstance(value, Silent)}
    assert len(reasons) >= 10
    spoken = set()
    for reason in reasons:
        case = evaluate((reading("08:00", spo2=97),), Plan(), clock("08:00"))
        verdicts = tuple(Silent(rule.Say.NEUTRAL, reason) for _ in RULES)
        line = receipt(Evaluation(case.case, verdicts, ()))[0]
        assert line.text != "Not judged."
        spoken.add(line.text)
    assert len(spoken) == len(reasons)


def test_every_rule_that_compares_numbers_has_a_margin() -> None:
    without = {"R10", "R19"}
    whole = {
        "spo2": 97, "pulse_rate": 80, "respiratory_rate": 16, "systolic_bp": 124, "temperature": 37.0,
        "consciousness": "alert", "oxygen_flow": 1, "breathlessness": 1,
    }  # fmt: skip
    at = datetime(2026, 11, 22, 8, tzinfo=UTC)
    case = evaluate((reading("08:00", **whole),), Plan(prescribed_oxygen_flow=1, baseline_spo2=97), at).case
    compare = [each for each in RULES if any(isinstance(limit.value, int | float) for limit in each.limits(case))]
    (nothing,) = {measure_of(each) for each in RULES if each.id in without}
    assert {each.id for each in compare if measure_of(each) is nothing} <= without
    assert len(compare) > 15


def test_comparisons_say_whether_the_limit_counts() -> None:
    assert {each.value for each in Comparison} == {"at_or_below", "below", "at_or_above", "above"}
