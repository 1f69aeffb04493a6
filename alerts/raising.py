"""New episodes, and findings that come without a reading to judge: refused, not evaluated, or by time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.change import Change, Kind
from alerts.conclude import Cause, conclude, explained, rule_ids
from alerts.episode import Episode, State, Trace, is_confirmed, leading
from alerts.lifecycle import realarmed
from alerts.limits import HumanLimits
from alerts.rule import Finding, Wait
from alerts.severity import Severity
from alerts.traces import begin
from alerts.transitions import Trigger, step

CRITICAL_AGAIN_AFTER = timedelta(minutes=60)
"""After an acknowledgement (design decision, needs CSO sign-off)."""

CRITICAL_AGAIN = "critical again an hour after the acknowledgement"


def open_episode(
    findings: Sequence[Finding],
    traces: tuple[Trace, ...],
    waits: tuple[Wait, ...],
    observed_at: datetime,
    at: datetime,
    *,
    retrospective: bool = False,
) -> Episode:
    """An episode that begins `at` its receipt on values observed at `observed_at`; without human limits
    yet."""
    leader = leading(traces)
    severity = max(trace.severity for trace in traces)
    return Episode(
        family=findings[0].family,
        state=step(None, Trigger.BREACH)[0],
        severity=severity,
        peak_severity=severity,
        title=leader.name,
        rule_ids=rule_ids((), findings),
        traces=traces,
        waits=waits,
        explanation=explained(None, leader, findings),
        first_breach_at=observed_at,
        opened_at=at,
        last_breach_at=observed_at,
        confirmed=is_confirmed(traces),
        retrospective=retrospective,
    )


def announced(episode: Episode, at: datetime, limits: HumanLimits, reading_id: str | None) -> tuple[Episode, Change]:
    """The new episode with its human limits, and the change that tells of it."""
    after = realarmed(episode, at, limits)
    reason = f"{', '.join(after.rule_ids)} fired"
    transition = step(None, Trigger.BREACH)[1]
    return after, Change(Kind.OPENED, transition, reason, after.family, at, None, after, reading_id)


def raise_finding(
    before: Episode | None, finding: Finding, observed_at: datetime, at: datetime, limits: HumanLimits
) -> tuple[Episode, Change | None]:
    """A finding of the service or of time, put to the unresolved episode of its family, or opening one."""
    if before is None:
        trace = begin(finding, observed_at, good=True)
        episode = open_episode([finding], (trace,), finding.waits, observed_at, at)
        return announced(episode, at, limits, finding.reading_id)
    known = before.trace(finding.rule.key)
    trace = begin(finding, observed_at, good=True) if known is None else _again(known, finding, observed_at)
    others = tuple(other for other in before.traces if other.key != trace.key)
    waiting = {wait.key for wait in before.waits}
    fresh = () if trace.confirmed else tuple(wait for wait in finding.waits if wait.key not in waiting)
    traces = (*others, trace)
    draft = before._replace(
        traces=traces,
        waits=(*before.waits, *fresh),
        rule_ids=rule_ids(before.rule_ids, [finding]),
        explanation=explained(before.explanation, leading(traces), [finding]),
        last_breach_at=max(before.last_breach_at, observed_at),
        reading_count=before.reading_count + (finding.reading_id is not None),
    )
    new = known is None or not known.active
    again = critical_again(before, [finding], at)
    trigger = Trigger.REALARM if (new or again) and before.state == State.ACKNOWLEDGED else Trigger.BREACH
    reason = CRITICAL_AGAIN if again else f"{finding.rule_id} fired"
    return conclude(before, draft, Cause(trigger, (reason,), at, finding.reading_id), limits)


def critical_again(before: Episode, findings: Sequence[Finding], at: datetime) -> bool:
    """Somebody took the alert an hour ago or more, and now there is a critical breach."""
    taken = before.acknowledged_at
    if taken is None or at - taken < CRITICAL_AGAIN_AFTER:
        return False
    return any(finding.severity == Severity.CRITICAL for finding in findings)


def _again(known: Trace, finding: Finding, observed_at: datetime) -> Trace:
    severity = max(known.severity, finding.severity)
    last = max(known.last_breach_at, observed_at)
    return known._replace(severity=severity, last_breach_at=last, active=True, clearings=0, clearing_from=None)
