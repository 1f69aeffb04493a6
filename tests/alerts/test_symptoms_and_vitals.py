"""Too much oxygen, symptoms and vital signs (R7, R10, R10b, R13)."""

from typing import Any

import pytest

from alerts.episode import State
from alerts.severity import Family, Severity
from tests.alerts.stay import COMPLETE, Stay

ILL = {**COMPLETE, "spo2": 96, "respiratory_rate": 24, "pulse_rate": 125}
CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW
OVER, SYMPTOMS, VITALS = Family.OVER_OXYGENATION, Family.SYMPTOMS, Family.VITALS
EARLY, TECHNICAL = Family.EARLY_WARNING, Family.TECHNICAL


@pytest.mark.parametrize(
    ("readings", "severity"),
    [
        ([("08:00", 94), ("08:15", 94)], MEDIUM),
        ([("08:00", 94), ("08:14", 94)], None),
        ([("08:00", 97), ("08:15", 97)], HIGH),
        ([("08:00", 96), ("08:15", 97)], MEDIUM),
        ([("08:00", 97), ("08:15", 96)], MEDIUM),
        ([("08:00", 94), ("08:05", 92), ("08:15", 94)], None),
        ([("08:00", 94), ("08:10", 94), ("08:16", 94)], MEDIUM),
        ([("08:00", 92.4), ("08:15", 92.4)], None),
        ([("08:00", 92.5), ("08:15", 92.5)], MEDIUM),
    ],
)
def test_too_much_oxygen_needs_an_unbroken_quarter_of_an_hour(readings: Any, severity: Severity) -> None:
    stay = Stay(profile="hypercapnic")
    for at, spo2 in readings:
        stay.reads(at, spo2=spo2, oxygen_flow=1)
    assert (stay.alert(OVER).severity if OVER in stay.families else None) == severity


def test_too_much_oxygen_concerns_only_those_at_risk() -> None:
    stay = Stay(prescribed_oxygen_flow=1)
    stay.reads("08:00", spo2=98)
    stay.reads("08:20", spo2=98)
    assert stay.families == set()


def test_too_much_oxygen_clears_when_twice_below_or_on_air() -> None:
    stay = Stay(profile="hypercapnic")
    stay.reads("08:00", spo2=94, oxygen_flow=1)
    stay.reads("08:20", spo2=94, oxygen_flow=1)
    stay.reads("08:30", spo2=91, oxygen_flow=1)
    stay.reads("08:45", spo2=95, oxygen_flow=0)
    assert stay.families == set()


SYMPTOM_NAMES = (
    "cannot_finish_sentences", "seriously_ill", "chest_pain", "new_confusion", "blue_lips", "collapse",
    "coughing_blood", "very_drowsy", "suddenly_worse", "cold_sweaty_pale", "rash", "not_passing_urine",
)  # fmt: skip


@pytest.mark.parametrize("symptom", SYMPTOM_NAMES)
@pytest.mark.parametrize("context", ["rest", "sleep", "unknown", "post_exertion_40_steps"])
def test_every_red_flag_is_critical_in_every_context(symptom: Any, context: Any) -> None:
    stay = Stay()
    stay.reads("08:00", symptoms=(symptom,), context=context)
    assert stay.alert(SYMPTOMS).severity == CRITICAL
    assert symptom.replace("_", " ") in stay.alert(SYMPTOMS).explanation.text


@pytest.mark.parametrize("consciousness", ["confusion", "voice", "pain", "unresponsive"])
def test_anything_but_alert_is_critical(consciousness: Any) -> None:
    stay = Stay()
    stay.reads("08:00", consciousness=consciousness)
    assert f"consciousness {consciousness}" in stay.alert(SYMPTOMS).explanation.text


def test_no_reading_ever_clears_a_red_flag() -> None:
    stay = Stay()
    stay.reads("08:00", symptoms=("chest_pain",))
    for at in ("09:00", "10:00", "11:00"):
        stay.reads(at, spo2=98, symptoms=(), consciousness="alert")
    assert stay.alert(SYMPTOMS).state == State.OPEN


@pytest.mark.parametrize(
    ("answer", "usual", "severity"),
    [(7, None, CRITICAL), (6.5, None, HIGH), (5, None, HIGH), (4.5, None, None), (4, 1, HIGH), (3.5, 1, MEDIUM),
     (2.5, 1, None),
     (5, 4, HIGH), (7, 5, CRITICAL)],
)  # fmt: skip
def test_breathlessness_alone(answer: float, usual: float, severity: Severity) -> None:
    stay = Stay(usual_breathlessness=usual)
    stay.reads("08:00", spo2=98, breathlessness=answer)
    assert (stay.alert(SYMPTOMS).severity if stay.families else None) == severity


def test_without_a_usual_value_the_lowest_answer_of_the_day_counts() -> None:
    stay = Stay()
    stay.reads("08:00", breathlessness=1)
    stay.reads("12:00", breathlessness=2)
    stay.reads("1 08:00", breathlessness=4)
    assert stay.alert(SYMPTOMS).severity == HIGH
    other = Stay()
    other.reads("07:59", breathlessness=1)
    other.reads("1 08:00", breathlessness=4)
    assert other.families == set()


def test_breathlessness_clears_two_below_for_two_answers() -> None:
    stay = Stay(usual_breathlessness=2)
    stay.reads("08:00", breathlessness=5)
    stay.reads("08:10", breathlessness=3)
    stay.reads("08:20", breathlessness=3.5)
    stay.reads("08:30", breathlessness=3)
    assert stay.alert(SYMPTOMS).state == State.OPEN
    stay.reads("08:31", breathlessness=3)
    assert stay.alert(SYMPTOMS).state == State.RECOVERED


@pytest.mark.parametrize(("answer", "found"), [(7, True), (6, False)])
def test_after_exertion_only_very_severe_breathlessness_counts(answer: int, found: bool) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, breathlessness=answer, context="post_exertion_40_steps")
    assert (SYMPTOMS in stay.families) is found


@pytest.mark.parametrize(
    ("name", "value", "severity"),
    [
        ("respiratory_rate", 25, HIGH), ("respiratory_rate", 24, None),
        ("respiratory_rate", 8, HIGH), ("respiratory_rate", 9, None),
        ("pulse_rate", 131, HIGH), ("pulse_rate", 130, None),
        ("pulse_rate", 40, HIGH), ("pulse_rate", 41, None),
        ("systolic_bp", 90, HIGH), ("systolic_bp", 91, None),
        ("systolic_bp", 220, HIGH), ("systolic_bp", 219, None),
        ("temperature", 39.1, MEDIUM), ("temperature", 39.0, None), ("temperature", 39.05, MEDIUM),
        ("temperature", 35.0, MEDIUM), ("temperature", 35.1, None), ("temperature", 35.05, MEDIUM),
    ],
)  # fmt: skip
def test_a_vital_sign_out_of_its_range(name: str, value: float, severity: Severity) -> None:
    stay = Stay()
    stay.reads("08:00", **{name: value})
    assert (stay.alert(VITALS).severity if stay.families else None) == severity


def test_a_high_pulse_just_after_exertion_says_nothing_but_a_low_pressure_does() -> None:
    stay = Stay()
    walked = {"context": "post_exertion_40_steps"}
    stay.reads("08:00", pulse_rate=140, respiratory_rate=28, **walked)
    assert stay.families == set()
    stay.reads("08:10", systolic_bp=85, **walked)
    assert stay.alert(VITALS).rule_ids == ("R13",)


def test_each_vital_sign_clears_for_itself() -> None:
    stay = Stay()
    stay.reads("08:00", respiratory_rate=26, pulse_rate=140)
    stay.reads("08:10", pulse_rate=90)
    stay.reads("08:30", pulse_rate=90)
    alert = stay.alert(VITALS)
    active = {trace.key for trace in alert.traces if trace.active}
    assert (active, alert.state) == ({"R13:respiratory_rate"}, State.OPEN)
    stay.reads("08:40", respiratory_rate=18)
    stay.reads("08:55", respiratory_rate=18)
    assert stay.alert(VITALS).state == State.RECOVERED


def test_a_pulse_on_a_poor_signal_opens_unconfirmed_and_a_good_one_confirms() -> None:
    stay = Stay()
    stay.reads("08:00", pulse_rate=140, quality="poor")
    assert not stay.alert(VITALS).confirmed
    (change,) = stay.reads("08:05", pulse_rate=140, quality="good")
    assert (change.kind, change.after.confirmed) == ("confirmed", True)


def test_a_red_flag_needs_no_signal_to_be_believed() -> None:
    stay = Stay()
    stay.reads("08:00", symptoms=("chest_pain",), quality="poor")
    assert stay.alert(SYMPTOMS).confirmed


def test_a_temperature_is_told_in_degrees() -> None:
    stay = Stay()
    stay.reads("08:00", temperature=39.46)
    explanation = stay.alert(VITALS).explanation
    assert explanation.inputs[0].value == 39.5
    assert "Temperature 39.5 °C: at or below 35 or at or above 39.1" in explanation.text
