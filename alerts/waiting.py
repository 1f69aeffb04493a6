"""What follows when something awaited has not come: the engine's own clock, driven by the time passed in."""

from collections.abc import Mapping
from datetime import datetime

from alerts.change import Change
from alerts.conclude import Cause, conclude
from alerts.decide import Decisions, keep
from alerts.episode import Episode, Trace
from alerts.limits import HumanLimits
from alerts.raising import raise_finding
from alerts.rule import MEASURED_LOW, NAMED_LOW, Awaited, Finding, Wait
from alerts.rule_set import RuleSet
from alerts.rules import BY_KEY
from alerts.rules.absence import MISSED_RECHECK
from alerts.rules.oxygen import wait_after_red
from alerts.severity import Family, Severity
from alerts.traces import confirm

_MISSED = {
    Awaited.RECHECK: "no recheck came in time",
    Awaited.CLEARING: "not contradicted in time",
    Awaited.VALID_SPO2: "no usable value came in time",
    Awaited.ANSWER: "the question was not answered in time",
}


def advance_episodes(
    episodes: Mapping[Family, Episode], now: datetime, limits: HumanLimits, rule_set: RuleSet
) -> Decisions:
    """Apply every wait that ran out up to and including `now`, in the order of their limits."""
    after, changes = dict(episodes), list[Change]()
    while (due := _first_due(after, now)) is not None:
        change = _run_out(after, *due, limits, rule_set)
        if change is not None:
            changes.append(change)
    return Decisions(tuple(changes), after)


def _first_due(episodes: Mapping[Family, Episode], now: datetime) -> tuple[Family, Wait] | None:
    due = [
        (wait.due_at, family, wait.key, wait)
        for family, episode in episodes.items()
        for wait in episode.waits
        if wait.due_at <= now
    ]
    if not due:
        return None
    _, family, _, wait = min(due, key=lambda item: item[:3])
    return family, wait


def _run_out(
    episodes: dict[Family, Episode], family: Family, wait: Wait, limits: HumanLimits, rule_set: RuleSet
) -> Change | None:
    before = episodes[family]
    left = tuple(other for other in before.waits if other is not wait)
    if wait.raises is not None:
        episodes[family] = before._replace(waits=left)
        return _begin_another(episodes, wait, wait.raises, limits, rule_set)
    unchecked = _unchecked(before, wait)
    reason = _MISSED[Awaited.RECHECK if unchecked else wait.awaits]
    traces = tuple(_apply(trace, wait) for trace in before.traces)
    text = f"{before.explanation.text} {reason.capitalize()}."
    ids = dict.fromkeys((*before.rule_ids, *((MISSED_RECHECK.id,) if unchecked else ())))
    explanation = before.explanation._replace(text=text)
    draft = before._replace(waits=left, traces=traces, explanation=explanation, rule_ids=tuple(ids))
    episode, change = conclude(before, draft, Cause(None, (reason,), wait.due_at, None), limits)
    keep(episodes, family, episode)
    return change


def _unchecked(episode: Episode, wait: Wait) -> bool:
    """R15: a red or amber value was to be measured again, and nothing that counts has come since. Only its id is added
    to the alert: the wait says what becomes of the severity, and R15 is cleared with R1 or R2."""
    trace = episode.trace(wait.key)
    return wait.key in MEASURED_LOW and wait.confirms and trace is not None and not trace.clearings


def _apply(trace: Trace, wait: Wait) -> Trace:
    """What names the low value (R3, R4) is confirmed together with what measured it: as red with R1, not with an amber
    value that was not measured again (R2)."""
    if not trace.active or trace.key not in (wait.key, *NAMED_LOW):
        return trace
    if wait.severity is not None and trace.severity > wait.severity:
        return trace
    if trace.key == wait.key and wait.severity is not None:
        trace = trace._replace(severity=max(trace.severity, wait.severity))
    return confirm(trace, BY_KEY.get(trace.key)) if wait.confirms else trace


def _begin_another(
    episodes: dict[Family, Episode], wait: Wait, key: str, limits: HumanLimits, rule_set: RuleSet
) -> Change | None:
    rule, evidence, version = BY_KEY[key], wait.inputs[0], rule_set.version
    again = (wait_after_red(wait.due_at, rule_set),)
    finding = Finding(
        rule, rule.family, Severity.CRITICAL, evidence.reading_id, wait.inputs, (), again, rule_set_version=version
    )
    observed_at = evidence.observed_at or wait.due_at
    episode, change = raise_finding(episodes.get(rule.family), finding, observed_at, wait.due_at, limits)
    keep(episodes, rule.family, episode)
    return change
