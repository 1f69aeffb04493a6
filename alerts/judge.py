"""The one entry of the engine: readings in, evaluations and changes of alerts out."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from alerts.change import Change, Reminder
from alerts.decide import Decisions, decide, replan
from alerts.evaluate import Evaluation, evaluate
from alerts.passing import pass_time, pause, put_finding, replanned, resume, without_prescription
from alerts.placement import Newest, placed
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Judgement, Record
from alerts.rule import Finding, Input, Limit, Rule
from alerts.rule_set import RuleSet
from alerts.rules.oxygen import RED, wait_after_red
from alerts.rules.technical import APP_LOST, REFUSED
from alerts.rules.technical import NOT_EVALUATED as NOT_EVALUATED_RULE
from alerts.severity import Severity

WINDOW = timedelta(hours=48)
WINDOW_READINGS = 200
"""How far back a reading is judged, whatever more is known (design decision, needs CSO sign-off)."""

REFUSALS_WITHIN = timedelta(hours=24)
REFUSALS = 2
"""Refused readings that together are a technical alert (design decision, needs CSO sign-off)."""


_observed = attrgetter("observed_at")
_order = attrgetter("observed_at", "id")
_receipt = attrgetter("received_at", "observed_at", "id")


def judge(record: Record, arrivals: Sequence[Reading]) -> Judgement:
    """Judge what arrived, by time of receipt and then of observation. Readings received at one instant
    count as received together; what time alone brought about before them is applied first."""
    known = sorted(record.window, key=_order)
    evaluations: list[Evaluation] = []
    changes: list[Change] = []
    reminders: list[Reminder] = []
    order = sorted(range(len(arrivals)), key=lambda index: _receipt(arrivals[index]))
    for received_at, batch in groupby(order, key=lambda index: arrivals[index].received_at):
        advanced = advance(record, received_at)
        judged = _judge_together(advanced.record, [arrivals[index] for index in batch], known)
        evaluations += judged.evaluations
        changes += (*advanced.changes, *judged.changes)
        reminders += advanced.reminders
        record = judged.record
    by_index = dict(zip(order, evaluations, strict=True))
    in_order = tuple([by_index[index] for index in range(len(arrivals))])
    return Judgement(in_order, tuple(changes), record, tuple(reminders))


def advance(record: Record, now: datetime) -> Judgement:
    """Apply what time alone brings about up to and including `now`: see `passing`."""
    return pass_time(record, now)


def refuse(record: Record, refused_at: datetime) -> Judgement:
    """A reading was refused: the second within 24 h is a technical alert (R20), for something is sending
    and nothing arrives."""
    recent = [at for at in record.recent_refusals if refused_at - at <= REFUSALS_WITHIN]
    advanced = advance(record, refused_at)
    record = advanced.record._replace(recent_refusals=(*recent, refused_at))
    if len(record.recent_refusals) < REFUSALS:
        return Judgement((), advanced.changes, record)
    return _told(advanced._replace(record=record), REFUSED, refused_at)


def lose_app(record: Record, at: datetime) -> Judgement:
    """The access of a paired app has ended, and not by the team: a technical alert (R24), for nothing comes from it
    until it is paired again."""
    return _told(advance(record, at), APP_LOST, at)


def not_evaluated(record: Record, reading: Reading) -> Judgement:
    """The engine failed on this reading, or its plan cannot be read: a technical alert (R21), and a red
    value is critical all the same. It touches nothing of the evaluation that failed."""
    rule, version = NOT_EVALUATED_RULE, record.rule_set.version
    finding = Finding(rule, rule.family, Severity.HIGH, reading.id, (), (), rule_set_version=version)
    judgement = put_finding(record, finding, reading.observed_at, reading.received_at)
    red_at = record.rule_set.limits(record.plan).red_at
    if reading.spo2 is None or reading.spo2 > red_at + 0.5:
        return judgement
    value = Input("spo2", reading.spo2, "%", reading.id, reading.observed_at)
    waits = (wait_after_red(reading.received_at, record.rule_set),)
    limits = (Limit("red_at", red_at, "%"),)
    red = Finding(RED, RED.family, Severity.CRITICAL, reading.id, (value,), limits, waits, rule_set_version=version)
    also = put_finding(judgement.record, red, reading.observed_at, reading.received_at)
    return Judgement((), (*judgement.changes, *also.changes), also.record)


def change_plan(record: Record, plan: Plan, at: datetime) -> Judgement:
    """A new plan comes into force. It never lowers an open alert, and clears only R18, which was about the prescription
    it replaces. A plan that differs in the usual SpO2 alone clears nothing."""
    advanced = advance(record, at)
    record = advanced.record
    if plan.differs_in(record.plan) <= {"baseline_spo2", "reason", "version"}:
        decisions = Decisions((), record.episodes)
    else:
        decisions = replan(record.episodes, at, record.human_limits)
    judged = advanced._replace(changes=(*advanced.changes, *decisions.changes))
    judged = replanned(judged._replace(record=record._replace(episodes=decisions.episodes)), plan, at)
    return judged._replace(record=judged.record._replace(plan=plan))


def catch_up(record: Record, plan: Plan, paused_until: datetime | None, at: datetime) -> Judgement:
    """What people did to the stay since the watch last looked: another plan came into force, a pause began or ended.
    `record` holds the plan that the watch knew; a pause that is over counts as none."""
    watch = record.watch
    if paused_until is not None and paused_until <= at:
        paused_until = None
    changes, reminders = tuple[Change, ...](), tuple[Reminder, ...]()
    if watch is not None and watch.plan_version != plan.version:
        planned = change_plan(record, plan, at)
        record, changes, reminders = planned.record, planned.changes, planned.reminders
    if watch is None or watch.paused_until == paused_until:
        return Judgement((), changes, record, reminders)
    paused = resume(record, at) if paused_until is None else pause(record, paused_until, at)
    return paused._replace(changes=(*changes, *paused.changes), reminders=(*reminders, *paused.reminders))


def change_rule_set(record: Record, rule_set: RuleSet, at: datetime) -> Judgement:
    """Another rule set goes live on the ward. What stands, and what it waits for, stays as it is; readings that are
    missing are missed by the new numbers, and where people have less time, what nobody has taken is due sooner."""
    advanced = advance(record, at)
    live = advance(advanced.record._replace(rule_set=rule_set), at)
    return live._replace(changes=(*advanced.changes, *live.changes), reminders=(*advanced.reminders, *live.reminders))


def _told(advanced: Judgement, rule: Rule, at: datetime) -> Judgement:
    """A finding of the service itself, after what time alone brought about."""
    version = advanced.record.rule_set.version
    finding = Finding(rule, rule.family, Severity.MEDIUM, None, (), (), rule_set_version=version)
    raised = put_finding(advanced.record, finding, at, at)
    return raised._replace(changes=(*advanced.changes, *raised.changes), reminders=advanced.reminders)


def _judge_together(record: Record, batch: Sequence[Reading], known: list[Reading]) -> Judgement:
    """Readings of one receipt, in order of observation; each becomes known as it is judged."""
    before = Newest(record.newest_observed_at, record.newest_resting_at).including(known)
    newest = before.including(batch)
    evaluations: list[Evaluation] = []
    changes: list[Change] = []
    episodes = record.episodes
    for reading in batch:
        place = bisect_right(known, _order(reading), key=_order)
        known.insert(place, reading)
        evaluation = evaluate(
            _window(known, place),
            record.plan,
            reading.received_at,
            placement=placed(reading, newest),
            in_order=before.reached_by(reading),
            sixteen_on=record.sixteen_on,
            rule_set=record.rule_set,
            zone=record.service_hours.zone,
            rest_is_newest=newest.rest_reached_by(reading),
            later=tuple(known[place + 1 :]),
        )
        decisions = decide(episodes, evaluation, record.human_limits)
        episodes = decisions.episodes
        evaluations.append(evaluation)
        changes += decisions.changes
    # The window too: what time brings about next must know the readings that came before.
    record = record._replace(
        window=tuple(known),
        episodes=episodes,
        newest_observed_at=newest.any_at,
        newest_resting_at=newest.resting_at,
    )
    lacking = without_prescription(record, batch, batch[0].received_at)
    return Judgement(tuple(evaluations), (*changes, *lacking.changes), lacking.record)


def _window(known: list[Reading], place: int) -> tuple[Reading, ...]:
    """The reading at that place, and those before it that count."""
    start = bisect_left(known, known[place].observed_at - WINDOW, key=_observed, hi=place)
    return tuple(known[max(start, place + 1 - WINDOW_READINGS) : place + 1])
