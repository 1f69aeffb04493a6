"""How long a ward gives its people: by numbers of its own, and what new ones do to alerts that stand."""

import json
from datetime import datetime
from typing import Any

import pytest

from alerts.carrying import carry
from alerts.change import Kind
from alerts.episode import Episode, Escalation, State
from alerts.escalation import Ward, limit_at, pass_limits
from alerts.fold import RuleSetEvent, Verb, fold
from alerts.judge import advance, lose_app
from alerts.limits import DAILY, USUAL_LIMITS, USUAL_RESPONSES, HumanLimits
from alerts.policy import DEFAULT as DEFAULT_POLICY
from alerts.record import Record
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Family, Severity
from alerts.watch import begin_watch, dump_watch, load_watch
from tests.alerts.stay import Stay, clock, reading, told

OXYGEN = Family.OXYGEN
OWN: dict[str, int] = {
    "critical_acknowledge_minutes": 6, "critical_contact_minutes": 14, "critical_expiry_minutes": 16,
    "high_acknowledge_minutes": 11, "high_contact_minutes": 22, "high_expiry_minutes": 24,
    "medium_acknowledge_minutes": 33, "medium_contact_minutes": 66, "medium_expiry_minutes": 77,
    "low_acknowledge_hours": 9, "low_expiry_hours": 10,
    "technical_acknowledge_minutes": 20, "technical_expiry_minutes": 70,
}  # fmt: skip


def ward(**numbers: Any) -> RuleSet:
    return RuleSet(version="ward-7.2", **numbers)


def raised(severity: str, rules: RuleSet = DEFAULT) -> Stay:
    """A stay with one alert, from 10:00."""
    stay = Stay(admitted="09:30", rules=rules)
    if severity == "technical":
        stay.record = lose_app(stay.record, clock("10:00")).record
        return stay
    values: dict[str, dict[str, Any]] = {
        "critical": {"spo2": 91}, "high": {"spo2": 93, "breathlessness": 4}, "medium": {"spo2": 94},
        "low": {"spo2": 97, "feeling": "worse"},
    }  # fmt: skip
    stay.reads("10:00", **values[severity])
    return stay


def the_alert(stay: Stay) -> Episode:
    (episode,) = stay.record.episodes.values()
    return episode


def minutes(at: datetime | None, since: str = "10:00") -> float | None:
    return None if at is None else (at - clock(since)).total_seconds() / 60


@pytest.mark.parametrize(
    ("severity", "times"),
    [
        ("critical", (6, 14, 16)), ("high", (11, 22, 24)), ("medium", (33, 66, 77)),
        ("low", (9 * 60, None, 10 * 60 - 5)), ("technical", (20, None, 70)),
    ],
)  # fmt: skip
def test_an_alert_is_due_when_the_wards_own_numbers_say(severity: str, times: tuple[float, ...]) -> None:
    stay = raised(severity, ward(**OWN))
    alert = the_alert(stay)
    assert (minutes(alert.respond_by), minutes(alert.contact_due_at)) == times[:2]
    stay.acts("10:05", Verb.ACKNOWLEDGE, alert.family)
    assert minutes(the_alert(stay).ack_expires_at, "10:05") == times[2]


def test_a_ward_that_says_nothing_has_the_usual_limits() -> None:
    assert (DEFAULT.responses, ward().responses) == (USUAL_RESPONSES, USUAL_RESPONSES)
    assert ward().responses is USUAL_RESPONSES
    assert Record().human_limits == USUAL_LIMITS


def test_a_ward_may_give_more_time_for_what_is_medium() -> None:
    rules = ward(medium_acknowledge_minutes=240, medium_contact_minutes=480, medium_expiry_minutes=480)
    alert = the_alert(raised("medium", rules))
    assert (alert.respond_by, alert.contact_due_at) == (clock("14:00"), clock("18:00"))


def test_the_last_step_repeats_as_often_as_the_ward_says() -> None:
    limits = HumanLimits(ward(**OWN).responses, DAILY)
    there = Ward(limits, DEFAULT_POLICY, lambda _at: True)
    episode, steps = the_alert(raised("critical", ward(**OWN))), list[str]()
    for minute in range(60):
        episode, passed = pass_limits(episode, clock(f"10:{minute:02}"), there)
        steps += [told(each.at) for each in passed]
    assert steps == ["10:06", "10:21", "10:36", "10:42", "10:48", "10:54"]


def test_repeats_go_on_from_the_last_one_when_the_ward_gives_more_time() -> None:
    def there(rules: RuleSet) -> Ward:
        return Ward(HumanLimits(rules.responses), DEFAULT_POLICY, lambda _at: True)

    episode, _ = pass_limits(the_alert(raised("medium")), clock("16:30"), there(DEFAULT))
    assert limit_at(episode) == clock("18:30")
    more = ward(medium_acknowledge_minutes=240, medium_contact_minutes=480, medium_expiry_minutes=480)
    episode, passed = pass_limits(episode, clock("18:30"), there(more))
    assert [told(each.at) for each in passed] == ["18:30"]
    assert limit_at(episode) == clock("1 10:30")


def test_less_time_makes_an_alert_that_nobody_has_taken_due_sooner_and_is_told() -> None:
    stay = raised("critical")
    (change,) = stay.is_ruled_by("10:04", ward(critical_acknowledge_minutes=5, critical_contact_minutes=20))
    assert (change.kind, change.transition, change.reason) == (Kind.UPDATED, "T45", "the ward gives people less time")
    assert (change.at, change.family, change.reading_id) == (clock("10:04"), OXYGEN, None)
    assert change.before is not None
    assert change.before.respond_by == clock("10:15")
    alert = stay.alert()
    assert (alert.respond_by, alert.contact_due_at, alert.version) == (clock("10:09"), clock("10:24"), 1)
    assert change.after == alert


@pytest.mark.hazard("H2")
def test_a_limit_that_runs_is_never_put_off() -> None:
    stay = raised("critical")
    changes = stay.is_ruled_by("10:04", ward(critical_acknowledge_minutes=14, critical_contact_minutes=28))
    assert changes == []
    assert (stay.alert().respond_by, stay.alert().contact_due_at) == (clock("10:15"), clock("10:30"))
    medium = raised("medium")
    more = ward(medium_acknowledge_minutes=240, medium_contact_minutes=480, medium_expiry_minutes=480)
    assert medium.is_ruled_by("10:04", more) == []
    assert medium.alert().respond_by == clock("12:00")


def test_only_the_limit_for_contact_may_come_sooner() -> None:
    stay = raised("critical")
    (change,) = stay.is_ruled_by("10:04", ward(critical_contact_minutes=20))
    assert (change.after.respond_by, change.after.contact_due_at) == (clock("10:15"), clock("10:24"))


def test_what_somebody_has_taken_keeps_the_limits_they_were_shown() -> None:
    stay = raised("critical")
    stay.acts("10:02", Verb.ACKNOWLEDGE)
    before = stay.alert()
    assert stay.is_ruled_by("10:04", ward(critical_acknowledge_minutes=5, critical_contact_minutes=10)) == []
    assert stay.alert() == before
    assert (before.state, before.respond_by) == (State.ACKNOWLEDGED, clock("10:30"))


def test_the_stays_other_alerts_are_left_alone() -> None:
    stay = raised("critical")
    stay.reads("10:01", spo2=97, feeling="worse")
    other = stay.alert(Family.SYMPTOMS)
    (change,) = stay.is_ruled_by("10:04", ward(critical_acknowledge_minutes=5))
    assert change.family == OXYGEN
    assert stay.alert(Family.SYMPTOMS) is other


def test_nobody_asks_a_second_time_whether_anybody_is_there() -> None:
    stay, nobody = raised("critical"), Ward(USUAL_LIMITS, DEFAULT_POLICY, lambda _at: False)
    known, passed = pass_limits(stay.alert(), clock("10:00"), nobody)
    assert [each.what.value for each in passed] == ["uncovered"]
    stay.record = stay.record._replace(episodes={OXYGEN: known})
    stay.is_ruled_by("10:04", ward(critical_acknowledge_minutes=5))
    alert = stay.alert()
    assert alert.escalation == Escalation(cover_for=clock("10:09"), uncovered=True)
    assert pass_limits(alert, clock("10:08"), nobody)[1] == ()


def test_whoever_was_not_asked_yet_is_asked_for_the_new_limit() -> None:
    stay = raised("critical")
    stay.is_ruled_by("10:04", ward(critical_acknowledge_minutes=5))
    assert stay.alert().escalation == Escalation()


def test_the_watch_remembers_how_long_people_had() -> None:
    stay = raised("critical")
    rules = ward(critical_acknowledge_minutes=5)
    assert stay.record.watch is not None
    assert stay.record.watch.responses is USUAL_RESPONSES
    stay.is_ruled_by("10:04", rules)
    assert stay.record.watch.responses == rules.responses
    assert stay.waits_until("10:05") == []
    assert stay.alert().respond_by == clock("10:09")


def test_an_alert_that_came_after_is_not_hurried_by_a_look_that_comes_late() -> None:
    # The service opens a case with the ward's live rules, and the watch learns of them at the next look.
    rules = ward(**OWN)
    start = Record(rule_set=rules, watch=begin_watch(clock("09:30")))
    folded = fold(start, [reading("10:00", spo2=91)], until=clock("10:05"))
    assert [change.kind for change in folded.changes] == [Kind.OPENED]
    watch = folded.record.watch
    assert watch is not None
    late = folded.record._replace(watch=watch._replace(responses=USUAL_RESPONSES))
    again = advance(late, clock("10:05"))
    assert (again.changes, again.episodes) == ((), folded.episodes)
    assert again.record.watch == watch


def test_a_look_that_is_due_at_the_same_time_is_not_lost() -> None:
    stood = raised("critical").record
    assert stood.watch is not None
    assert stood.watch.due_at == clock("14:00")
    looked = advance(stood._replace(rule_set=ward(critical_acknowledge_minutes=5)), clock("14:00")).record.watch
    assert looked is not None
    assert looked.due_at == clock("17:00")


def test_what_is_carried_to_another_ward_is_due_by_that_wards_numbers() -> None:
    start = Record(rule_set=ward(**OWN))
    carried = carry(start, [], raised("critical").record.episodes, {}, clock("10:30")).episodes[OXYGEN]
    assert (minutes(carried.respond_by), minutes(carried.contact_due_at)) == (36, 44)


def test_in_the_fold_less_time_counts_from_when_it_went_live() -> None:
    start = Record(watch=begin_watch(clock("09:30")))
    lives = [RuleSetEvent(clock("10:04"), ward(critical_acknowledge_minutes=5))]
    folded = fold(start, [reading("10:00", spo2=91)], rule_sets=lives, until=clock("10:06"))
    assert [(change.transition, told(change.at)) for change in folded.changes] == [("T1", "10:00"), ("T45", "10:04")]
    assert folded.episodes[OXYGEN].respond_by == clock("10:09")
    assert folded.episodes[OXYGEN].severity == Severity.CRITICAL


def test_how_long_people_had_is_kept_with_the_watch() -> None:
    watch = begin_watch(clock("08:00"))
    assert dump_watch(watch)["responses"] is None
    own = watch._replace(responses=ward(**OWN).responses)
    assert load_watch(json.loads(json.dumps(dump_watch(own)))) == own
    before = {name: value for name, value in dump_watch(watch).items() if name != "responses"}
    assert load_watch(before) == watch
