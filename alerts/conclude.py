"""The step every change of an episode ends with: severity, title, state and human limits follow from its
rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from alerts.change import Change, Kind
from alerts.episode import Episode, Explanation, State, Trace, is_confirmed, leading
from alerts.lifecycle import hurried, realarmed
from alerts.limits import HumanLimits
from alerts.rule import Finding, explain
from alerts.severity import Severity
from alerts.snoozing import breaks_snooze
from alerts.transitions import Trigger, step


class Cause(NamedTuple):
    """Why an episode is looked at: the `trigger` if it did not become worse, the reasons in words, and the
    reading (None for time)."""

    trigger: Trigger | None
    reasons: tuple[str, ...]
    at: datetime
    reading_id: str | None


def conclude(before: Episode, draft: Episode, cause: Cause, limits: HumanLimits) -> tuple[Episode, Change | None]:
    """`draft` is `before` with its traces, waits and evidence brought up to date; the rest follows here.
    No change is reported when nothing happened that a person would want to know."""
    graded = _graded(draft)
    trigger = _trigger(before, graded, cause)
    after, transition = (graded, "") if trigger is None else _stepped(before, graded, trigger, cause.at, limits)
    if breaks_snooze(before, after):
        after = after._replace(snoozed_until=None, snoozed_spo2=None)
    after, cleared = _cleared(before, after, cause.at)
    transition = cleared or transition
    if not transition:
        return after, None
    if _seen(after) != _seen(before):
        after = after._replace(version=before.version + 1)
    reason = "; ".join(cause.reasons) or str(trigger)
    kind = _kind(before, after)
    return after, Change(kind, transition, reason, after.family, cause.at, before, after, cause.reading_id)


def settle(before: Episode, key: str, reason: str, at: datetime, limits: HumanLimits) -> tuple[Episode, Change | None]:
    """The rule of this key is cleared, though no reading says so: what it stood for is gone."""
    traces = tuple(trace._replace(active=False) if trace.key == key else trace for trace in before.traces)
    return conclude(before, before._replace(traces=traces), Cause(None, (reason,), at, None), limits)


def explained(previous: Explanation | None, leader: Trace, findings: Sequence[Finding]) -> Explanation:
    """The leading finding in words, with those attached to it; the previous words if it did not speak this
    time. Raises StopIteration when there is neither."""
    finding = next((finding for finding in findings if finding.rule.key == leader.key), None)
    if finding is None and previous is not None:
        return previous
    finding = finding or next(iter(findings))
    attached = [explain(other) for other in findings if other.attached]
    text = " ".join([explain(finding), *attached])
    return Explanation(text, finding.inputs, finding.limits, finding.source, finding.rule_set_version)


def rule_ids(before: tuple[str, ...], findings: Sequence[Finding]) -> tuple[str, ...]:
    """All rules that took part, in the order in which they came."""
    return tuple(dict.fromkeys((*before, *(finding.rule_id for finding in findings))))


def _graded(draft: Episode) -> Episode:
    severity = max(trace.severity for trace in draft.traces)
    transient = draft.transient or severity < draft.severity
    text = draft.explanation
    if severity < draft.severity:
        text = text._replace(text=f"{text.text} Two good readings contradict it: transient.")
    return draft._replace(
        severity=severity,
        peak_severity=max(severity, draft.peak_severity),
        title=leading(draft.traces).name,
        confirmed=is_confirmed(draft.traces),
        transient=transient and severity <= Severity.MEDIUM,
        explanation=text,
    )


def _trigger(before: Episode, graded: Episode, cause: Cause) -> Trigger | None:
    if graded.severity > before.severity:
        return Trigger.WORSE
    if cause.trigger is not None:
        return cause.trigger
    if graded.severity < before.severity:
        return Trigger.DOWNGRADE
    return Trigger.CONFIRM if graded.confirmed and not before.confirmed else None


def _stepped(
    before: Episode, graded: Episode, trigger: Trigger, at: datetime, limits: HumanLimits
) -> tuple[Episode, str]:
    state, transition = step(before.state, trigger)
    active = any(trace.active for trace in graded.traces)
    after = graded._replace(state=state, recovered_at=None if active else graded.recovered_at)
    if state == State.OPEN and before.state != State.OPEN:
        return realarmed(after, at, limits), transition
    if trigger == Trigger.WORSE:
        # Whoever was reached before was reached about something milder.
        after = hurried(after._replace(contacted_at=None), at, limits)
    return after, transition


def _cleared(before: Episode, after: Episode, at: datetime) -> tuple[Episode, str]:
    """Every rule has cleared: resolved if it was never more than medium, else it stays for a person to
    close."""
    if any(trace.active for trace in after.traces) or not any(trace.active for trace in before.traces):
        return after, ""
    mild = after.peak_severity <= Severity.MEDIUM
    state, transition = step(after.state, Trigger.CLEAR_MILD if mild else Trigger.CLEAR_SEVERE)
    if mild:
        after = after._replace(respond_by=None, ack_expires_at=None, snoozed_until=None, snoozed_spo2=None)
        return after._replace(state=state, resolved_at=at, recovered_at=at, waits=()), transition
    return after._replace(state=state, recovered_at=at, waits=()), transition


def _seen(episode: Episode) -> tuple[object, ...]:
    """What a person acts on: the version rises with it."""
    return episode.state, episode.severity, episode.confirmed, episode.snoozed_until


def _kind(before: Episode, after: Episode) -> Kind:
    if after.state == State.OPEN and before.state != State.OPEN:
        return Kind.REOPENED
    if after.severity > before.severity:
        return Kind.WORSENED
    if after.confirmed and not before.confirmed:
        return Kind.CONFIRMED
    if after.state == State.RESOLVED:
        return Kind.RESOLVED
    if after.recovered_at is not None and before.recovered_at is None:
        return Kind.RECOVERED
    return Kind.DOWNGRADED if after.severity < before.severity else Kind.UPDATED
