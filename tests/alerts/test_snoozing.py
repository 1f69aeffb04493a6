"""Snoozing: left alone with an alert for a while, until something new is known."""

import pytest

from alerts.checkpoint import load
from alerts.episode import Episode, State
from alerts.fold import Verb
from alerts.lifecycle import resolve
from alerts.severity import Family
from alerts.snoozing import SnoozeForbidden, SnoozeTooLong, snooze, wake
from alerts.transitions import IllegalTransition
from alerts.waking import wake_all
from tests.alerts.stay import Stay, clock, stored


def amber(spo2: float = 93, **more: float) -> Stay:
    """A high alert at 93 % in somebody who is breathless: hypoxia that is not silent."""
    stay = Stay()
    stay.reads("08:00", spo2=spo2, **{"breathlessness": 4, **more})
    return stay


def snoozed(spo2: float = 93) -> Stay:
    """The same, snoozed from 08:05 for an hour."""
    stay = amber(spo2)
    stay.acts("08:05", Verb.SNOOZE, until="09:05")
    return stay


def test_a_snooze_changes_no_order_and_no_limit() -> None:
    before, after = amber().alert(), snoozed().alert()
    assert (after.snoozed_until, after.version) == (clock("09:05"), before.version + 1)
    assert (after.respond_by, after.severity, after.state) == (before.respond_by, before.severity, State.OPEN)


@pytest.mark.parametrize(
    ("spo2", "breathlessness", "longest", "too_long"),
    [(93, 4, "09:05", "09:06"), (94, None, "12:05", "12:06")],
    ids=["high", "medium"],
)
def test_the_longest_snooze_depends_on_the_severity(
    spo2: float, breathlessness: float | None, longest: str, too_long: str
) -> None:
    episode = amber(spo2, breathlessness=breathlessness).alert()  # type: ignore[arg-type]
    assert snooze(episode, clock("08:05"), clock(longest)).snoozed_until == clock(longest)
    with pytest.raises(SnoozeTooLong):
        snooze(episode, clock("08:05"), clock(too_long))


def test_a_low_alert_sleeps_twelve_hours_at_most() -> None:
    stay = Stay(baseline_spo2=99)
    stay.reads("07:00", spo2=96)
    stay.reads("08:00", spo2=96)
    assert snooze(stay.alert(), clock("08:05"), clock("20:05")).snoozed_spo2 == 96
    with pytest.raises(SnoozeTooLong):
        snooze(stay.alert(), clock("08:05"), clock("20:06"))


@pytest.mark.parametrize(("spo2", "breathlessness"), [(90, 4), (93, 0)], ids=["critical", "silent"])
def test_a_critical_alert_and_silent_hypoxia_are_never_snoozed(spo2: float, breathlessness: float) -> None:
    with pytest.raises(SnoozeForbidden):
        snooze(amber(spo2, breathlessness=breathlessness).alert(), clock("08:05"), clock("08:10"))


def test_what_is_resolved_is_not_snoozed_and_resolving_ends_a_snooze() -> None:
    closed = resolve(snoozed().alert(), clock("08:30"))
    assert closed.snoozed_until is None
    with pytest.raises(IllegalTransition):
        snooze(closed, clock("08:31"), clock("08:40"))


def test_the_same_value_again_leaves_it_snoozed() -> None:
    stay = Stay()
    for at in ("07:00", "07:30"):
        stay.reads(at, spo2=93, breathlessness=4)
    stay.acts("07:35", Verb.SNOOZE, until="08:35")
    (change,) = stay.reads("07:50", spo2=93, breathlessness=4)
    assert (change.kind, change.ended_snooze) == ("updated", False)
    assert stay.alert().snoozed_until == clock("08:35")


@pytest.mark.parametrize(
    ("breathlessness", "spo2", "kind"),
    [(4, 91, "worsened"), (4, 93, "confirmed"), (0, 93, "confirmed")],
    ids=["worse", "confirmed by a reading", "another rule"],
)
def test_something_new_ends_the_snooze(breathlessness: float, spo2: float, kind: str) -> None:
    stay = snoozed()
    version = stay.alert().version
    (change,) = stay.reads("08:20", spo2=spo2, breathlessness=breathlessness)
    assert (change.kind, change.ended_snooze, change.after.version) == (kind, True, version + 1)
    assert stay.alert().snoozed_until is None


def test_another_rule_alone_ends_the_snooze() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26)
    stay.acts("08:05", Verb.SNOOZE, Family.VITALS, until="08:30")
    (same,) = stay.reads("08:10", spo2=97, respiratory_rate=26)
    assert not same.ended_snooze
    (new,) = stay.reads("08:20", spo2=97, pulse_rate=140)
    assert (new.kind, new.ended_snooze) == ("updated", True)


def test_a_value_one_point_lower_ends_the_snooze_and_half_a_point_does_not() -> None:
    stay = Stay(profile="hypercapnic")
    for at in ("07:00", "07:30"):
        stay.reads(at, spo2=87, breathlessness=4)
    stay.acts("07:35", Verb.SNOOZE, until="08:35")
    (same,) = stay.reads("07:40", spo2=86.6, breathlessness=4)
    assert (same.kind, same.ended_snooze) == ("updated", False)
    (lower,) = stay.reads("07:50", spo2=86, breathlessness=4)
    assert (lower.kind, lower.ended_snooze) == ("updated", True)
    assert stay.alert().snoozed_until is None


def test_time_that_makes_it_worse_ends_the_snooze() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    stay.acts("08:05", Verb.SNOOZE, until="12:00")
    (change,) = stay.waits_until("09:00")
    assert (change.kind, change.ended_snooze) == ("worsened", True)


def test_an_acknowledgement_keeps_the_snooze_and_giving_it_back_ends_it() -> None:
    stay = snoozed()
    stay.acts("08:10", Verb.ACKNOWLEDGE)
    assert stay.alert().snoozed_until == clock("09:05")
    stay.acts("08:15", Verb.UNACKNOWLEDGE)
    assert stay.alert().snoozed_until is None


def test_recovery_of_a_mild_alert_ends_the_snooze_with_the_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, temperature=39.5)
    stay.acts("08:05", Verb.SNOOZE, Family.VITALS, until="12:00")
    stay.reads("08:20", spo2=97, temperature=37.0)
    (change,) = stay.reads("08:40", spo2=97, temperature=37.0)
    assert (change.kind, change.ended_snooze, change.after.snoozed_until) == ("resolved", False, None)


def test_it_ends_by_its_time() -> None:
    stay = snoozed()
    version = stay.alert().version
    stay.acts("08:50", Verb.SNOOZE_ENDS)
    assert (stay.alert().snoozed_until, stay.alert().version) == (None, version + 1)
    assert wake(stay.alert()) is stay.alert()


def test_a_missed_slot_wakes_all_of_a_stay() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, respiratory_rate=26, feeling="same", breathlessness=5)
    stay.acts("08:05", Verb.SNOOZE, Family.VITALS, until="09:05")
    assert len(stay.families) > 1
    woken = wake_all(stay.record.episodes, clock("08:30"), "a reading was missed")
    (change,) = woken.changes
    assert (change.kind, change.transition, change.reason) == ("snooze_ended", "T42", "a reading was missed")
    assert woken.episodes[Family.VITALS].snoozed_until is None
    assert woken.episodes[Family.SYMPTOMS] is stay.alert(Family.SYMPTOMS)


def test_a_slot_ends_a_snooze_when_it_is_asked_for_and_when_it_is_missed() -> None:
    stay = Stay(admitted="07:00")
    stay.reads("09:00", spo2=97, temperature=39.5)
    for at, until, ends in (("13:30", "17:30", "14:00"), ("14:30", "18:30", "17:00")):
        stay.acts(at, Verb.SNOOZE, Family.VITALS, until=until)
        (change,) = [each for each in stay.waits_until(ends) if each.ended_snooze]
        assert (change.family, change.at, change.reason) == (Family.VITALS, clock(ends), "a reading was missed")


def test_a_wrong_resolve_taken_back_in_a_history() -> None:
    stay = amber()
    stay.acts("08:10", Verb.RESOLVE)
    assert stay.families == set()
    stay.acts("08:20", Verb.REOPEN)
    assert (stay.alert().state, stay.alert().first_breach_at) == (State.OPEN, clock("08:00"))


def test_a_snooze_survives_the_checkpoint_and_older_ones_had_none() -> None:
    episode = snoozed().alert()
    assert load(stored(episode)) == episode
    older = {name: value for name, value in stored(episode).items() if not name.startswith("snoozed")}
    found: Episode = load(older)
    assert (found.snoozed_until, found.snoozed_spo2) == (None, None)
