"""A rule set tried on a history: what it raises, whom it calls and when, and what that adds up to."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from alerts.figures import Found, Lived, Side, Truth, compare, event_of, load_of
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.replay import Arrival, Call, Raised, Replayed, Team, replay
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Channel, Family, Severity
from alerts.watch import begin_watch
from tests.alerts.stay import clock, reading

MILDER = RuleSet(version="milder", standard_red_at=90, standard_amber_at=92)


@dataclass
class Tape:
    """Readings as they came, and what was said to them."""

    arrivals: list[Arrival]
    heard: list[Judgement] = field(default_factory=list)

    def next_at(self):
        return self.arrivals[0].at if self.arrivals else None

    def take(self) -> Arrival:
        return self.arrivals.pop(0)

    def hear(self, at, judgement):
        self.heard.append(judgement)


def came(*readings: Reading) -> Arrival:
    return Arrival(readings[0].received_at, readings)


def tried(*arrivals: Arrival, until: str = "3 00:00", rules: RuleSet = DEFAULT, team: Team | None = None) -> Replayed:
    tape = Tape(list(arrivals))
    made = replay(tape, Record(plan=Plan(baseline_spo2=97), rule_set=rules), team or Team(), clock(until))
    assert sum(len(heard.evaluations) for heard in tape.heard) == sum(len(arrival.readings) for arrival in arrivals)
    return made


def lived(replayed: Replayed, truth: Truth | None = None, stay_id: str = "s") -> Lived:
    return Lived(stay_id, clock("00:00"), clock("2 00:00"), replayed, truth)


def test_a_green_stay_raises_nothing_and_calls_nobody():
    assert tried(came(reading("09:00", spo2=97)), came(reading("13:00", spo2=98))) == Replayed((), (), 2, 0)


def test_one_episode_is_one_alert_and_each_time_it_gets_worse_is_one_call():
    made = tried(came(reading("09:00", spo2=94, breathlessness=0)), came(reading("09:30", spo2=91, breathlessness=0)))
    (alert,) = made.raised
    assert (alert.family, alert.rule_id, alert.severity) == (Family.OXYGEN, "R3", Severity.CRITICAL)
    assert [(call.at, call.severity) for call in made.calls][:2] == [
        (clock("09:00"), Severity.HIGH),
        (clock("09:30"), Severity.CRITICAL),
    ]
    assert alert.calls == len(made.calls)


def test_time_is_lived_through_between_readings_so_a_missed_recheck_calls_at_its_limit():
    made = replay(Tape([came(reading("10:00", spo2=94, breathlessness=0))]), Record(), Team(), clock("11:30"))
    assert [(call.at, call.severity) for call in made.calls] == [
        (clock("10:00"), Severity.MEDIUM),
        (clock("11:00"), Severity.HIGH),
    ]


def test_a_question_nobody_answers_calls_again_at_its_limit_and_not_after_the_end():
    plan = Record(plan=Plan())
    late = replay(Tape([came(reading("10:00", spo2=93))]), plan, Team(), clock("10:15"))
    early = replay(Tape([came(reading("10:00", spo2=93))]), plan, Team(), clock("10:14"))
    assert [(call.at, call.severity) for call in late.calls] == [
        (clock("10:00"), Severity.MEDIUM),
        (clock("10:15"), Severity.HIGH),
    ]
    assert len(early.calls) == 1


def test_the_team_closes_what_has_recovered_so_that_the_next_fall_is_a_new_alert():
    fall = [came(reading("09:00", spo2=91)), came(reading("09:05", spo2=90))]
    better = [came(reading("09:30", spo2=97)), came(reading("09:50", spo2=97))]
    again = came(reading("19:00", spo2=90))
    first, second = tried(*fall, *better, again).raised
    assert first.closed_at == clock("10:50")
    assert second.opened_at == clock("19:00")


def test_what_no_reading_clears_is_closed_a_day_after_it_was_taken_last():
    made = tried(came(reading("09:00", spo2=91)), came(reading("09:30", spo2=91)))
    # Taken for the second time at 09:40, when a second red value had confirmed the first.
    assert made.raised[0].closed_at == clock("1 09:40")


def test_a_mild_alert_that_resolves_itself_is_closed_by_its_readings():
    plan = Record(plan=Plan())
    readings = [came(reading(at, spo2=spo2, breathlessness=0)) for at, spo2 in (("09:00", 94), ("09:20", 95))]
    made = replay(Tape([*readings, came(reading("09:40", spo2=95))]), plan, Team(), clock("12:00"))
    assert [(alert.severity, alert.closed_at) for alert in made.raised] == [(Severity.MEDIUM, clock("09:40"))]


def test_an_alert_that_stands_at_the_end_has_no_close():
    assert tried(came(reading("09:00", spo2=91)), until="09:10").raised[0].closed_at is None


def test_a_human_act_never_lies_before_what_has_happened_already():
    slow = Team(closes_after=timedelta(hours=30), gives_up_after=timedelta(hours=1))
    fall = [came(reading("09:00", spo2=93)), came(reading("09:05", spo2=93))]
    better = [came(reading("09:30", spo2=97)), came(reading("09:50", spo2=97))]
    # Recovered, so waiting to be closed at leisure; then low as before, two hours late: the hour to give up is over.
    made = tried(*fall, *better, came(reading("20:00", received="22:00", spo2=93)), team=slow)
    assert [alert.closed_at for alert in made.raised] == [clock("22:00")]


def test_refused_readings_are_counted_and_two_of_them_are_a_technical_alert():
    made = tried(Arrival(clock("09:00"), refused=1), Arrival(clock("10:00"), refused=1), until="11:00")
    assert made.refused == 2
    assert [(alert.family, alert.rule_id) for alert in made.raised] == [(Family.TECHNICAL, "R20")]


def test_a_new_plan_holds_for_the_readings_after_it():
    lower = Plan(profile="custom", red_at=88, amber_at=90, reason="known", review_on=clock("00:00").date())
    made = tried(Arrival(clock("08:00"), plan=lower), came(reading("09:00", spo2=92)), until="09:01")
    assert made.raised == ()


def test_a_reading_is_judged_with_no_more_than_the_service_would_load():
    """Two days earlier there was a drop; for the second of two of three it is too long ago."""
    old, new = came(reading("-3 09:00", spo2=94, breathlessness=4)), came(reading("09:00", spo2=97))
    assert tried(old, new, until="10:00").readings == 2


def test_absence_is_looked_for_reminded_of_and_stands_until_a_reading_comes():
    tape = Tape([Arrival(clock("08:30")), came(reading("1 12:00", spo2=97)), came(reading("1 12:30", spo2=97))])
    start = Record(plan=Plan(baseline_spo2=97), watch=begin_watch(clock("08:00")))
    made = replay(tape, start, Team(), clock("1 13:30"))
    assert next(reminder.at for heard in tape.heard for reminder in heard.reminders) == clock("10:00")
    (alert,) = made.raised
    assert (alert.family, alert.rule_id, alert.severity) == (Family.MISSED_READING, "R14", Severity.HIGH)
    assert [call.at for call in made.calls][:2] == [clock("13:00"), clock("1 08:00")]
    assert alert.closed_at == clock("1 13:00")


def test_the_load_is_counted_per_patient_day_by_channel_rule_and_severity():
    red = tried(came(reading("09:00", spo2=91, breathlessness=0)), until="09:20")
    refused = tried(*(Arrival(clock(f"0{hour}:00"), refused=1) for hour in (8, 9)), until="10:00")
    load = load_of([lived(red), lived(refused), lived(Replayed((), (), 4, 0))])
    assert (load.patient_days, load.readings, load.refused) == (6.0, 5, 2)
    assert load.rate() == pytest.approx(2 / 6)
    assert load.rate(channel=Channel.CLINICAL, rule_id="R3", severity=Severity.CRITICAL) == pytest.approx(1 / 6)
    assert load.rate(rule_id="R2") == 0
    assert load.call_rate(channel=Channel.TECHNICAL) == pytest.approx(1 / 6)
    assert load.within_budget
    assert load_of([]).rate() == 0


def called(*at: str, severity: Severity = Severity.HIGH, family: Family = Family.OXYGEN) -> Replayed:
    return Replayed((), tuple(Call(clock(each), family, "R1", severity) for each in at), 1, 0)


TRUTH = Truth("silent", clock("06:00"), clock("18:00"))


@pytest.mark.parametrize(
    ("calls", "found", "lead"),
    [
        (called("10:00", "12:00"), Found.BEFORE, timedelta(hours=8)),
        (called("05:00"), Found.MISSED, None),
        (called("18:00"), Found.AFTER, timedelta(0)),
        (called("20:00"), Found.AFTER, -timedelta(hours=2)),
        (called("10:00", severity=Severity.MEDIUM), Found.MISSED, None),
        (called("10:00", family=Family.TECHNICAL), Found.MISSED, None),
    ],
)
def test_a_deterioration_is_found_by_the_first_high_clinical_call_after_it_began(calls, found, lead):
    event = event_of(lived(calls, TRUTH))
    assert event is not None
    assert (event.found, event.lead) == (found, lead)


@pytest.mark.parametrize("truth", [None, Truth("recovery"), Truth("silent", clock("06:00"), None)])
def test_without_a_true_red_there_is_no_event(truth):
    assert event_of(lived(called("10:00"), truth)) is None


def alert(opened: str, closed: str | None, family: Family = Family.OXYGEN) -> Raised:
    closed_at = None if closed is None else clock(closed)
    return Raised(family, "R1", clock(opened), Severity.HIGH, ("R1",), 1, closed_at)


@pytest.mark.parametrize(
    ("a", "b", "sides"),
    [
        ([alert("09:00", "10:00")], [alert("09:30", "11:00")], [Side.BOTH]),
        ([alert("09:00", "10:00")], [alert("10:30", None)], [Side.ONLY_A, Side.ONLY_B]),
        ([alert("10:30", None)], [alert("09:00", "10:00")], [Side.ONLY_A, Side.ONLY_B]),
        ([alert("09:00", None)], [alert("12:00", None)], [Side.BOTH]),
        ([alert("09:00", None)], [alert("09:00", None, Family.VITALS)], [Side.ONLY_A, Side.ONLY_B]),
        ([], [], []),
    ],
)
def test_alerts_of_one_family_that_stood_at_the_same_time_are_the_same_episode(a, b, sides):
    one, other = (lived(Replayed(tuple(alerts), (), 1, 0)) for alerts in (a, b))
    assert [each.side for each in compare(one, other)] == sides


def test_another_rule_set_on_the_same_history_changes_what_is_raised():
    history = [came(reading("09:00", spo2=93, breathlessness=0)), came(reading("13:00", spo2=91, breathlessness=0))]
    default, milder = (tried(*history, rules=rules) for rules in (DEFAULT, MILDER))
    assert max(each.severity for each in default.raised) == Severity.CRITICAL
    assert max(each.severity for each in milder.raised) < Severity.CRITICAL
