"""Worse than yesterday, or more breathless than usual, though the oximeter is green (R11)."""

import pytest

from alerts.episode import State
from alerts.limits import ServiceHours
from alerts.plan import Plan
from alerts.record import Record
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay

SYMPTOMS = Family.SYMPTOMS


def test_worse_than_yesterday_is_low_and_says_so() -> None:
    stay = Stay()
    stay.reads("09:00", spo2=97, feeling="worse")
    assert (stay.alert(SYMPTOMS).severity, stay.alert(SYMPTOMS).title) == (Severity.LOW, "worsening")
    assert stay.alert(SYMPTOMS).explanation.text == "The patient feels worse than yesterday, though SpO2 is not low."


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        ("09:00", "1 09:00", Severity.MEDIUM),
        ("23:59", "1 00:01", Severity.MEDIUM),
        ("00:01", "1 23:59", Severity.MEDIUM),
        ("07:00", "23:00", Severity.LOW),
        ("09:00", "2 08:59", Severity.LOW),
    ],
)
def test_the_second_day_running_is_medium_by_the_calendar(first: str, second: str, severity: Severity) -> None:
    stay = Stay()
    stay.reads(first, spo2=97, feeling="worse")
    stay.reads(second, spo2=97, feeling="worse")
    assert stay.alert(SYMPTOMS).severity == severity
    assert ("the second day running" in stay.alert(SYMPTOMS).explanation.text) == (severity == Severity.MEDIUM)


def test_the_calendar_is_the_wards() -> None:
    stay = Stay()
    stay.record = Record(plan=Plan(), service_hours=ServiceHours(zone="Asia/Tokyo"))
    stay.reads("14:00", spo2=97, feeling="worse")
    stay.reads("16:00", spo2=97, feeling="worse")
    assert stay.alert(SYMPTOMS).severity == Severity.MEDIUM


def test_better_the_day_before_is_not_a_second_day() -> None:
    stay = Stay()
    stay.reads("09:00", spo2=97, feeling="better")
    stay.reads("1 09:00", spo2=97, feeling="worse")
    assert stay.alert(SYMPTOMS).severity == Severity.LOW


@pytest.mark.parametrize(("spo2", "families"), [(94, {Family.OXYGEN}), (91, {Family.OXYGEN}), (95, {SYMPTOMS})])
def test_at_a_low_spo2_the_oxygen_alert_speaks(spo2: int, families: set[Family]) -> None:
    feels, breathes = Stay(), Stay(usual_breathlessness=0)
    feels.reads("09:00", spo2=spo2, feeling="worse", breathlessness=0)
    breathes.reads("09:00", spo2=spo2, breathlessness=2)
    assert (feels.families, breathes.families) == (families, families)


def test_what_the_oximeter_did_not_measure_hides_no_worsening() -> None:
    stay = Stay()
    stay.reads("09:00", feeling="worse")
    assert stay.families == {SYMPTOMS}


@pytest.mark.parametrize(("answer", "raised"), [(1, False), (2.5, False), (3, True)])
def test_two_points_more_breathless_than_usual_is_medium(answer: float, raised: bool) -> None:
    stay = Stay(usual_breathlessness=1)
    stay.reads("09:00", spo2=97, breathlessness=answer)
    assert stay.families == ({SYMPTOMS} if raised else set())
    if raised:
        text = "Breathlessness 3 of 10, usually 1, though SpO2 is not low."
        assert (stay.alert(SYMPTOMS).severity, stay.alert(SYMPTOMS).explanation.text) == (Severity.MEDIUM, text)


def test_without_anything_usual_there_is_no_rise() -> None:
    stay = Stay()
    assert not stay.reads("09:00", spo2=97, breathlessness=4)


def test_breathless_after_a_walk_is_no_rise_but_worse_counts_in_every_context() -> None:
    stay = Stay(usual_breathlessness=0)
    walked = {"spo2": 97, "context": "post_exertion_40_steps"}
    assert not stay.reads("09:00", **walked, breathlessness=4)
    stay.reads("09:05", **walked, feeling="worse")
    assert stay.families == {SYMPTOMS}


def test_two_answers_that_do_not_meet_it_clear_it_whatever_the_signal() -> None:
    stay = Stay()
    stay.reads("09:00", spo2=97, feeling="worse")
    stay.reads("09:10", spo2=97, feeling="same", quality="poor")
    assert stay.families == {SYMPTOMS}
    stay.reads("09:20", spo2=97)
    assert stay.families == {SYMPTOMS}
    changes = stay.reads("09:30", feeling="better")
    assert [change.after.state for change in changes] == [State.RESOLVED]


def test_an_answer_about_breathlessness_does_not_answer_how_the_person_feels() -> None:
    stay = Stay(usual_breathlessness=1)
    stay.reads("09:00", spo2=97, feeling="worse")
    for at in ("09:10", "09:20", "09:30"):
        stay.reads(at, spo2=97, breathlessness=1)
    assert stay.families == {SYMPTOMS}
    both = Stay(usual_breathlessness=1)
    both.reads("09:00", spo2=97, feeling="worse", breathlessness=3)
    both.reads("09:10", feeling="same")
    both.reads("09:20", feeling="same")
    assert both.families == {SYMPTOMS}
    both.reads("09:30", breathlessness=1)
    both.reads("09:40", breathlessness=2)
    assert not both.families


def test_worse_again_begins_the_clearing_anew() -> None:
    stay = Stay()
    stay.reads("09:00", feeling="worse")
    stay.reads("10:00", feeling="same")
    stay.reads("11:00", feeling="worse")
    stay.reads("12:00", feeling="same")
    assert stay.families == {SYMPTOMS}


def test_worse_at_a_low_spo2_holds_a_worsening_that_stands() -> None:
    stay = Stay(usual_breathlessness=0)
    stay.reads("09:00", spo2=97, feeling="worse", breathlessness=2)
    stay.reads("10:00", spo2=97, feeling="same", breathlessness=0)
    stay.reads("11:00", spo2=93, feeling="worse", breathlessness=2)
    stay.reads("12:00", spo2=93, feeling="same", breathlessness=0)
    assert stay.alert(SYMPTOMS).state == State.OPEN
