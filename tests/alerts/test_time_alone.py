"""What time, a plan and a policy bring about by themselves, to the last field (docs/mutation.md)."""

from typing import Any

import pytest

from alerts.change import Kind
from alerts.clearing import ends_when
from alerts.escalation import Ward, What, limit_at, pass_limits
from alerts.fold import Verb
from alerts.limits import USUAL_LIMITS
from alerts.missed import last_valid_at
from alerts.plan import Plan, PlanInvalid
from alerts.policy import DEFAULT as DEFAULT_POLICY
from alerts.reading import FUTURE_TOLERANCE
from alerts.receipt import Outcome, receipt
from alerts.record import Record
from alerts.severity import Family
from alerts.watch import Watch, begin_watch
from tests.alerts.stay import MIDNIGHT, Stay, clock, reading
from tests.alerts.test_plan import problems

MISSED, VITALS = Family.MISSED_READING, Family.VITALS


def watch(stay: Stay) -> Watch:
    assert stay.record.watch is not None
    return stay.record.watch


def test_a_missed_reading_that_is_told_wakes_what_was_snoozed_and_tells_that_too() -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97)
    stay.reads("10:30", respiratory_rate=26)
    stay.waits_until("17:00")
    stay.acts("17:10", Verb.RESOLVE, MISSED)
    stay.acts("19:30", Verb.SNOOZE, VITALS, until="20:20")
    changes = stay.waits_until("20:00")
    assert [(change.kind, change.family) for change in changes] == [
        (Kind.SNOOZE_ENDED, VITALS), (Kind.OPENED, MISSED),
    ]  # fmt: skip
    assert {item.value for item in stay.alert(MISSED).explanation.inputs if item.name == "in_a_row"} == {2}


def test_new_reading_times_are_waited_for_from_the_new_plan_on() -> None:
    stay = Stay(admitted="08:00", baseline_spo2=97)
    stay.reads("09:00", spo2=97)
    stay.is_replanned("12:00", baseline_spo2=97, reading_times=("18:00",), version=2)
    assert (watch(stay).planned_at, watch(stay).slots_from) == (clock("12:00"), clock("12:00"))
    assert (watch(stay).plan_version, watch(stay).due_at) == (2, clock("19:00"))
    stay.is_replanned("13:00", baseline_spo2=96, reading_times=("18:00",), version=3)
    assert (watch(stay).planned_at, watch(stay).slots_from) == (clock("13:00"), clock("12:00"))


def test_a_pause_is_over_at_its_last_instant() -> None:
    stay = Stay(admitted="07:00", baseline_spo2=97)
    stay.is_paused("10:00", "18:00")
    stay.waits_until("18:00")
    assert (watch(stay).paused_until, watch(stay).slots_from) == (None, clock("18:00"))


def test_the_silence_counts_from_the_newest_of_all_that_is_known() -> None:
    begun, two = begin_watch(clock("07:00")), (reading("09:00", spo2=97), reading("08:00", spo2=97))
    assert last_valid_at(Record(), begun) == clock("07:00")
    assert last_valid_at(Record(window=two), begun) == clock("09:00")
    assert last_valid_at(Record(window=two, newest_resting_at=clock("10:00")), begun) == clock("10:00")
    assert last_valid_at(Record(window=two), begin_watch(clock("09:30"))) == clock("09:30")


@pytest.mark.parametrize("there", [True, False])
def test_whoever_looks_once_finds_what_whoever_looks_every_minute_found(there: bool) -> None:
    ward = Ward(USUAL_LIMITS, DEFAULT_POLICY, lambda _at: there)
    stay = Stay()
    stay.reads("00:00", spo2=91, breathlessness=3)
    minutely = start = stay.alert()
    for minute in range(240):
        now = MIDNIGHT.replace(hour=minute // 60, minute=minute % 60)
        minutely, _ = pass_limits(minutely, now, ward)
        once, passed = pass_limits(start, now, ward)
        assert (once.escalation, once.escalation_level) == (minutely.escalation, minutely.escalation_level), now
        assert limit_at(once) == limit_at(minutely)
        escalated = [each for each in passed if each.what == What.ESCALATED]
        assert len(escalated) <= len(DEFAULT_POLICY.steps) + 1  # repeats that nobody was there to make are one


def test_what_is_wrong_with_a_plan_is_said_of_each_field() -> None:
    with pytest.raises(PlanInvalid, match=r"baseline_spo2: .+; prescribed_oxygen_flow: "):
        Plan(baseline_spo2=20, prescribed_oxygen_flow=-1)


@pytest.mark.parametrize("usual", [-0.5, 10.5, 2.25])
def test_usual_breathlessness_is_a_number_of_the_scale(usual: float) -> None:
    assert [field for field, _ in problems(usual_breathlessness=usual)] == ["usual_breathlessness"]


def test_who_ends_an_alert_that_time_raised() -> None:
    stay = Stay(admitted="10:00")
    stay.waits_until("17:00")
    ends = "The next reading that is accepted and does not meet it. It then resolves by itself."
    assert ends_when(stay.alert(MISSED)) == ends
    stay.waits_until("4 10:00")
    assert ends_when(stay.alert(Family.PLAN)) == "A person closes it; no reading does."


def test_a_time_is_put_right_from_more_than_five_minutes_ahead_on() -> None:
    assert FUTURE_TOLERANCE.total_seconds() == 300


@pytest.mark.parametrize(("spo2", "away"), [(93, ", 1 away"), (94, ", 2 away")])
def test_how_far_a_value_is_from_red_is_told(spo2: int, away: str) -> None:
    stay: Any = Stay()
    stay.reads("08:00", spo2=spo2, breathlessness=4)
    (red,) = (line for line in receipt(stay.evaluation) if line.rule.id == "R1")
    assert red.text.endswith(f"the rule begins at 92 % or below{away}.")


def test_a_rule_that_looked_and_found_nothing_is_told_from_one_that_does_not_apply() -> None:
    stay: Any = Stay()
    stay.reads("08:00", spo2=97)
    outcomes = {line.rule.key: line.outcome for line in receipt(stay.evaluation)}
    assert (outcomes["R1"], outcomes["R7"]) == (Outcome.NOT_FIRED, Outcome.NOT_APPLICABLE)
