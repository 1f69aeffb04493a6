"""A reading was entered in error: what the stay's alerts would be without it, and what that changes now.

Nothing is closed by it: an alert whose evidence is gone is recovered and stays for a person to close. Where the wrong
reading had hidden that nothing valid came, that is told now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.change import Change, Kind
from alerts.conclude import Cause, conclude
from alerts.decide import Decisions, keep
from alerts.episode import Episode, Explanation, Trace
from alerts.fold import PauseEvent, PlanEvent, RuleSetEvent, fold
from alerts.judge import advance, change_plan, change_rule_set, judge
from alerts.limits import HumanLimits
from alerts.missed import last_valid_at
from alerts.passing import pause, resume
from alerts.raising import announced
from alerts.reading import Reading
from alerts.record import Record
from alerts.severity import Family
from alerts.transitions import Trigger, step
from alerts.watch import Watch

REASON = "a reading was entered in error"
_WORDS = "A reading behind this was entered in error."
_NOT_BY_READING = ("R14", "R15", "R17", "R20", "R21", "R22", "R23", "R24")
"""Rules that fire for an absence, a refusal or a fault of the service: no reading is their evidence, so a correction
leaves them as they are."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A person closed the alert of a family, and it was not opened again."""

    at: datetime
    family: Family


def refold(
    start: Record,
    readings: Sequence[Reading],
    plans: Sequence[PlanEvent],
    rule_sets: Sequence[RuleSetEvent],
    closings: Sequence[Closing],
    until: datetime,
    pauses: Sequence[PauseEvent] = (),
) -> Record:
    """What is known in the end if these readings alone had come, in order of receipt: the unresolved episodes they
    lead to, and where the watch over the stay would be. What a person closed stays closed. `start` holds what was known
    before the first of them."""
    record, left = start, sorted(readings, key=lambda reading: reading.received_at)
    acts: list[_Act] = sorted((*plans, *rule_sets, *pauses, *closings), key=lambda act: act.at)
    for act in acts:
        # At one instant people who close come last; plan, rule set and pause come before the readings.
        before = [r for r in left if r.received_at < act.at or (r.received_at == act.at and isinstance(act, Closing))]
        left = left[len(before) :]
        record = _after(judge(record, before).record, act)
    return advance(judge(record, left).record, until).record


_Act = PlanEvent | RuleSetEvent | PauseEvent | Closing


def _after(record: Record, act: _Act) -> Record:
    match act:
        case PlanEvent():
            return change_plan(record, act.plan, act.at).record
        case RuleSetEvent():
            return change_rule_set(record, act.rule_set, act.at).record
        case PauseEvent():
            judged = resume(record, act.at) if act.until is None else pause(record, act.until, act.at)
            return judged.record
        case _:
            record = advance(record, act.at).record
            return record._replace(episodes={f: e for f, e in record.episodes.items() if f != act.family})


def watched(start: Record, plans: Sequence[PlanEvent], pauses: Sequence[PauseEvent], since: datetime) -> Record:
    """`start` with the plan and the watch that the stay had at the instant `since`; from then on the watch looks again.

    `start` holds what was known at `since`, except that its plan is the stay's first and its watch is as it was at
    admission. What the watch raised before `since` is not wanted here, only the instants from which its clocks
    count."""
    begun = start._replace(window=(), newest_observed_at=None, newest_resting_at=None)
    earlier = [each for each in plans if each.at < since], [each for each in pauses if each.at < since]
    lived = fold(begun, plans=earlier[0], pauses=earlier[1], until=since).record
    watch = lived.watch
    if watch is not None:
        watch = watch._replace(due_at=max(since, watch.admitted_at))
    return start._replace(plan=lived.plan, watch=watch)


def set_back(watch: Watch, without: Record) -> Watch:
    """The watch over a stay as it goes on `without` the reading: the silence counts from the valid readings that are
    left, and it looks again as soon as either of the two watches would."""
    folded = without.watch
    if folded is None:
        return watch
    due_at = min((at for at in (watch.due_at, folded.due_at) if at is not None), default=None)
    return watch._replace(silent_from=last_valid_at(without, folded), due_at=due_at)


def correct(
    episodes: Mapping[Family, Episode],
    without: Mapping[Family, Episode],
    at: datetime,
    reading_id: str,
    limits: HumanLimits,
) -> Decisions:
    """Bring the unresolved episodes to what they would be `without` the reading. What people did, and what no reading
    is the evidence of, stays as it is; readings that were missed without it are told of."""
    after, changes = dict(episodes), list[Change]()
    for family in dict.fromkeys((*episodes, *without)):
        before, folded = episodes.get(family), without.get(family)
        episode: Episode | None
        if family == Family.PLAN:
            continue
        if before is not None and family == Family.MISSED_READING:
            episode, change = _missed(before, folded, at, reading_id, limits)
        elif before is not None:
            episode, change = _recast(before, folded, at, reading_id, limits)
        else:
            episode, change = _uncovered(folded, at, reading_id, limits)
        keep(after, family, episode)
        if change is not None:
            changes.append(change)
    return Decisions(tuple(changes), after)


def _uncovered(
    folded: Episode | None, at: datetime, reading_id: str, limits: HumanLimits
) -> tuple[Episode | None, Change | None]:
    """What the error had cleared stands again, as a new alert."""
    if folded is None or not any(trace.active for trace in folded.traces):
        return None, None
    episode, change = announced(folded._replace(opened_at=at), at, limits, reading_id)
    return episode, change._replace(reason=REASON)


def _recast(
    before: Episode, folded: Episode | None, at: datetime, reading_id: str, limits: HumanLimits
) -> tuple[Episode, Change | None]:
    own = tuple(trace for trace in before.traces if trace.rule_id in _NOT_BY_READING)
    theirs = () if folded is None else tuple(t for t in folded.traces if t.rule_id not in _NOT_BY_READING)
    traces = (*theirs, *own)
    if set(traces) == set(before.traces):
        return before, None
    if not any(trace.active for trace in traces):
        return _without_evidence(before, traces, at, reading_id)
    draft = _redrafted(before, folded, traces)
    again = before.recovered_at is not None
    cause = Cause(Trigger.BREACH if again else None, (REASON,), at, reading_id)
    return conclude(before, draft, cause, limits)


def _missed(
    before: Episode, folded: Episode | None, at: datetime, reading_id: str, limits: HumanLimits
) -> tuple[Episode, Change | None]:
    """R14: an alert about missed readings is never taken back. It opens again if the wrong reading had ended it, and
    becomes more severe if it would have been so without the reading."""
    if folded is None or not any(trace.active for trace in folded.traces):
        return before, None
    ended = before.recovered_at is not None
    if not ended and folded.severity <= before.severity:
        return before, None
    draft = _redrafted(before, folded, folded.traces)
    return conclude(before, draft, Cause(Trigger.BREACH if ended else None, (REASON,), at, reading_id), limits)


def _redrafted(before: Episode, folded: Episode | None, traces: tuple[Trace, ...]) -> Episode:
    """The machine's part as it would be; `first_breach_at`, `opened_at`, the peak and people's part stay."""
    severity = max(trace.severity for trace in traces)
    if folded is None:
        return before._replace(traces=traces, waits=(), severity=severity, explanation=_told(before))
    return before._replace(
        traces=traces,
        waits=folded.waits,
        severity=severity,
        rule_ids=tuple(dict.fromkeys((*folded.rule_ids, *(trace.rule_id for trace in traces)))),
        explanation=folded.explanation,
        last_breach_at=folded.last_breach_at,
        reading_count=folded.reading_count,
        retrospective=folded.retrospective,
        transient=folded.transient,
    )


def _without_evidence(
    before: Episode, traces: tuple[Trace, ...], at: datetime, reading_id: str
) -> tuple[Episode, Change | None]:
    """Recovered, whatever its peak, and never resolved: a person closes it."""
    quiet = traces or tuple(trace._replace(active=False) for trace in before.traces)
    after = before._replace(traces=quiet, waits=(), explanation=_told(before))
    if before.recovered_at is not None:
        return after, None
    state, transition = step(before.state, Trigger.CLEAR_SEVERE)
    after = after._replace(state=state, recovered_at=at, version=before.version + 1)
    return after, Change(Kind.RECOVERED, transition, REASON, before.family, at, before, after, reading_id)


def _told(before: Episode) -> Explanation:
    text = before.explanation.text
    return before.explanation if _WORDS in text else before.explanation._replace(text=f"{text} {_WORDS}")
