"""What one reading does to what the rules have done in an episode so far: breach, confirm, clear."""

from datetime import datetime

from alerts.case import Case
from alerts.episode import Trace
from alerts.rule import NAMED_LOW, WITHIN_MARGIN, Awaited, Finding, Rule, Say, Silent, Verdict, Wait
from alerts.rules import BY_KEY, POSITION
from alerts.severity import Severity


def begin(finding: Finding, observed_at: datetime, *, good: bool, again: bool = False, active: bool = True) -> Trace:
    """A rule takes part for the first time. `good`: the reading is one that may confirm."""
    rule = finding.rule
    return Trace(
        key=rule.key,
        rule_id=rule.id,
        name=rule.name,
        rank=rule.rank,
        severity=finding.severity,
        confirmed=(good or not rule.needs_signal) and (again or not rule.repeats),
        active=active,
        first_breach_at=observed_at,
        last_breach_at=observed_at,
    )


def breach(trace: Trace, finding: Finding, case: Case) -> Trace:
    """The rule fires again. An answer alone can only raise; a reading older than others judged already
    neither confirms nor undoes a clearing. What names a low value is confirmed as red with the red value only: what
    confirmed it as amber does not."""
    severity = max(trace.severity, finding.severity)
    last = max(trace.last_breach_at, case.reading.observed_at)
    first_red = trace.rule_id in NAMED_LOW and severity == Severity.CRITICAL > trace.severity
    confirmed = trace.confirmed and not first_red
    if finding.carried:
        return trace._replace(severity=severity, confirmed=confirmed)
    if not case.in_order:
        return trace._replace(severity=severity, last_breach_at=last)
    if not first_red and _confirms(trace, finding.rule, case):
        confirmed, severity = True, max(severity, finding.rule.confirmed_severity or severity)
    return trace._replace(
        severity=severity,
        confirmed=confirmed,
        active=True,
        last_breach_at=last,
        clearings=0,
        clearing_from=None,
    )


def _confirms(trace: Trace, rule: Rule, case: Case) -> bool:
    if rule.repeats:
        return trace.active and case.counts
    return case.counts or not rule.needs_signal


def confirm(trace: Trace, rule: Rule | None) -> Trace:
    """Confirmed, and raised to what the rule becomes when confirmed; None is a rule that is no more."""
    raised = None if rule is None else rule.confirmed_severity
    return trace._replace(confirmed=True, severity=max(trace.severity, raised or trace.severity))


def quiet(trace: Trace, silent: Silent, case: Case) -> Trace:
    """The rule did not fire: a reading that counts goes towards clearing, or sends clearing back to its
    start."""
    rule = BY_KEY.get(trace.key)
    if rule is None or silent.say == Say.NEUTRAL or not _may_clear(rule, case):
        return trace
    # What was observed before the breach says nothing about what came of it, whenever it arrives.
    if silent.say == Say.CLEARS and not rule.clearing.by_receipt and not _since(trace, case):
        return trace
    if silent.say == Say.HOLDS:
        held = trace._replace(clearings=0, clearing_from=None) if trace.clearings else trace
        return confirm(held, rule) if rule.repeats and not trace.confirmed and not _transient(trace) else held
    return _clearing(trace, rule, case.reading.observed_at)


def silence_of(trace: Trace, verdicts: tuple[Verdict, ...]) -> Silent | None:
    """What the trace's rule said about the case, if it did not fire here; None for a rule that is no more."""
    position = POSITION.get(trace.key)
    if position is None:
        return None
    verdict = verdicts[position]
    # A finding attached to another family's alert is no news here, and no clearing either.
    return verdict if isinstance(verdict, Silent) else WITHIN_MARGIN


def still_waiting(wait: Wait, traces: tuple[Trace, ...], case: Case | None) -> bool:
    """Is what is awaited still missing, and does it still matter?"""
    trace = next((trace for trace in traces if trace.key == wait.key), None)
    if trace is None or not trace.active:
        return False
    if wait.confirms and (trace.confirmed or _transient(trace)):
        return False
    if wait.severity is not None and not wait.confirms and trace.severity >= wait.severity:
        return False
    return case is None or not _came(wait.awaits, trace, case)


def _may_clear(rule: Rule, case: Case) -> bool:
    return case.counts or rule.clearing.by_receipt or (rule.clearing.any_context and case.in_order)


def _came(awaits: Awaited, trace: Trace, case: Case) -> bool:
    if awaits == Awaited.ANSWER:
        in_time = case.reading.observed_at >= trace.last_breach_at - case.rule_set.answer_holds
        return in_time and case.reading.breathlessness is not None
    if awaits == Awaited.CLEARING:
        return False
    return case.counts and case.reading.counts_for_spo2 and _since(trace, case)


def _since(trace: Trace, case: Case) -> bool:
    """Was it observed no earlier than the last breach?"""
    return case.reading.observed_at >= trace.last_breach_at


def _clearing(trace: Trace, rule: Rule, observed_at: datetime) -> Trace:
    policy = rule.clearing
    if policy.by_human:
        return trace
    first, count = trace.clearing_from or observed_at, trace.clearings + 1
    apart = observed_at - first
    severity = trace.severity
    contradicted = policy.transient_gap is not None and count >= 2 and apart >= policy.transient_gap
    if contradicted and not trace.confirmed and severity == Severity.CRITICAL:
        severity = Severity.MEDIUM
    active = count < policy.count or apart < policy.gap
    return trace._replace(severity=severity, active=active, clearings=count, clearing_from=first)


def _transient(trace: Trace) -> bool:
    """An unconfirmed red that was contradicted: it has become medium, and only a new breach can change
    that."""
    return trace.rule_id == "R1" and trace.severity == Severity.MEDIUM
