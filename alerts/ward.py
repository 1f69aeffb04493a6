"""Alerts about a ward itself, not about one person: the service is late (R17), a delivery fails (R22).

Nothing of them is judged from a reading. They are raised and cleared by whoever watches."""

from collections.abc import Sequence
from datetime import datetime

from alerts.case import Case
from alerts.change import Change
from alerts.conclude import Cause, conclude
from alerts.episode import Episode
from alerts.limits import HumanLimits
from alerts.raising import raise_finding
from alerts.rule import DECIDED_BY_TIME, Finding, Input, Limit, Rule, Verdict, spoken
from alerts.severity import Family, Severity


def _judge(_case: Case) -> Verdict:
    return DECIDED_BY_TIME


def _nothing(_case: Case) -> tuple[Input, ...]:
    return ()


def _no_limits(_case: Case) -> tuple[Limit, ...]:
    return ()


def _says_degraded(finding: Finding) -> str:
    late = spoken(finding.value("late"))
    return f"The service is late with: {late}. Do not rely on alerts coming by themselves: look at the patients."


def _says_failed(finding: Finding) -> str:
    return f"Nothing has reached {spoken(finding.value('endpoint'))} for more than 5 min."


SYSTEM_DEGRADED = Rule(
    id="R17", name="system_degraded", family=Family.TECHNICAL, rank=40, needs_signal=False,
    source="Design decision, needs CSO sign-off; the idea is that of IEC 60601-1-8",
    judge=_judge, inputs=_nothing, limits=_no_limits, says=_says_degraded,
)  # fmt: skip
DELIVERY_FAILED = Rule(
    id="R22", name="delivery_failed", family=Family.TECHNICAL, rank=12, needs_signal=False,
    source="Design decision, needs CSO sign-off",
    judge=_judge, inputs=_nothing, limits=_no_limits, says=_says_failed,
)  # fmt: skip


def degraded(late: Sequence[str], since: datetime) -> Finding:
    """R17: these kinds of work are late (`late` is not empty)."""
    inputs = (Input("late", ", ".join(late), "", None, since),)
    return Finding(
        SYSTEM_DEGRADED, SYSTEM_DEGRADED.family, Severity.HIGH, None, inputs, (Limit("late_after", 5, "min"),)
    )


def delivery_failed(endpoint_id: str, since: datetime) -> Finding:
    """R22: an endpoint has been failing since an instant."""
    inputs = (Input("endpoint", endpoint_id, "", None, since),)
    limits = (Limit("failing_for", 5, "min"),)
    return Finding(DELIVERY_FAILED, DELIVERY_FAILED.family, Severity.MEDIUM, None, inputs, limits)


def stands(episode: Episode | None, rule: Rule) -> bool:
    """Is this already raised, and not over?"""
    trace = None if episode is None else episode.trace(rule.key)
    return trace is not None and trace.active


def raise_on_ward(
    before: Episode | None, finding: Finding, at: datetime, limits: HumanLimits
) -> tuple[Episode, Change | None]:
    """The ward's alert with a finding put to it; a new one when there is none."""
    return raise_finding(before, finding, at, at, limits)


def clear_on_ward(
    before: Episode | None, rule: Rule, at: datetime, limits: HumanLimits
) -> tuple[Episode, Change | None]:
    """The ward's alert, on which the rule `stands`, when the cause is gone; what was high stays for a person to
    close."""
    if before is None:
        raise ValueError("nothing stands that could be cleared")
    traces = tuple(trace._replace(active=False) if trace.key == rule.key else trace for trace in before.traces)
    return conclude(before, before._replace(traces=traces), Cause(None, ("it works again",), at, None), limits)
