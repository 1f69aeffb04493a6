"""A red flag that comes when newer readings are known, or together with them."""

from typing import Any

import pytest

from alerts.advice import AdviceCode, advise
from alerts.episode import State
from alerts.fold import Verb
from alerts.plan import Plan
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, reading

FLAGS: list[dict[str, Any]] = [
    {"symptoms": ("collapse",)},
    {"consciousness": "unresponsive"},
    {"symptoms": ("chest_pain",), "spo2": 97},
]
NEWER: list[dict[str, Any]] = [{"pulse_rate": 80}, {"spo2": 97}, {"spo2": 97, "symptoms": ()}]


def told(stay: Stay) -> tuple[Severity, bool, AdviceCode]:
    """The severity of the symptoms, whether they are only looked back at, and what the person reads."""
    assert stay.evaluation is not None
    alert = stay.alert(Family.SYMPTOMS)
    advice = advise(stay.evaluation, stay.record.episodes.values(), Plan(), watched_now=True)
    return alert.severity, alert.retrospective, advice.code


@pytest.mark.parametrize("newer", NEWER, ids=str)
@pytest.mark.parametrize("flag", FLAGS, ids=str)
@pytest.mark.hazard("H1")
def test_no_newer_reading_overtakes_a_red_flag(flag: dict[str, Any], newer: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:30", **newer)
    stay.reads("08:00", received="08:40", **flag)
    assert told(stay) == (Severity.CRITICAL, False, AdviceCode.EMERGENCY)


@pytest.mark.parametrize("flag", FLAGS, ids=str)
@pytest.mark.hazard("H1")
def test_a_red_flag_is_as_urgent_together_with_what_followed_it_as_by_itself(flag: dict[str, Any]) -> None:
    stay = Stay()
    stay.receives(reading("08:00", received="08:02", **flag), reading("08:01", received="08:02", pulse_rate=80))
    assert told(stay) == (Severity.CRITICAL, False, AdviceCode.EMERGENCY)


@pytest.mark.parametrize(("at", "severity", "retrospective"), [("-1 08:40", 4, False), ("-1 08:39", 3, True)])
def test_a_red_flag_that_was_followed_by_others_is_live_for_a_day(at: str, severity: int, retrospective: bool) -> None:
    stay = Stay()
    stay.reads("08:30", spo2=97)
    stay.reads(at, received="08:40", symptoms=("collapse",))
    assert told(stay)[:2] == (Severity(severity), retrospective)


def test_what_else_the_reading_says_stays_in_its_place() -> None:
    stay = Stay()
    stay.reads("08:30", spo2=97)
    stay.reads("08:00", received="08:40", symptoms=("collapse",), spo2=93, breathlessness=0)
    assert (stay.alert().severity, stay.alert().retrospective) == (Severity.LOW, True)
    assert told(stay)[:2] == (Severity.CRITICAL, False)


@pytest.mark.parametrize("taken", [False, True])
def test_a_late_red_flag_opens_again_what_had_recovered(taken: bool) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, breathlessness=5)
    if taken:
        stay.acts("08:05", Verb.ACKNOWLEDGE, Family.SYMPTOMS)
    stay.reads("08:30", spo2=97, breathlessness=0)
    stay.reads("08:50", spo2=97, breathlessness=0)
    assert stay.alert(Family.SYMPTOMS).recovered_at is not None
    stay.reads("08:10", received="09:00", symptoms=("collapse",))
    alert = stay.alert(Family.SYMPTOMS)
    assert (alert.state, alert.severity, alert.recovered_at) == (State.OPEN, Severity.CRITICAL, None)


BOTH: dict[str, Any] = {"symptoms": ("collapse",), "breathlessness": 8}
"""A red flag, and breathlessness beside it that a newer reading overtakes."""


def test_an_alert_with_a_red_flag_in_it_is_none_that_is_only_looked_back_at() -> None:
    stay = Stay()
    stay.reads("08:30", pulse_rate=80)
    stay.reads("08:00", received="08:40", **BOTH)
    assert told(stay) == (Severity.CRITICAL, False, AdviceCode.EMERGENCY)


def test_a_red_flag_makes_current_what_was_only_looked_back_at() -> None:
    stay = Stay()
    stay.reads("08:30", pulse_rate=80)
    stay.reads("08:00", received="08:40", breathlessness=8)
    assert told(stay)[1] is True
    stay.reads("08:10", received="08:50", **BOTH)
    assert told(stay) == (Severity.CRITICAL, False, AdviceCode.EMERGENCY)


def test_breathlessness_beside_a_late_red_flag_keeps_the_alarm_from_nobody() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, breathlessness=8)
    stay.acts("08:05", Verb.ACKNOWLEDGE, Family.SYMPTOMS)
    stay.reads("08:30", spo2=97, breathlessness=0)
    stay.reads("08:50", spo2=97, breathlessness=0)
    assert stay.alert(Family.SYMPTOMS).recovered_at is not None
    stay.reads("08:10", received="09:00", **BOTH)
    assert (stay.alert(Family.SYMPTOMS).state, stay.alert(Family.SYMPTOMS).recovered_at) == (State.OPEN, None)
