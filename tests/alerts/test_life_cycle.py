"""The life cycle of an alert: what readings, time and people may do to it, and what nobody may."""

from collections import Counter

import pytest

from alerts.episode import State
from alerts.fold import Verb
from alerts.lifecycle import ReopenTooLate, acknowledge, contact, escalate, reopen, resolve
from alerts.limits import USUAL_LIMITS
from alerts.severity import Family, Severity
from alerts.transitions import TRANSITIONS, IllegalTransition, Trigger, step
from tests.alerts.stay import Stay, clock


def taken(**first: object) -> Stay:
    """A red alert, acknowledged ten minutes later and confirmed by time."""
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1, **first)
    stay.acts("08:10", Verb.ACKNOWLEDGE)
    stay.waits_until("08:15")
    return stay


def test_every_transition_has_a_number_of_its_own() -> None:
    assert set(Counter(number for _, number in TRANSITIONS.values()).values()) == {1}


@pytest.mark.parametrize(
    ("state", "trigger", "after"),
    [
        (None, Trigger.BREACH, State.OPEN),
        (State.OPEN, Trigger.BREACH, State.OPEN),
        (State.OPEN, Trigger.CLEAR_MILD, State.RESOLVED),
        (State.OPEN, Trigger.CLEAR_SEVERE, State.RECOVERED),
        (State.ACKNOWLEDGED, Trigger.BREACH, State.ACKNOWLEDGED),
        (State.ACKNOWLEDGED, Trigger.WORSE, State.OPEN),
        (State.ACKNOWLEDGED, Trigger.CLEAR_MILD, State.RESOLVED),
        (State.ACKNOWLEDGED, Trigger.CLEAR_SEVERE, State.ACKNOWLEDGED),
        (State.ACKNOWLEDGED, Trigger.ACK_EXPIRES, State.OPEN),
        (State.RECOVERED, Trigger.BREACH, State.OPEN),
        (State.RECOVERED, Trigger.ACKNOWLEDGE, State.ACKNOWLEDGED),
        (State.RESOLVED, Trigger.REOPEN, State.OPEN),
    ],
)
def test_the_steps_the_design_allows(state: State | None, trigger: Trigger, after: State) -> None:
    assert step(state, trigger)[0] == after


def test_what_is_not_allowed_says_what_would_be() -> None:
    stay = taken()
    with pytest.raises(IllegalTransition) as refused:
        acknowledge(stay.alert(), clock("08:20"), USUAL_LIMITS)
    assert Trigger.UNACKNOWLEDGE in refused.value.legal
    assert Trigger.ACKNOWLEDGE not in refused.value.legal


@pytest.mark.parametrize(
    "trigger",
    [Trigger.ACKNOWLEDGE, Trigger.RESOLVE, Trigger.CONTACT, Trigger.ASSIGN, Trigger.ESCALATE, Trigger.BREACH],
)
def test_what_is_resolved_stays_resolved(trigger: Trigger) -> None:
    with pytest.raises(IllegalTransition):
        step(State.RESOLVED, trigger)


def test_a_breach_after_a_resolve_is_a_new_alert() -> None:
    stay = taken()
    stay.acts("08:20", Verb.RESOLVE)
    (change,) = stay.reads("08:30", spo2=91, breathlessness=1)
    assert (change.kind, change.before) == ("opened", None)
    assert stay.alert().first_breach_at == clock("08:30")


def test_acknowledging_makes_contact_the_next_limit_and_contact_meets_it() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    assert stay.alert().respond_by == clock("08:15")
    stay.acts("08:10", Verb.ACKNOWLEDGE)
    assert stay.alert().respond_by == clock("08:30")
    assert stay.alert().ack_expires_at == clock("08:40")
    stay.acts("08:20", Verb.CONTACT, reached=False)
    assert stay.alert().respond_by == clock("08:30")
    stay.acts("08:25", Verb.CONTACT)
    assert (stay.alert().respond_by, stay.alert().ack_expires_at) == (None, None)


def test_whoever_takes_an_alert_after_its_contact_limit_has_the_whole_limit_to_make_contact() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=90)
    assert stay.alert().contact_due_at == clock("08:30")
    stay.acts("09:40", Verb.ACKNOWLEDGE)
    assert stay.alert().respond_by == stay.alert().contact_due_at == clock("10:10")


def test_contact_alone_does_not_take_an_open_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    reached = contact(stay.alert(), clock("08:05"), reached=True)
    assert (reached.state, reached.respond_by) == (State.OPEN, clock("08:15"))
    assert acknowledge(reached, clock("08:10"), USUAL_LIMITS).respond_by is None


@pytest.mark.hazard("H2")
def test_an_acknowledgement_that_expires_reopens_one_level_up() -> None:
    stay = taken()
    stay.acts("08:40", Verb.ACK_EXPIRES)
    alert = stay.alert()
    assert (alert.state, alert.escalation_level, alert.respond_by) == (State.OPEN, 1, clock("08:55"))
    assert alert.acknowledged_at is None


def test_who_gives_it_back_leaves_it_open_with_new_limits() -> None:
    stay = taken()
    stay.acts("08:20", Verb.UNACKNOWLEDGE)
    assert (stay.alert().state, stay.alert().respond_by) == (State.OPEN, clock("08:35"))
    assert stay.alert().escalation_level == 0


def test_a_wrong_resolve_can_be_taken_back_for_a_day() -> None:
    closed = resolve(taken().alert(), clock("08:20"))
    assert (closed.state, closed.next_due_at, closed.respond_by) == (State.RESOLVED, None, None)
    again = reopen(closed, clock("1 08:20"), USUAL_LIMITS)
    assert (again.state, again.resolved_at) == (State.OPEN, None)
    with pytest.raises(ReopenTooLate):
        reopen(closed, clock("1 08:21"), USUAL_LIMITS)


def test_every_human_step_raises_the_version() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    versions = [stay.alert().version]
    for at, verb in (
        ("08:01", Verb.ACKNOWLEDGE), ("08:02", Verb.CONTACT), ("08:03", Verb.UNACKNOWLEDGE),
        ("08:04", Verb.ACKNOWLEDGE), ("08:05", Verb.ACK_EXPIRES), ("08:06", Verb.ASSIGN), ("08:06", Verb.ESCALATE),
    ):  # fmt: skip
        stay.acts(at, verb)
        versions.append(stay.alert().version)
    assert versions == [1, 2, 3, 4, 5, 6, 7, 8]
    assert contact(stay.alert(), clock("08:07"), reached=False).version == 9
    assert resolve(stay.alert(), clock("08:07")).version == 9


def test_escalating_raises_the_level_and_nothing_else() -> None:
    before = taken().alert()
    after = escalate(before)
    assert (after.escalation_level, after.severity, after.state) == (1, before.severity, before.state)
    assert after.respond_by == before.respond_by


def test_a_reading_that_changes_nothing_does_not_raise_the_version() -> None:
    stay = taken()
    version = stay.alert().version
    (change,) = stay.reads("08:30", spo2=91, breathlessness=1)
    assert change.kind == "updated"
    assert (stay.alert().version, stay.alert().reading_count) == (version, 2)


def test_time_confirms_an_acknowledged_alert_without_reopening_it() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.acts("08:05", Verb.ACKNOWLEDGE)
    (change,) = stay.waits_until("08:15")
    assert (change.kind, change.at, change.reading_id) == ("confirmed", clock("08:15"), None)
    assert (stay.alert().state, stay.alert().confirmed) == (State.ACKNOWLEDGED, True)


def test_time_reopens_an_acknowledged_alert_by_a_higher_severity() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.acts("08:30", Verb.ACKNOWLEDGE)
    (change,) = stay.waits_until("09:00")
    assert (change.kind, change.severity_before, change.after.severity) == (
        "reopened", Severity.MEDIUM, Severity.HIGH,
    )  # fmt: skip
    assert stay.alert().respond_by == clock("09:30")


def test_a_confirming_reading_reopens_an_acknowledged_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.acts("08:05", Verb.ACKNOWLEDGE)
    assert not stay.alert().confirmed
    (change,) = stay.reads("08:08", spo2=90, breathlessness=1)
    assert (change.kind, change.after.confirmed) == ("reopened", True)
    assert change.after.respond_by == clock("08:23")


@pytest.mark.parametrize(("at", "kind"), [("09:09", "updated"), ("09:10", "reopened")])
def test_critical_again_an_hour_after_the_acknowledgement_reopens(at: str, kind: str) -> None:
    (change,) = taken().reads(at, spo2=91, breathlessness=1)
    assert change.kind == kind


def test_what_is_not_critical_is_not_critical_again_an_hour_later() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26)
    stay.acts("08:05", Verb.ACKNOWLEDGE, Family.VITALS)
    (change,) = stay.reads("09:30", spo2=97, respiratory_rate=26)
    assert (change.kind, change.reason) == ("updated", "R13 fired")


def test_a_change_says_what_brought_it_about() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=91, breathlessness=1)
    stay.reads("08:10", spo2=91, breathlessness=1)
    for at in ("08:30", "08:50"):
        stay.reads(at, spo2=97, breathlessness=1)
    assert [change.reason for change in stay.changes] == [
        "R1, R3 fired", "confirmed by a reading", "R1, R3 fired", "readings that no longer meet the rules",
    ]  # fmt: skip


def test_a_new_rule_reopens_an_acknowledged_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26)
    stay.acts("08:05", Verb.ACKNOWLEDGE, Family.VITALS)
    (same,) = stay.reads("08:10", spo2=97, respiratory_rate=26)
    assert same.kind == "updated"
    (new,) = stay.reads("08:20", spo2=97, pulse_rate=140)
    assert (new.kind, new.reason) == ("reopened", "new rule R13:pulse_rate")


def test_silent_hypoxia_in_place_of_the_open_question_does_not_reopen() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    stay.acts("08:05", Verb.ACKNOWLEDGE)
    (change,) = stay.reads("08:06", breathlessness=1)
    assert (change.kind, stay.alert().state) == ("updated", State.ACKNOWLEDGED)
    assert stay.alert().title == "silent_hypoxia"


def test_a_complete_score_in_place_of_the_minimum_does_not_reopen() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=96, respiratory_rate=24, pulse_rate=125, oxygen_flow=2)
    stay.acts("08:05", Verb.ACKNOWLEDGE, Family.EARLY_WARNING)
    stay.reads(
        "08:20", spo2=96, respiratory_rate=24, pulse_rate=125, oxygen_flow=2, systolic_bp=120,
        temperature=37.0, consciousness="alert",
    )  # fmt: skip
    alert = stay.alert(Family.EARLY_WARNING)
    assert (alert.state, alert.rule_ids) == (State.ACKNOWLEDGED, ("R9b", "R9"))


def test_recovery_of_an_acknowledged_alert_leaves_it_to_the_person_who_has_it() -> None:
    stay = taken()
    stay.reads("09:00", spo2=96, breathlessness=0)
    (change,) = stay.reads("09:20", spo2=97, breathlessness=0)
    assert (change.kind, change.transition) == ("recovered", "T19")
    assert (stay.alert().state, stay.alert().recovered_at) == (State.ACKNOWLEDGED, clock("09:20"))


@pytest.mark.hazard("H2")
def test_a_recovered_alert_stays_in_the_queue_and_a_breach_opens_it_again() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.reads("08:05", spo2=91, breathlessness=1)
    stay.reads("09:00", spo2=96)
    stay.reads("09:20", spo2=97)
    assert stay.alert().state == State.RECOVERED
    (change,) = stay.reads("10:00", spo2=93, breathlessness=1)
    assert (change.kind, change.after.recovered_at) == ("reopened", None)
    assert change.after.respond_by == clock("10:15")
    assert change.after.severity == Severity.CRITICAL


def test_worse_never_lengthens_the_time_to_respond() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=1)
    assert stay.alert().respond_by == clock("08:30")
    (change,) = stay.reads("08:20", spo2=91, breathlessness=1)
    assert (change.kind, change.after.respond_by) == ("worsened", clock("08:30"))
    assert change.after.contact_due_at == clock("08:50")


def test_a_silent_or_critical_alert_is_never_snoozed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    assert not stay.alert().snooze_forbidden
    stay.reads("08:01", breathlessness=0)
    assert stay.alert().snooze_forbidden
