"""Where two sentences of the clinical rules meet: what confirms, contradicts, answers or clears which of two values."""

from typing import Any

import pytest

from alerts.episode import State
from alerts.fold import Verb
from alerts.judge import not_evaluated
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, clock, reading, told

CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
SILENT, NOT_ASKED = {"breathlessness": 0}, dict[str, Any]()


def test_amber_without_a_recheck_confirms_no_silent_red_that_was_poor() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, **SILENT)
    stay.reads("08:55", spo2=90, quality="poor", **SILENT)
    stay.waits_until("09:09")
    assert (stay.alert().severity, stay.alert().confirmed) == (CRITICAL, False)
    stay.waits_until("09:10")
    assert (stay.alert().severity, stay.alert().confirmed) == (CRITICAL, True)


@pytest.mark.parametrize("said", [SILENT, NOT_ASKED, {"breathlessness": 4}], ids=["silent", "not asked", "breathless"])
@pytest.mark.parametrize("quality", ["unknown", "poor"])
def test_what_confirmed_amber_does_not_confirm_the_first_red(said: dict[str, Any], quality: str) -> None:
    stay = Stay()
    for at in ("08:00", "08:10"):
        stay.reads(at, spo2=94, **said)
    assert stay.alert().confirmed
    stay.reads("08:20", spo2=91, quality=quality, **said)
    assert (stay.alert().severity, stay.alert().confirmed) == (CRITICAL, False)
    stay.reads("08:25", spo2=91, **said)
    assert stay.alert().confirmed


@pytest.mark.parametrize("said", [SILENT, NOT_ASKED, {"breathlessness": 4}], ids=["silent", "not asked", "breathless"])
def test_a_red_that_two_good_readings_contradict_leaves_the_confirmed_amber_before_it(said: dict[str, Any]) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, **said)
    stay.reads("08:20", spo2=91, **said)
    for at in ("08:25", "08:30"):
        stay.reads(at, spo2=97, **said)
    assert (stay.alert().severity, stay.alert().peak_severity, stay.alert().confirmed) == (HIGH, CRITICAL, True)


def test_an_answer_that_names_the_first_red_after_a_confirmed_silent_amber_confirms_nothing() -> None:
    stay = Stay()
    for at in ("06:00", "06:10"):
        stay.reads(at, spo2=94, **SILENT)
    stay.reads("08:00", spo2=91)
    stay.reads("08:05", **SILENT)
    assert (stay.alert().title, stay.alert().severity) == ("silent_hypoxia", CRITICAL)
    assert not stay.alert().confirmed


def test_of_two_unanswered_values_the_one_that_may_wait_less_says_how_long() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    stay.reads("08:10", spo2=93, quality="poor")
    (change,) = stay.waits_until("08:25")
    assert (change.kind, change.at, change.after.severity) == ("worsened", clock("08:25"), HIGH)


def test_an_unanswered_value_that_may_wait_longer_puts_nothing_off() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    stay.reads("08:10", spo2=94, quality="poor")
    assert stay.alert().next_due_at == clock("08:15")


@pytest.mark.parametrize(
    ("since", "severity"),
    [({"pulse_rate": 80}, HIGH), ({"spo2": 97, "quality": "poor"}, HIGH), ({"spo2": 97}, MEDIUM)],
    ids=["pulse", "poor", "good"],
)
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.hazard("H1")
def test_what_an_answer_says_of_a_low_value_is_overtaken_by_another_resting_value_alone(
    since: dict[str, Any], severity: Severity, together: bool
) -> None:
    stay, received = Stay(), {"received": "08:10"} if together else {}
    asked, newer = reading("08:00", spo2=93, **received), reading("08:06", **since, **received)
    answer = reading("08:05", received="08:10", **SILENT)
    for arrived in [(asked, answer, newer)] if together else [(asked,), (newer,), (answer,)]:
        stay.receives(*arrived)
    found = {trace.rule_id: trace.severity for trace in stay.alert().traces}
    assert "R3" in found
    assert stay.alert().severity == (Severity.LOW if together and severity == MEDIUM else severity)


def came_late(first: dict[str, Any], **of_both: Any) -> Stay:
    """Something at 08:00; then, at 08:05, two readings that were observed before it."""
    stay = Stay(profile="hypercapnic", prescribed_oxygen_flow=1)
    stay.reads("08:00", **first)
    late = ({"received": "08:05", "spo2": 90, "oxygen_flow": 1, **of_both} for _ in range(2))
    stay.receives(*(reading(at, **values) for at, values in zip(("07:30", "07:50"), late, strict=True)))
    return stay


@pytest.mark.parametrize(
    ("first", "of_both", "family"),
    [
        ({"spo2": 85, "breathlessness": 1, "quality": "poor"}, {}, Family.OXYGEN),
        ({"spo2": 87, "breathlessness": 1, "quality": "poor"}, {}, Family.OXYGEN),
        ({"spo2": 82, "context": "sleep"}, {}, Family.OXYGEN),
        ({"spo2": 90, "oxygen_flow": 4, "quality": "poor"}, {}, Family.OXYGEN),
        ({"spo2": 84, "context": "post_exertion_40_steps"}, {}, Family.OXYGEN),
        ({"spo2": 45}, {}, Family.TECHNICAL),
        ({"pulse_rate": 140}, {"pulse_rate": 80}, Family.VITALS),
        ({"breathlessness": 8}, {"breathlessness": 1}, Family.SYMPTOMS),
    ],
    ids=["red", "amber", "asleep", "oxygen", "exertion", "below 50", "pulse", "breathless"],
)
@pytest.mark.hazard("H7")
def test_a_late_normal_value_clears_nothing_newer_than_itself(
    first: dict[str, Any], of_both: dict[str, Any], family: Family
) -> None:
    alone = Stay(profile="hypercapnic", prescribed_oxygen_flow=1)
    alone.reads("08:00", **first)
    alert, alone_alert = came_late(first, **of_both).alert(family), alone.alert(family)
    assert (alert.state, alert.severity, alert.waits) == (State.OPEN, alone_alert.severity, alone_alert.waits)
    assert {trace.clearings for trace in alert.traces} == {0}


@pytest.mark.parametrize(("at", "counted"), [("07:59", 0), ("08:00", 1)])
def test_a_normal_value_of_the_same_instant_counts_towards_clearing(at: str, counted: int) -> None:
    stay = Stay()
    stay.reads("08:00", pulse_rate=140)
    stay.reads(at, received="08:05", spo2=97, pulse_rate=80)
    assert [trace.clearings for trace in stay.alert(Family.VITALS).traces] == [counted]


@pytest.mark.parametrize(
    ("first", "due_at", "severity"),
    [
        ({"spo2": 45}, "08:15", CRITICAL),
        ({"spo2": 84, "context": "post_exertion_40_steps"}, "08:10", CRITICAL),
        ({"spo2": 87, "breathlessness": 1, "quality": "poor"}, "09:00", HIGH),
    ],
    ids=["below 50", "exertion", "amber"],
)
@pytest.mark.hazard("H7")
def test_what_was_observed_before_a_value_is_no_recheck_of_it(
    first: dict[str, Any], due_at: str, severity: Severity
) -> None:
    stay = came_late(first)
    stay.waits_until(due_at)
    assert stay.alert().severity == severity


def test_a_value_from_before_the_limit_ends_a_silence_that_was_told_meanwhile() -> None:
    stay = Stay(admitted="08:00")
    stay.waits_until("1 08:00")
    assert stay.alert(Family.MISSED_READING).severity == HIGH
    stay.reads("1 07:30", received="1 08:05", spo2=97)
    assert stay.alert(Family.MISSED_READING).state == State.RECOVERED


def taken() -> Stay:
    """A red alert, taken at 08:05, its patient reached at 08:10."""
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=3)
    stay.acts("08:05", Verb.ACKNOWLEDGE)
    stay.acts("08:10", Verb.CONTACT)
    return stay


@pytest.mark.parametrize(("at", "state"), [("09:04", State.ACKNOWLEDGED), ("09:05", State.OPEN)])
@pytest.mark.hazard("H1")
def test_a_red_value_that_cannot_be_assessed_rings_again_an_hour_after_the_acknowledgement(
    at: str, state: State
) -> None:
    stay = taken()
    record = not_evaluated(stay.record, reading(at, spo2=90)).record
    assert record.episodes[Family.OXYGEN].state == state


@pytest.mark.hazard("H1")
def test_a_value_below_50_that_nothing_follows_rings_again_an_hour_after_the_acknowledgement() -> None:
    stay = taken()
    stay.reads("10:00", spo2=45)
    changes = stay.waits_until("10:15")
    assert [(each.kind, each.reason) for each in changes if each.family == Family.OXYGEN][:1] == [
        ("reopened", "critical again an hour after the acknowledgement")
    ]


def test_an_acknowledgement_after_the_contact_does_not_expire_for_want_of_one() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=3)
    stay.acts("08:05", Verb.CONTACT)
    stay.acts("08:06", Verb.ACKNOWLEDGE)
    assert (stay.alert().respond_by, stay.alert().ack_expires_at) == (None, None)
    stay.acts("08:07", Verb.UNACKNOWLEDGE)
    stay.acts("08:08", Verb.ACKNOWLEDGE)
    assert stay.alert().ack_expires_at == clock("08:38")


@pytest.mark.hazard("H2")
def test_a_contact_about_something_milder_meets_no_limit_of_what_it_became() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.acts("08:10", Verb.CONTACT)
    stay.reads("08:20", spo2=91, breathlessness=0)
    stay.acts("08:25", Verb.ACKNOWLEDGE)
    assert (stay.alert().respond_by, stay.alert().ack_expires_at) == (clock("08:50"), clock("08:55"))


@pytest.mark.parametrize(
    ("value", "due_at", "severity"),
    [({"spo2": 91, "breathlessness": 3}, "08:40", CRITICAL), ({"spo2": 94, "breathlessness": 0}, "09:25", HIGH)],
    ids=["red", "amber"],
)
@pytest.mark.hazard("H1")
def test_what_was_closed_by_mistake_and_opened_again_goes_on_waiting_for_what_was_left(
    value: dict[str, Any], due_at: str, severity: Severity
) -> None:
    stay = Stay()
    stay.reads("08:00", **value)
    stay.acts("08:05", Verb.RESOLVE)
    assert stay.waits_until("08:29") == []
    stay.acts("08:30", Verb.REOPEN)
    assert not stay.alert().confirmed
    (change,) = stay.waits_until("12:00")
    assert (change.at, change.after.severity, change.after.confirmed) == (clock(due_at), severity, True)


def test_what_somebody_was_to_do_about_a_closed_alert_is_done() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    stay.acts("08:05", Verb.RESOLVE)
    (closed,) = stay.closed.values()
    assert [(wait.key, told(wait.due_at)) for wait in closed.waits] == [("R2", "09:00"), ("R4", "09:00")]
    assert closed.next_due_at is None
