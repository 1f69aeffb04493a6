"""A plan that is due for review, or lacks what a patient on oxygen or after two days needs (R23)."""

from datetime import date
from typing import Any

import pytest

from alerts.change import Kind
from alerts.episode import State
from alerts.fold import Verb
from alerts.passing import next_due_at
from alerts.severity import Channel, Family, Severity
from tests.alerts.stay import Stay, clock

PLAN = Family.PLAN
QUIET: dict[str, Any] = {"reading_times": ()}
"""No reading is asked for, so that nothing but the plan is due."""


def text(stay: Stay) -> str:
    return stay.alert(PLAN).explanation.text


def test_no_usual_value_after_two_days() -> None:
    stay = Stay(admitted="10:00", **QUIET)
    assert stay.waits_until("2 09:59") == []
    (change,) = stay.waits_until("2 10:00")
    assert (change.kind, change.after.severity, change.after.title) == (Kind.OPENED, Severity.LOW, "review_due")
    assert text(stay) == "The usual SpO2 is still not known 48 h after admission."
    assert PLAN.channel == Channel.COMPLIANCE


def test_a_review_date_has_passed_at_midnight_by_the_wards_clock() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97, review_on=date(2026, 11, 24), **QUIET)
    stay.waits_until("10:00")
    assert next_due_at(stay.record) == clock("3 00:00")
    assert stay.waits_until("2 23:59") == []
    stay.waits_until("3 00:00")
    assert text(stay) == "The plan's review date (2026-11-24) has passed."


def test_home_oxygen_without_personal_limits_is_due_at_once() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97, prescribed_oxygen_flow=2, **QUIET)
    (change,) = stay.waits_until("10:00")
    assert "Oxygen of 2 L/min is prescribed" in change.after.explanation.text


@pytest.mark.parametrize("flow", [None, 0])
def test_readings_on_air_lack_no_prescription(flow: float | None) -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97, **QUIET)
    assert stay.reads("11:00", spo2=97, oxygen_flow=flow) == []


def test_readings_on_oxygen_without_a_prescription_are_told_once() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97, **QUIET)
    (change,) = stay.reads("11:00", spo2=97, oxygen_flow=2)
    assert (change.family, change.after.severity) == (PLAN, Severity.LOW)
    assert text(stay) == "The patient is on oxygen, and the plan names no prescription."
    assert stay.reads("12:00", spo2=97, oxygen_flow=2) == []
    stay.acts("12:30", Verb.RESOLVE, PLAN)
    assert stay.reads("13:00", spo2=97, oxygen_flow=2) == []


def test_a_plan_alert_is_no_finding_about_the_patient() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97, **QUIET)
    stay.reads("11:00", spo2=97, oxygen_flow=2)
    assert stay.evaluation is not None
    assert (stay.evaluation.findings, stay.evaluation.severity) == ((), None)


def test_without_a_watch_nobody_looks_at_the_plan() -> None:
    assert Stay(**QUIET).reads("11:00", spo2=97, oxygen_flow=2) == []


def test_everything_a_plan_lacks_is_one_alert() -> None:
    stay = Stay(admitted="10:00", prescribed_oxygen_flow=2, review_on=date(2026, 11, 22), **QUIET)
    changes = stay.waits_until("5 00:00")
    assert [change.kind for change in changes] == ["opened", "updated", "updated"]
    assert len(text(stay).split(". ")) == 3


def test_a_new_plan_that_lacks_nothing_clears_it() -> None:
    stay = Stay(admitted="10:00", **QUIET)
    stay.waits_until("2 10:00")
    (change,) = stay.is_replanned("2 11:00", baseline_spo2=97, **QUIET)
    assert (change.kind, change.reason) == (Kind.RESOLVED, "the plan changed")
    assert stay.families == set()


def test_a_new_plan_that_still_lacks_it_neither_clears_nor_repeats_it() -> None:
    stay = Stay(admitted="10:00", **QUIET)
    stay.waits_until("2 10:00")
    assert stay.is_replanned("2 11:00", usual_breathlessness=1, **QUIET) == []
    assert stay.waits_until("9 10:00") == []
    assert stay.alert(PLAN).state == State.OPEN


def test_a_new_plan_that_lacks_something_else_is_told_again() -> None:
    stay = Stay(admitted="10:00", **QUIET)
    stay.waits_until("2 10:00")
    stay.is_replanned("2 11:00", baseline_spo2=97, prescribed_oxygen_flow=2, **QUIET)
    assert stay.families == set()
    (change,) = stay.waits_until("2 11:01")
    assert (change.kind, change.family) == (Kind.OPENED, PLAN)


def test_a_prescription_answers_the_readings_on_oxygen() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97, **QUIET)
    stay.reads("11:00", spo2=97, oxygen_flow=2)
    stay.is_replanned("11:30", baseline_spo2=97, usual_breathlessness=1, **QUIET)
    assert stay.families == {PLAN}
    stay.is_replanned("12:00", profile="hypercapnic", baseline_spo2=90, prescribed_oxygen_flow=2, **QUIET)
    assert stay.families == set()


def test_a_pause_does_not_stop_the_review() -> None:
    stay = Stay(admitted="10:00", **QUIET)
    stay.is_paused("1 10:00", until="3 10:00")
    assert next_due_at(stay.record) == clock("2 10:00")
    assert len(stay.waits_until("2 10:00")) == 1


def test_a_plan_of_another_profile_and_another_usual_value_takes_its_place() -> None:
    stay = Stay(
        admitted="10:00", profile="custom", red_at=90, amber_at=92, reason="fibrosis", review_on=date(2026, 12, 1)
    )
    stay.is_replanned("11:00", baseline_spo2=97)
    assert (stay.record.plan.profile, stay.record.plan.baseline_spo2) == ("standard", 97)
