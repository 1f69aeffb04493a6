"""What an evaluation changes in the alerts of a stay: one decision per family, with its reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from alerts.case import Case, Placement
from alerts.change import Change
from alerts.conclude import Cause, conclude, explained, rule_ids, settle
from alerts.episode import Episode, State, Trace, leading
from alerts.evaluate import Evaluation
from alerts.limits import HumanLimits
from alerts.raising import CRITICAL_AGAIN, announced, critical_again, open_episode
from alerts.rule import MEASURED_LOW, Finding, Wait
from alerts.severity import Family
from alerts.traces import begin, breach, quiet, silence_of, still_waiting
from alerts.transitions import Trigger

_REPLACES = {"R3": "R4", "R9": "R9b"}
"""The first rule of a pair only says more exactly what the second said before: following it, it is no news."""

ENDS_WITH_PLAN = "R18"
"""More oxygen than prescribed is a matter of the prescription; a new one settles it."""


class Decisions(NamedTuple):
    """The changes, and the unresolved episodes as they stand afterwards."""

    changes: tuple[Change, ...]
    episodes: Mapping[Family, Episode]


def decide(episodes: Mapping[Family, Episode], evaluation: Evaluation, limits: HumanLimits) -> Decisions:
    """Apply one judged reading to the unresolved episodes of its stay. At most one change per family: the
    strongest names it, and its reason tells them all."""
    if not episodes and not evaluation.findings:
        return Decisions((), episodes)
    by_family: dict[Family, list[Finding]] = {family: [] for family in episodes}
    for finding in evaluation.findings:
        by_family.setdefault(finding.family, []).append(finding)
    after, changes = dict(episodes), []
    for family, findings in by_family.items():
        before = episodes.get(family)
        if before is None:
            episode, change = _first(findings, evaluation, limits)
        else:
            episode, change = _next(before, findings, evaluation, limits)
        keep(after, family, episode)
        if change is not None:
            changes.append(change)
    return Decisions(tuple(changes), after)


def replan(episodes: Mapping[Family, Episode], at: datetime, limits: HumanLimits) -> Decisions:
    """The plan changed: what fired against the old prescription is cleared, nothing else."""
    before = episodes.get(Family.OXYGEN)
    trace = None if before is None else before.trace(ENDS_WITH_PLAN)
    if before is None or trace is None or not trace.active:
        return Decisions((), episodes)
    episode, change = settle(before, ENDS_WITH_PLAN, "the plan changed", at, limits)
    after = dict(episodes)
    keep(after, Family.OXYGEN, episode)
    return Decisions(() if change is None else (change,), after)


def keep(episodes: dict[Family, Episode], family: Family, episode: Episode | None) -> None:
    """Put the episode in its place among the unresolved, or take it out."""
    if episode is not None and episode.unresolved:
        episodes[family] = episode
    else:
        episodes.pop(family, None)


def _first(
    findings: Sequence[Finding], evaluation: Evaluation, limits: HumanLimits
) -> tuple[Episode | None, Change | None]:
    """Nothing of this family is unresolved. An old value with a new answer raises nothing again."""
    fresh = [finding for finding in findings if not finding.carried]
    case = evaluation.case
    observed_at = case.reading.observed_at
    traces = tuple(begin(f, observed_at, good=case.valid, again=case.low_again) for f in fresh if not f.attached)
    if not traces:
        return None, None
    waits = _waits((), fresh, traces, None)
    episode = open_episode(fresh, traces, waits, observed_at, case.now, retrospective=_overtaken(fresh))
    return announced(episode, case.now, limits, case.reading.id)


def _next(
    before: Episode, findings: Sequence[Finding], evaluation: Evaluation, limits: HumanLimits
) -> tuple[Episode, Change | None]:
    findings = [finding for finding in findings if not finding.carried or _stands(before)]
    case = evaluation.case
    traces = _traces(before, findings, evaluation)
    waits = _waits(before.waits, findings, traces, case)
    if not findings and traces == before.traces:
        return (before if waits == before.waits else before._replace(waits=waits)), None
    more: dict[str, Any] = {}
    if findings:
        more["rule_ids"] = rule_ids(before.rule_ids, findings)
        more["explanation"] = explained(before.explanation, leading(traces), findings)
    if any(not finding.carried for finding in findings):
        more["last_breach_at"] = max(before.last_breach_at, case.reading.observed_at)
        more["reading_count"] = before.reading_count + 1
        more["retrospective"] = before.retrospective and _overtaken(findings)
    draft = before._replace(traces=traces, waits=waits, **more)
    return conclude(before, draft, _cause(before, draft, findings, case), limits)


def _overtaken(findings: Sequence[Finding]) -> bool:
    """Newer readings were already known, of everything that was found."""
    return all(finding.placement == Placement.RETROSPECTIVE for finding in findings)


def _stands_now(finding: Finding, case: Case) -> bool:
    """Is it news, or did something newer overtake it that had been judged already?"""
    return case.in_order or finding.placement == Placement.LIVE


def _stands(before: Episode) -> bool:
    """Is the low value that a late answer belongs to still an alert?"""
    return any(trace.active for trace in before.traces if trace.rule_id in MEASURED_LOW)


def _traces(before: Episode, findings: Sequence[Finding], evaluation: Evaluation) -> tuple[Trace, ...]:
    case = evaluation.case
    fired = {finding.rule.key: finding for finding in findings if not finding.attached}
    traces = []
    for trace in before.traces:
        finding = fired.pop(trace.key, None)
        if finding is not None:
            traces.append(breach(trace, finding, case))
            continue
        silent = silence_of(trace, evaluation.verdicts) if trace.active else None
        traces.append(trace if silent is None else quiet(trace, silent, case))
    for finding in fired.values():
        active = before.recovered_at is None or _stands_now(finding, case)
        observed_at = case.reading.observed_at
        traces.append(begin(finding, observed_at, good=case.counts, again=case.low_again, active=active))
    return tuple(traces)


def _waits(
    before: tuple[Wait, ...], findings: Sequence[Finding], traces: tuple[Trace, ...], case: Case | None
) -> tuple[Wait, ...]:
    """What is still waited for, and what these findings begin to wait for; of two limits for the same the earlier one
    counts."""
    waits = {(wait.key, wait.awaits): wait for wait in before if still_waiting(wait, traces, case)}
    for finding in findings:
        for wait in () if finding.carried else finding.waits:
            known = waits.get((wait.key, wait.awaits))
            if (known is None or wait.due_at < known.due_at) and still_waiting(wait, traces, None):
                waits[wait.key, wait.awaits] = wait
    return tuple(waits.values())


def _cause(before: Episode, draft: Episode, findings: Sequence[Finding], case: Case) -> Cause:
    reasons = [
        *_new_rules(before, findings),
        *_confirmations(before, draft),
        *_critical_again(before, findings, case),
    ]
    current = case.in_order or any(_stands_now(finding, case) for finding in findings)
    trigger = None
    if any(not finding.attached for finding in findings):
        trigger = Trigger.BREACH if current else Trigger.LATE_BREACH
    if reasons and before.state == State.ACKNOWLEDGED and (current or before.recovered_at is None):
        trigger = Trigger.REALARM
    if not reasons and findings:
        reasons = [f"{', '.join(finding.rule_id for finding in findings)} fired"]
    elif not reasons:
        reasons = ["readings that no longer meet the rules"]
    return Cause(trigger, tuple(reasons), case.now, case.reading.id)


def _new_rules(before: Episode, findings: Sequence[Finding]) -> list[str]:
    return [
        f"new rule {finding.rule.key}"
        for finding in findings
        if not finding.attached
        and before.trace(finding.rule.key) is None
        and _REPLACES.get(finding.rule_id) not in before.rule_ids
    ]


def _confirmations(before: Episode, draft: Episode) -> list[str]:
    unconfirmed = {trace.key for trace in before.traces if not trace.confirmed}
    confirmed = any(trace.confirmed and trace.key in unconfirmed for trace in draft.traces)
    return ["confirmed by a reading"] if confirmed else []


def _critical_again(before: Episode, findings: Sequence[Finding], case: Case) -> list[str]:
    fresh = [finding for finding in findings if not finding.carried]
    return [CRITICAL_AGAIN] if critical_again(before, fresh, case.now) else []
