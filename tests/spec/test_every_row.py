"""Every row that the clinical rules give as a scenario is here, in our words, with what holds it: a scenario by its
name, or a test by its file. Who takes one away, or gives it another name, is told."""

from pathlib import Path

import pytest

from tests.spec.scenarios import SCENARIOS

TESTS = Path(__file__).parents[1]
CLOCK, ENGINE = "spec/test_by_the_clock.py::", "spec/test_engine.py::"

ROWS: dict[str, tuple[str, ...]] = {
    "95": ("95 is no alert",),
    "94, then twice 95": (
        "94 without breathlessness awaits a recheck",
        "94, then 95 and 95 twenty minutes apart, resolves by itself",
    ),
    "94 and no recheck": (
        "94 without a recheck for an hour is high and confirmed",
        "94 and no recheck for an hour: high, confirmed, and the missed recheck is named",
    ),
    "93 and not breathless": ("93 without breathlessness is silent hypoxia",),
    "93 and no answer": (
        "93 without an answer asks the question",
        "93 unanswered for a quarter of an hour is high",
        "93 unanswered, then answered 7: stays high, and the breathlessness is critical",
    ),
    "breathless at 93 and at 96": (
        "93 with moderate breathlessness is high",
        "93 with very severe breathlessness is two alerts",
        "96 with very severe breathlessness is critical at a good number",
    ),
    "92 and hardly breathless": ("92 with little breathlessness: critical silent hypoxia, measure again now",),
    "92, then nothing": ("92 and then nothing is confirmed after 15 minutes",),
    "91, one good value, nothing more": ("91, 96 after five minutes and no more is confirmed after 15",),
    "91, then twice 93": ("91, then 93 and 93, stays critical",),
    "91 and 90, then good": ("91 and 90, then 96 and 97: recovered, still listed",),
    "91, at once two good": ("91, then 96 and 97 within minutes: medium, transient, for a person to close",),
    "92 on a poor signal, then two good": ("92 on a poor signal, then 96 and 97 on a good one: transient",),
    "91 handled, 91 again five hours later": ("acknowledged and reached, then red again five hours later: reopened",),
    "hypercapnic, 90 on air": ("hypercapnic, 90 on air, breathless as usual: no alert",),
    "hypercapnic, 94 on air and on oxygen": (
        "hypercapnic, 94 twice on air: nothing",
        "hypercapnic, 94 twice on oxygen: too much",
    ),
    "hypercapnic, 95, flow unknown": (
        "hypercapnic, 95 twice, flow not said, plan on oxygen: too much, sub-score missing",
    ),
    "hypercapnic, 97 on oxygen, then 86": ("hypercapnic, 97 on oxygen acknowledged, then 86: an alert of its own",),
    "hypercapnic, 85": ("hypercapnic, 85 is red",),
    "three below usual": ("usual 99, 96 twice: a drop",),
    "usual 97, twice 94": ("usual 97, 94 twice: high, one alert",),
    "more oxygen for the same value": ("95 on the prescribed 1 L, then 95 on 4 L: more oxygen",),
    "a fall after steps": ("97 at rest, 94 after 40 steps is a fall",),
    "good after exertion": (
        "rest 96 after a walk at 98 clears nothing",
        "91 at rest, then 98 after exertion clears nothing",
    ),
    "85 after exertion": (
        "85 after exertion is high",
        "85 after exertion and no resting value in ten minutes is critical",
    ),
    "45, and 47 after it": (
        "45 is measured again, not believed",
        "45 and then 47 within a quarter of an hour is critical",
    ),
    "no possible value": (
        "SpO2 101 is refused",
        "SpO2 '94%' is refused",
        "SpO2 -1 is refused",
        "SpO2 nan is refused",
        ENGINE + "test_a_second_refusal_within_a_day_is_a_technical_alert",
        "readings/test_nothing_arrives.py::test_the_second_refusal_within_a_day_is_an_alert_until_one_is_accepted",
    ),
    "decimals": ("94.6 is judged 95", "92.5 is judged 92", "92.4 is judged 92"),
    "one bad sign at 97": (
        "97 but only responding to voice: critical",
        "97 with a systolic pressure of 88: high",
    ),
    "an early warning of at least 5": ("breathing 24, pulse 125, 94: at least 5, and amber",),
    "an incomplete early warning": ("a set without breathing rate is incomplete, and the SpO2 still counts",),
    "an early warning of 5": ("NEWS2 of 5 is medium risk and high severity, with amber beside it",),
    "90 alone in a complete set": ("90 alone abnormal in a complete set: one critical alert, the single 3 attached",),
    "sent twice, sent again late": (
        "readings/test_sending_again.py::test_the_same_reading_again_is_the_one_that_is_kept",
        CLOCK + "test_the_first_reading_of_the_day_sent_again_after_a_red_one",
    ),
    "88 three hours late": (
        "88 observed three hours ago, the newest known: live, measure now, 15 minutes from receipt",
    ),
    "88 late and overtaken": ("88 of three hours ago when newer 96 and 97 are known: retrospective, no text",),
    "a first reading of yesterday": ("the first reading of a stay, 26 hours old, 90: call the patient",),
    "88 from the future": ("88 dated three hours ahead: kept, time corrected, critical and technical",),
    "admitted and silent": (
        CLOCK + "test_admitted_at_ten_and_nothing_arrives",
        "alerts/test_missed.py::test_nothing_arrives_after_admission",
    ),
    "silent with an alert open": ("the last value 94 and its alert open, the reading of 13:00 missed: high at 14:00",),
    "high, a day of silence, nothing that counts": (
        "high without a reading for a day, then a pulse alone, stays open",
        "high without a reading for a day, then 97 on a poor signal, stays open",
    ),
    "90 in a pause, 90 and a lower limit": (
        "90 in a pause is critical all the same",
        "a red limit lowered while red is open lowers nothing",
    ),
    "critical at night": (
        CLOCK + "test_critical_at_three_in_the_night_with_nobody_on_duty",
        "queue/test_limits.py::test_critical_at_three_with_nobody_on_duty_is_uncovered_at_once_and_escalates_at_its_limit",
    ),
    "critical and nobody takes it": (
        "queue/test_limits.py::test_critical_at_three_with_nobody_on_duty_is_uncovered_at_once_and_escalates_at_its_limit",
        "alerts/test_escalation.py::"
        "test_the_steps_of_the_policy_are_taken_one_after_the_other_and_the_last_one_repeats",
    ),
}


def test_no_row_is_missing() -> None:
    assert len(ROWS) == 44


@pytest.mark.parametrize("row", ROWS)
def test_the_row_is_held(row: str) -> None:
    names = {scenario.name for scenario in SCENARIOS}
    for holder in ROWS[row]:
        if "::" not in holder:
            assert holder in names
            continue
        path, test = holder.split("::")
        assert f"def {test}(" in (TESTS / path).read_text(encoding="utf-8")
