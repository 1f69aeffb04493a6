"""Somebody who was asked to measure again and did not (R15)."""

from typing import Any

import pytest

from alerts.change import Kind
from alerts.episode import State
from alerts.fold import Verb
from alerts.severity import Severity
from tests.alerts.stay import Stay, clock

HIGH, CRITICAL = Severity.HIGH, Severity.CRITICAL


@pytest.mark.hazard("H1")
def test_amber_without_a_recheck_is_high_confirmed_and_says_so() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    assert stay.waits_until("08:59") == []
    (change,) = stay.waits_until("09:00")
    alert = stay.alert()
    assert (change.kind, alert.severity, alert.confirmed) == (Kind.WORSENED, HIGH, True)
    assert alert.rule_ids == ("R2", "R3", "R15")
    assert alert.explanation.text.endswith("No recheck came in time.")


@pytest.mark.hazard("H1")
def test_red_without_a_recheck_stays_critical_and_is_confirmed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92, breathlessness=1)
    (change,) = stay.waits_until("08:15")
    assert (change.kind, stay.alert().severity, stay.alert().title) == (Kind.CONFIRMED, CRITICAL, "silent_hypoxia")
    assert stay.alert().rule_ids[-1] == "R15"


def test_one_good_value_is_a_recheck_though_it_contradicts_nothing() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=96, breathlessness=1)
    stay.waits_until("08:15")
    assert (stay.alert().confirmed, "R15" in stay.alert().rule_ids) == (True, False)
    assert "Not contradicted in time." in stay.alert().explanation.text


@pytest.mark.parametrize("values", [{"pulse_rate": 80}, {"spo2": 96, "quality": "poor"}, {"breathlessness": 1}])
def test_nothing_but_a_good_resting_value_is_a_recheck(values: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", **values)
    stay.waits_until("08:15")
    assert "R15" in stay.alert().rule_ids


def test_the_recheck_counts_from_receipt() -> None:
    stay = Stay()
    stay.reads("05:00", received="08:00", spo2=88, breathlessness=1)
    assert stay.waits_until("08:14") == []
    (change,) = stay.waits_until("08:15")
    assert change.kind == Kind.CONFIRMED


def test_a_missed_recheck_of_the_same_severity_does_not_reopen() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.acts("08:05", Verb.ACKNOWLEDGE)
    stay.waits_until("08:15")
    assert ("R15" in stay.alert().rule_ids, stay.alert().state) == (True, State.ACKNOWLEDGED)


def test_a_missed_recheck_that_makes_it_high_reopens() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.acts("08:05", Verb.ACKNOWLEDGE)
    (change,) = stay.waits_until("09:00")
    assert (change.kind, change.after.state, change.at) == (Kind.REOPENED, State.OPEN, clock("09:00"))


def test_it_is_named_once_however_often_it_happens() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.waits_until("08:15")
    stay.reads("10:00", spo2=97)
    stay.reads("10:20", spo2=97)
    stay.reads("11:00", spo2=93, breathlessness=1)
    stay.waits_until("12:00")
    assert stay.alert().rule_ids.count("R15") == 1
