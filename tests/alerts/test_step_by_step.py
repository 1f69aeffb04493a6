"""What becomes of a rule and of its alert from reading to reading: breach, confirmation, clearing, to the last field
(docs/mutation.md)."""

from datetime import timedelta
from typing import Any

import pytest

from alerts.calendar import Timetable
from alerts.episode import State, Trace
from alerts.fold import Verb
from alerts.news2 import not_applicable
from alerts.plan import Plan
from alerts.reading import judged_tenths
from alerts.receipt import receipt
from alerts.severity import Channel, Family, Severity
from alerts.slots import longest_gap
from tests.alerts.stay import Stay, clock
from tests.alerts.test_coverage import at as on
from tests.alerts.test_coverage import span
from tests.alerts.test_plan import CUSTOM as BOUNDS
from tests.alerts.test_receipt import CUSTOM

CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW
OXYGEN, VITALS = Family.OXYGEN, Family.VITALS


def trace(stay: Stay, key: str, family: Family = OXYGEN) -> Trace:
    found = stay.alert(family).trace(key)
    assert found is not None
    return found


def reasons(stay: Stay, rule: str) -> set[str]:
    assert stay.evaluation is not None
    return {str(line.reason) for line in receipt(stay.evaluation) if line.rule.id == rule}


def fired(stay: Stay) -> set[str]:
    assert stay.evaluation is not None
    return {finding.rule_id for finding in stay.evaluation.findings}


def transient() -> Stay:
    """A red value on a poor signal that two good readings contradict."""
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=3, quality="poor")
    for at in ("08:03", "08:09"):
        stay.reads(at, spo2=97, breathlessness=3)
    assert stay.alert().transient
    return stay


def test_a_rule_that_fires_again_after_it_had_cleared_stands_as_if_it_had_not() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=3)
    for at in ("08:30", "08:50"):
        stay.reads(at, spo2=97, breathlessness=3)
    assert (trace(stay, "R1").active, trace(stay, "R1").clearings) == (False, 2)
    stay.reads("09:00", spo2=91, breathlessness=3)
    again = trace(stay, "R1")
    assert (again.active, again.clearings, again.clearing_from) == (True, 0, None)
    assert (again.first_breach_at, again.last_breach_at) == (clock("08:00"), clock("09:00"))


@pytest.mark.parametrize(("at", "last"), [("07:30", "08:00"), ("08:15", "08:15")])
def test_a_late_breach_is_the_last_one_only_if_it_is_later(at: str, last: str) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, pulse_rate=135)
    stay.reads("08:30", spo2=97, pulse_rate=80)
    stay.reads(at, received="08:40", pulse_rate=135)
    assert trace(stay, "R13:pulse_rate", VITALS).last_breach_at == clock(last)


def test_a_late_red_value_makes_a_contradicted_one_severe_again() -> None:
    stay = transient()
    stay.reads("08:01", received="08:15", spo2=90, breathlessness=3)
    assert trace(stay, "R1").severity == HIGH


def test_a_second_poor_signal_confirms_no_pulse() -> None:
    stay = Stay()
    for at in ("08:00", "08:05"):
        stay.reads(at, pulse_rate=135, quality="poor")
    assert not stay.alert(VITALS).confirmed


def test_a_good_signal_confirms_a_pulse_that_had_cleared() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, pulse_rate=135, respiratory_rate=26, quality="poor")
    for at in ("08:10", "08:40"):
        stay.reads(at, spo2=97, pulse_rate=80, respiratory_rate=26)
    assert not trace(stay, "R13:pulse_rate", VITALS).active
    stay.reads("08:50", spo2=97, pulse_rate=135, respiratory_rate=26)
    assert trace(stay, "R13:pulse_rate", VITALS).confirmed


def test_nothing_is_waited_for_that_a_rule_wanted_which_has_cleared() -> None:
    stay = Stay(prescribed_oxygen_flow=0)
    stay.reads("07:00", received="08:00", spo2=93, oxygen_flow=2)
    assert {wait.key for wait in stay.alert().waits} == {"R2", "R4"}
    stay.reads("07:30", received="08:01", spo2=97, oxygen_flow=2)
    stay.reads("07:50", received="08:02", spo2=97, oxygen_flow=2)
    assert stay.alert().state == State.OPEN
    assert stay.alert().waits == ()


def test_no_answer_is_waited_for_that_could_make_nothing_worse() -> None:
    stay = Stay(baseline_spo2=96)
    stay.reads("08:00", spo2=94, quality="poor")
    assert {wait.key for wait in stay.alert().waits} == {"R2", "R4"}
    stay.reads("08:05", spo2=93, quality="poor")
    assert trace(stay, "R4").severity == HIGH
    assert {wait.key for wait in stay.alert().waits} == {"R2"}


def test_an_alert_waits_for_the_first_of_what_it_waits_for() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93)
    due = [wait.due_at for wait in stay.alert().waits]
    assert len(set(due)) == 2
    assert stay.alert().next_due_at == min(due)


def test_the_words_stay_those_of_the_rule_that_leads_though_it_did_not_speak_again() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=3)
    stay.reads("08:05", spo2=93, breathlessness=3)
    assert stay.alert().rule_ids == ("R1", "R2")
    assert stay.alert().explanation.text.startswith("SpO2 91 %")


def test_a_contradicted_value_is_told_as_such_until_something_severe_comes() -> None:
    stay = transient()
    assert stay.alert().explanation.text.endswith(" Two good readings contradict it: transient.")
    stay.reads("08:12", spo2=93, breathlessness=4)
    assert (stay.alert().severity, stay.alert().transient) == (HIGH, False)


def test_an_alert_that_stays_as_severe_as_it_was_is_not_transient() -> None:
    stay = Stay()
    for at in ("08:00", "08:05"):
        stay.reads(at, spo2=94, quality="poor")
    assert (stay.alert().severity, stay.alert().transient) == (MEDIUM, False)


def test_a_mild_alert_that_ends_by_itself_waits_for_nobody() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0, quality="poor")
    stay.acts("08:01", Verb.ACKNOWLEDGE)
    assert stay.alert().ack_expires_at is not None
    stay.reads("08:05", spo2=97, breathlessness=0)
    (change,) = stay.reads("08:25", spo2=97, breathlessness=0)
    after = change.after
    assert (after.state, after.resolved_at, after.recovered_at) == (State.RESOLVED, clock("08:25"), clock("08:25"))
    assert (after.respond_by, after.ack_expires_at, after.waits) == (None, None, ())


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"pulse_rate": 80}, "value_not_given"), ({"spo2": 97, "quality": "poor"}, "not_valid"),
        ({"spo2": 91}, "within_margin"), ({"spo2": 50}, "within_margin"),
        ({"spo2": 94}, "not_often_enough"), ({"spo2": 95}, "not_met"),
    ],
)  # fmt: skip
def test_why_the_rule_about_the_target_says_nothing(values: dict[str, Any], reason: str) -> None:
    stay = Stay(**CUSTOM)
    stay.reads("08:00", **values)
    assert reasons(stay, "R6") == {reason}


def test_an_amber_value_is_none_below_the_target() -> None:
    stay = Stay(**CUSTOM)
    for at, spo2 in (("08:00", 91), ("08:10", 94)):
        stay.reads(at, spo2=spo2, breathlessness=3)
    assert "R6" not in fired(stay)


@pytest.mark.parametrize(
    ("values", "reason"), [({"pulse_rate": 80}, "value_not_given"), ({"spo2": 93}, "not_often_enough")]
)
def test_why_the_rule_about_a_drop_says_nothing(values: dict[str, Any], reason: str) -> None:
    stay = Stay(baseline_spo2=97)
    stay.reads("08:00", **values)
    assert reasons(stay, "R5") == {reason}


@pytest.mark.parametrize(("between", "drops"), [(1, True), (2, False)])
def test_a_drop_is_seen_in_two_of_the_last_three_values(between: int, drops: bool) -> None:
    stay = Stay(baseline_spo2=99)
    values = [96, *[98] * between, 96]
    for number, spo2 in enumerate(values):
        stay.reads(f"08:{number}0", spo2=spo2, breathlessness=0)
    assert ("R5" in fired(stay)) is drops


def test_the_lowest_value_that_can_be_used_is_a_drop() -> None:
    stay = Stay(baseline_spo2=97)
    for at in ("08:00", "08:05"):
        stay.reads(at, spo2=50)
    assert "R5" in fired(stay)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"pulse_rate": 80}, "value_not_given"), ({"spo2": 97}, "value_not_given"),
        ({"spo2": 95, "oxygen_flow": 1, "quality": "poor"}, "not_valid"),
        ({"spo2": 95, "oxygen_flow": 1}, "not_often_enough"), ({"spo2": 95, "oxygen_flow": 0}, "not_met"),
    ],
)  # fmt: skip
def test_why_the_rule_about_too_much_oxygen_says_nothing(values: dict[str, Any], reason: str) -> None:
    stay = Stay(profile="hypercapnic")
    stay.reads("08:00", **values)
    assert reasons(stay, "R7") == {reason}


@pytest.mark.parametrize(("observed", "told"), [("06:59", " Taken 2 h 1 min before it arrived."), ("08:00", "")])
def test_how_late_a_value_came_is_told_when_it_is_more_than_an_hour(observed: str, told: str) -> None:
    stay = Stay()
    stay.reads(observed, received="09:00", spo2=91, breathlessness=3)
    assert (" Taken" in stay.alert().explanation.text) is bool(told)
    assert told in stay.alert().explanation.text


def test_at_whose_desk_each_alert_lands() -> None:
    desks = {Family.MISSED_READING: Channel.COMPLIANCE, Family.PLAN: Channel.COMPLIANCE,
             Family.TECHNICAL: Channel.TECHNICAL}  # fmt: skip
    for family in Family:
        assert family.channel == desks.get(family, Channel.CLINICAL)


def test_a_score_that_does_not_apply_comes_to_nothing() -> None:
    assert (not_applicable(1).minimum_total, not_applicable(1).scores) == (0, {})


@pytest.mark.parametrize(("sent", "judged"), [(37.25, 37.3), (37.24, 37.2), (36.75, 36.7), (38.05, 38.1)])
def test_a_hundredth_of_a_degree_goes_away_from_37(sent: float, judged: float) -> None:
    assert judged_tenths(sent) / 10 == judged


@pytest.mark.parametrize("target", [91, 98])
def test_a_target_may_lie_on_its_bounds(target: int) -> None:
    assert Plan(**{**BOUNDS, "target_low": target}).limits.target_low == target


def test_each_day_is_compared_with_the_one_after_it() -> None:
    late, early, free = (span("20:00-08:00"),), (span("07:00-09:00"),), ()
    week = [free] * 7
    week[0], week[1] = late, early
    assert [(clash.day, clash.edge) for clash in Timetable(tuple(week)).clashes()] == [("monday", "ends")]
    week = [free] * 7
    week[6], week[0] = late, early
    assert [(clash.day, clash.edge) for clash in Timetable(tuple(week)).clashes()] == [("sunday", "ends")]


def test_what_overlaps_on_one_date_is_found_and_a_late_end_is_no_clash() -> None:
    monday = on("2026-11-23T00:00").date()
    table = Timetable(((),) * 7, {monday: (span("08:00-12:00"), span("11:00-14:00"))})
    assert [(clash.day, clash.number, clash.edge) for clash in table.clashes()] == [(monday, 1, "starts")]
    assert Timetable(((span("00:05-01:00"), span("10:00-23:58")),) * 7).clashes() == []


def test_a_date_is_compared_with_the_night_before_it_not_with_the_one_after() -> None:
    night, monday = (span("20:00-08:00"),), on("2026-11-23T00:00").date()
    week: list[tuple[Any, ...]] = [()] * 7
    week[6] = night
    table = Timetable(tuple(week), {monday: (span("06:00-12:00"),)})
    assert [(clash.day, clash.edge) for clash in table.clashes()] == [(monday, "starts")]


def test_what_a_day_comes_to_is_not_worked_out_twice() -> None:
    table, first = Timetable(((span("08:00-20:00"),),) * 7), on("2026-11-23T09:00")
    monday = table.stretches(first.date(), "UTC")
    table.stretches(on("2026-11-25T09:00").date(), "UTC")
    assert table.stretches(first.date(), "UTC") is monday
    assert table.around(first, "UTC") == list(monday)
    fresh = Timetable(table.week)
    assert (fresh, repr(fresh)) == (table, repr(table))


def test_an_amber_value_that_a_red_one_follows_is_believed_as_well() -> None:
    stay = Stay()
    for at, spo2 in (("08:00", 94), ("08:05", 91)):
        stay.reads(at, spo2=spo2, breathlessness=0)
    assert (trace(stay, "R2").confirmed, trace(stay, "R2").severity) == (True, HIGH)


def test_the_answer_just_before_is_what_is_usual_where_the_plan_says_nothing() -> None:
    stay = Stay()
    stay.reads("08:00", breathlessness=1)
    stay.reads("08:05", breathlessness=4)
    assert "R10b" in fired(stay)


def test_worse_at_a_low_value_is_left_to_the_rules_about_that_value() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, feeling="worse")
    assert "another_rule_applies" in reasons(stay, "R11")


def test_an_alert_about_too_much_oxygen_tells_how_much_it_was() -> None:
    stay = Stay(profile="hypercapnic")
    for at in ("08:00", "08:20"):
        stay.reads(at, spo2=94, oxygen_flow=1)
    told = stay.alert(Family.OVER_OXYGENATION).explanation.inputs
    assert [(item.name, item.value) for item in told] == [("spo2", 94), ("oxygen_flow", 1)]


def test_the_longest_gap_is_told_to_the_minute() -> None:
    assert longest_gap(("09:35", "13:07", "19:00")) == timedelta(hours=14, minutes=35)
    assert longest_gap(("09:00", "20:07")) == timedelta(hours=12, minutes=53)
