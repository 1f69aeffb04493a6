"""Early warning and the technical rules (R9, R9b, R19-R21, R24), and what every rule must tell."""

from typing import Any

import pytest

from alerts.episode import State
from alerts.evaluate import evaluate
from alerts.judge import judge, lose_app, not_evaluated, refuse
from alerts.plan import Plan
from alerts.record import Record
from alerts.rule import Say, Silent
from alerts.rule_set import DEFAULT, STAND_IN
from alerts.rules import RULES
from alerts.severity import Family, Severity
from tests.alerts.stay import COMPLETE, Stay, clock, reading, told

ILL = {**COMPLETE, "spo2": 96, "respiratory_rate": 24, "pulse_rate": 125}
CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW
OVER, SYMPTOMS, VITALS = Family.OVER_OXYGENATION, Family.SYMPTOMS, Family.VITALS
EARLY, TECHNICAL = Family.EARLY_WARNING, Family.TECHNICAL


@pytest.mark.parametrize(
    ("values", "severity", "title"),
    [
        ({**ILL}, None, None),
        ({**ILL, "temperature": 38.5}, HIGH, "news2"),
        ({**ILL, "systolic_bp": 95, "temperature": 38.5}, CRITICAL, "news2"),
        ({"respiratory_rate": 24, "pulse_rate": 125, "oxygen_flow": 2}, HIGH, "news2_at_least"),
        ({"respiratory_rate": 24, "pulse_rate": 125, "oxygen_flow": 2, "systolic_bp": 110}, CRITICAL,
         "news2_at_least"),
    ],
)  # fmt: skip
def test_early_warning_by_the_score(values: dict[str, Any], severity: Severity, title: str) -> None:
    stay = Stay()
    stay.reads("08:00", **values)
    found = stay.record.episodes.get(EARLY)
    assert (found.severity if found else None, found.title if found else None) == (severity, title)


def test_a_single_three_without_an_alert_of_its_own_is_medium() -> None:
    plan = {
        "profile": "custom",
        "red_at": 88,
        "amber_at": 90,
        "reason": "x",
        "review_on": clock("00:00").date(),
    }
    stay = Stay(**plan)
    stay.reads("08:00", **{**COMPLETE, "spo2": 91})
    assert stay.families == {EARLY}
    assert stay.alert(EARLY).severity == MEDIUM


def test_an_attached_single_three_adds_its_words_and_nothing_else() -> None:
    stay = Stay()
    stay.reads("08:00", **{**COMPLETE, "spo2": 90, "breathlessness": 1})
    alert = stay.alert()
    assert alert.rule_ids == ("R1", "R3", "R9")
    assert "A single parameter scores 3." in alert.explanation.text
    assert {trace.rule_id for trace in alert.traces} == {"R1", "R3"}


def test_early_warning_clears_with_two_complete_scores_half_an_hour_apart() -> None:
    stay = Stay()
    stay.reads("08:00", respiratory_rate=24, pulse_rate=125, oxygen_flow=2)
    stay.reads("08:10", spo2=97, **COMPLETE)
    stay.reads("08:30", spo2=97, pulse_rate=75)
    stay.reads("08:39", spo2=97, **COMPLETE)
    assert stay.alert(EARLY).state == State.OPEN
    stay.reads("08:40", spo2=97, **COMPLETE)
    assert stay.alert(EARLY).state == State.RECOVERED


@pytest.mark.parametrize(("birthday", "applies"), [("1 00:00", False), ("00:00", True), ("-1 00:00", True)])
def test_news2_begins_on_the_sixteenth_birthday(birthday: str, applies: bool) -> None:
    now = reading("08:00", spo2=97, **COMPLETE)
    judgement = judge(Record(sixteen_on=clock(birthday).date()), [now])
    assert judgement.evaluations[0].news2.applicable is applies


@pytest.mark.parametrize("child", [{"plan": {"pregnant": True}}, {"sixteen_on": clock("1 00:00").date()}])
def test_news2_is_not_for_pregnancy_or_under_sixteen_but_spo2_is(child: dict[str, Any]) -> None:
    record = Record(plan=Plan(**child.get("plan", {})), sixteen_on=child.get("sixteen_on"))
    now = reading("08:00", **{**COMPLETE, "spo2": 90, "respiratory_rate": 24, "pulse_rate": 125})
    judgement = judge(record, [now])
    assert not judgement.evaluations[0].news2.applicable
    assert set(judgement.episodes) == {Family.OXYGEN}


def test_a_wrong_clock_clears_with_the_next_right_one() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, time_corrected=True)
    assert stay.alert(TECHNICAL).title == "clock"
    (change,) = stay.reads("08:01", pulse_rate=80)
    assert change.kind == "resolved"


def test_a_reading_that_could_not_be_judged_is_technical_and_a_red_one_critical_too() -> None:
    low = not_evaluated(Record(), reading("08:00", spo2=92.5))
    assert {family: episode.severity for family, episode in low.episodes.items()} == {
        TECHNICAL: HIGH, Family.OXYGEN: CRITICAL,
    }  # fmt: skip
    assert low.episodes[Family.OXYGEN].next_due_at == clock("08:15")
    assert set(not_evaluated(Record(), reading("08:00", spo2=93)).episodes) == {TECHNICAL}
    assert set(not_evaluated(Record(), reading("08:00", pulse_rate=80)).episodes) == {TECHNICAL}


def test_being_judged_again_recovers_the_technical_alert() -> None:
    failed = not_evaluated(Record(), reading("08:00", spo2=97))
    again = judge(failed.record, [reading("08:05", spo2=97)])
    assert again.episodes[TECHNICAL].state == State.RECOVERED


def test_what_a_stand_in_for_unreadable_rules_judges_says_so_until_they_are_back() -> None:
    stood_in = judge(Record(rule_set=STAND_IN), [reading("08:00", spo2=97)])
    alert = stood_in.episodes[TECHNICAL]
    assert (alert.title, alert.severity, alert.rule_ids) == ("not_evaluated", HIGH, ("R21",))
    assert "default rules stand in" in alert.explanation.text
    again = judge(stood_in.record._replace(rule_set=DEFAULT), [reading("08:05", spo2=97)])
    assert again.episodes[TECHNICAL].state == State.RECOVERED


def test_a_refusal_does_not_forget_what_time_brought_about() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92, breathlessness=1)
    refused = refuse(stay.record, clock("08:30"))
    assert [change.kind for change in refused.changes] == ["confirmed"]


def test_an_app_that_lost_its_access_is_told_of_once_until_something_is_judged_again() -> None:
    lost = lose_app(Record(), clock("08:00"))
    alert = lost.episodes[TECHNICAL]
    assert (alert.title, alert.severity, alert.rule_ids) == ("app_lost", MEDIUM, ("R24",))
    assert "paired again" in alert.explanation.text
    assert [change.kind for change in lose_app(lost.record, clock("08:01")).changes] in ([], ["updated"])
    (change,) = judge(lost.record, [reading("08:05", pulse_rate=80)]).changes
    assert change.kind == "resolved"


def test_a_lost_app_does_not_forget_what_time_brought_about() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=92, breathlessness=1)
    lost = lose_app(stay.record, clock("08:30"))
    assert [change.kind for change in lost.changes] == ["confirmed", "opened"]


def test_a_lost_app_does_not_forget_what_the_person_was_to_be_reminded_of() -> None:
    stay = Stay(admitted="08:00", baseline_spo2=97)
    assert [told(one.at) for one in lose_app(stay.record, clock("10:30")).reminders] == ["10:00"]


def test_every_rule_that_said_nothing_gives_its_reason_and_its_margin() -> None:
    now = reading("08:00", **{**COMPLETE, "spo2": 95})
    evaluation = evaluate((now,), Plan(), now.received_at)
    silences = {rule.key: said for rule, said in zip(RULES, evaluation.verdicts, strict=True)}
    assert {type(said) for said in silences.values()} == {Silent}
    assert silences["R1"].say == Say.CLEARS
    assert silences["R7"].reason == "not_in_plan"
    assert silences["R10b"].reason == "value_not_given"
    red = next(rule for rule in RULES if rule.key == "R1")
    assert red.inputs(evaluation.case)[0].value == 95
    assert red.limits(evaluation.case)[0].value == 92


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.key)
def test_every_rule_names_its_source(rule: Any) -> None:
    assert rule.source
    assert rule.name == rule.name.lower()


def test_a_single_three_attached_elsewhere_interrupts_the_clearing_of_early_warning() -> None:
    stay = Stay()
    stay.reads("08:00", **{**ILL, "temperature": 38.5})
    stay.reads("08:10", spo2=97, **COMPLETE)
    stay.reads("08:20", **{**COMPLETE, "spo2": 90, "breathlessness": 1})
    stay.reads("08:45", spo2=97, **COMPLETE)
    assert stay.alert(EARLY).state == State.OPEN
    stay.reads("09:15", spo2=97, **COMPLETE)
    assert stay.alert(EARLY).state == State.RECOVERED


def test_a_score_after_exertion_or_asleep_is_no_early_warning() -> None:
    stay = Stay()
    for at, context in (("08:00", "post_exertion_40_steps"), ("08:10", "sleep")):
        stay.reads(at, context=context, respiratory_rate=24, pulse_rate=125, oxygen_flow=2)
    assert stay.families == set()


def test_a_complete_score_after_exertion_is_no_early_warning_either() -> None:
    stay = Stay()
    effort: dict[str, Any] = {**COMPLETE, "respiratory_rate": 24, "pulse_rate": 125, "oxygen_flow": 2}
    stay.reads("08:00", spo2=97, context="post_exertion_40_steps", **effort)
    assert stay.evaluation is not None
    assert stay.evaluation.news2.total == 6
    assert EARLY not in stay.families


def test_each_refusal_counts_for_the_next_one_whether_it_was_told_of_or_not() -> None:
    record = Record()
    for at, known in (("08:00", ["08:00"]), ("1 07:00", ["08:00", "1 07:00"]), ("1 09:00", ["1 07:00", "1 09:00"])):
        refused = refuse(record, clock(at))
        record = refused.record
        assert record.recent_refusals == tuple(clock(each) for each in known)
        assert [change.kind for change in refused.changes] == {"08:00": [], "1 07:00": ["opened"]}.get(at, ["updated"])


def test_one_refusal_and_an_old_one_are_no_alert() -> None:
    old = Record(recent_refusals=(clock("-1 07:59"),))
    assert refuse(old, clock("08:00")).record.recent_refusals == (clock("08:00"),)


@pytest.mark.parametrize(("spo2", "used"), [(50, True), (49.5, False)])
def test_fifty_is_the_lowest_value_that_is_used(spo2: float, used: bool) -> None:
    stay = Stay()
    stay.reads("08:00", spo2=spo2)
    assert stay.families == ({Family.OXYGEN} if used else {TECHNICAL})
    assert stay.evaluation is not None
    assert ("spo2" in stay.evaluation.news2.scores) is used
