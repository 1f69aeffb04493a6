"""Every clinical scenario on the pure engine, without a clock, a database or a network."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from alerts.advice import advise
from alerts.episode import Episode
from alerts.fold import HumanEvent, Verb, act
from alerts.judge import advance, change_plan, judge, refuse
from alerts.passing import pause
from alerts.plan import Plan
from alerts.reading import FUTURE_TOLERANCE, LIMITS, Reading, quality_of
from alerts.record import Judgement, Record
from alerts.severity import Family
from alerts.watch import begin_watch
from tests.spec.scenario import Scenario, Step
from tests.spec.scenarios import REFUSED, SCENARIOS

START = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
NOT_OBSERVED = {"at", "received", "then", "perfusion_index", "signal_quality"}


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


def reading_of(step: Step, number: int) -> Reading:
    """As the service makes it: a time too far ahead is the time of receipt."""
    received_at = minutes(step.get("received", step["at"]))
    observed_at = minutes(step["at"])
    ahead = observed_at > received_at + FUTURE_TOLERANCE
    values = {name: value for name, value in step.items() if name not in NOT_OBSERVED}
    if "symptoms" in values:
        values["symptoms"] = tuple(values["symptoms"])
    return Reading(
        id=f"reading-{number}",
        observed_at=received_at if ahead else observed_at,
        received_at=received_at,
        quality=quality_of(step.get("perfusion_index"), step.get("signal_quality")),
        time_corrected=ahead,
        **values,
    )


def plan_of(fields: dict[str, Any]) -> Plan:
    """`red_at` below 88 counts as approved by a second clinician."""
    given = dict(fields)
    if "review_on" in given:
        given["review_on"] = date.fromisoformat(given["review_on"])
    return Plan(**given)


def play(scenario: Scenario) -> tuple[Judgement, Record]:
    record = Record(plan=plan_of(scenario.plan), watch=begin_watch(START))
    last = Judgement((), (), record)
    for number, step in enumerate(scenario.steps):
        judged = play_step(record, step, number)
        record = judged.record
        last = judged if judged.evaluations else last
    if scenario.wait_until is not None:
        record = advance(record, minutes(scenario.wait_until)).record
    return last, record


def play_step(record: Record, step: Step, number: int) -> Judgement:
    if "then" not in step:
        return judge(record, [reading_of(step, number)])
    ((verb, subject),) = step["then"].items()
    if verb == "plan":
        return change_plan(record, plan_of(subject), minutes(step["at"]))
    if verb == "pause":
        return pause(record, minutes(step["at"] + subject), minutes(step["at"]))
    return act(record, HumanEvent(minutes(step["at"]), Family(subject), Verb(verb)), {})


def shown(episode: Episode, wanted: dict[str, Any]) -> dict[str, Any]:
    """The fields of an alert a scenario speaks of, as the interface shows them."""
    fields: dict[str, Any] = {
        "family": str(episode.family),
        "severity": episode.severity.word,
        "peak_severity": episode.peak_severity.word,
        "state": str(episode.state),
        "rule_ids": list(episode.rule_ids),
        "recovered": episode.recovered_at is not None,
        "respond_within": None if episode.respond_by is None else minutes_since(episode),
    }
    return {name: fields[name] if name in fields else getattr(episode, name) for name in wanted}


def minutes_since(episode: Episode) -> float:
    assert episode.respond_by is not None
    return (episode.respond_by - episode.last_breach_at) / timedelta(minutes=1)


def answered(judgement: Judgement, wanted: dict[str, Any]) -> dict[str, Any]:
    evaluation, record = judgement.evaluations[-1], judgement.record
    advice = advise(evaluation, record.episodes.values(), record.plan, watched_now=True)
    recheck = evaluation.recheck_by
    news2 = evaluation.news2
    known = {
        "advice_code": str(advice.code),
        "ask": list(evaluation.ask),
        "severity": None if evaluation.severity is None else evaluation.severity.word,
        "judged_spo2": evaluation.judged_spo2,
        "late": evaluation.late,
        "time_corrected": evaluation.reading.time_corrected,
        "recheck_within": None if recheck is None else (recheck - evaluation.case.now) / timedelta(minutes=1),
        "news2_total": news2.total,
        "news2_minimum": news2.minimum_total,
        "news2_risk": news2.risk,
        "news2_scores": dict(news2.scores),
    }
    return {name: known[name] for name in wanted}


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if not s.refused], ids=lambda s: s.name)
def test_scenario(scenario: Scenario) -> None:
    judgement, record = play(scenario)
    queue = sorted(record.episodes.values(), key=lambda episode: episode.family)
    queue = [episode for episode in queue if scenario.speaks_of(str(episode.family))]
    expected = sorted(scenario.expect, key=lambda alert: alert["family"])
    assert [str(episode.family) for episode in queue] == [alert["family"] for alert in expected]
    for episode, alert in zip(queue, expected, strict=True):
        assert shown(episode, alert) == alert
    assert not scenario.answers or answered(judgement, scenario.answers) == scenario.answers


@pytest.mark.parametrize("scenario", REFUSED, ids=lambda s: s.name)
def test_what_cannot_be_a_value_is_outside_the_limits(scenario: Scenario) -> None:
    value = scenario.steps[0]["spo2"]
    low, high = LIMITS["spo2"]
    accepted = isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high
    assert not accepted


@pytest.mark.hazard("H8")
def test_a_second_refusal_within_a_day_is_a_technical_alert() -> None:
    once = refuse(Record(), minutes(0))
    assert not once.episodes
    assert not refuse(once.record, minutes(24 * 60 + 1)).episodes
    twice = refuse(once.record, minutes(24 * 60))
    assert twice.episodes[Family.TECHNICAL].title == "refused"
    accepted = judge(twice.record, [reading_of({"at": 1500, "spo2": 97}, 1)])
    assert not accepted.episodes


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.steps and not s.refused], ids=lambda s: s.name)
def test_everything_sent_at_once_never_raises_two_alerts_of_a_family(scenario: Scenario) -> None:
    readings = [reading_of(step, n) for n, step in enumerate(scenario.steps) if "then" not in step]
    last = max(reading.received_at for reading in readings)
    together = [reading._replace(received_at=last) for reading in readings]
    judgement = judge(Record(plan=plan_of(scenario.plan)), together)
    opened = [change.family for change in judgement.changes if change.kind == "opened"]
    closed = [change.family for change in judgement.changes if not change.after.unresolved]
    assert all(opened.count(family) - closed.count(family) <= 1 for family in opened)


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if not (s.refused or s.waits)], ids=lambda s: s.name)
def test_scenarios_without_waiting_are_the_same_sent_as_fast_as_the_wire_allows(scenario: Scenario) -> None:
    """What a run over HTTP does: the times of observation of the table, all received within seconds."""
    sent_from = max(step.get("received", step["at"]) for step in scenario.steps)
    record = Record(plan=plan_of(scenario.plan))
    for number, step in enumerate(scenario.steps):
        received = sent_from + number / 60
        at = received + step["at"] - step["received"] if "received" in step else step["at"]
        sent = {**step, "at": received} if "then" in step else {**step, "at": at, "received": received}
        record = play_step(record, sent, number).record
    queue = sorted(record.episodes.values(), key=lambda episode: episode.family)
    expected = sorted(scenario.expect, key=lambda alert: alert["family"])
    assert [shown(episode, alert) for episode, alert in zip(queue, expected, strict=True)] == expected
