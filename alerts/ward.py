"""Alerts about a ward itself, not about one person: the service is late (R17), a delivery fails (R22).

Nothing of them is judged from a reading. They are raised and cleared by whoever watches."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.change import Change
from alerts.conclude import settle
from alerts.episode import Episode
from alerts.limits import HumanLimits
from alerts.raising import raise_finding
from alerts.rule import Finding, Input, Limit, Rule, spoken
from alerts.rules.absence import judge_by_time
from alerts.severity import Family, Severity

DEGRADED_AFTER = timedelta(minutes=5)
"""Work that was not done for so long is late (R17; design decision, needs CSO sign-off)."""
FAILING_AFTER = timedelta(minutes=5)
"""A delivery that failed for so long is told (R22; design decision, needs CSO sign-off)."""
_MINUTE = timedelta(minutes=1)


def _says_degraded(finding: Finding) -> str:
    late = spoken(finding.value("late"))
    return f"The service is late with: {late}. Do not rely on alerts coming by themselves: look at the patients."


def _says_failed(finding: Finding) -> str:
    return f"Nothing has reached {spoken(finding.value('endpoint'))} for more than {FAILING_AFTER // _MINUTE} min."


SYSTEM_DEGRADED = Rule(
    id="R17", name="system_degraded", family=Family.TECHNICAL, rank=40, needs_signal=False,
    source="Design decision, needs CSO sign-off; the idea is that of IEC 60601-1-8",
    judge=judge_by_time, says=_says_degraded,
)  # fmt: skip
DELIVERY_FAILED = Rule(
    id="R22", name="delivery_failed", family=Family.TECHNICAL, rank=12, needs_signal=False,
    source="Design decision, needs CSO sign-off",
    judge=judge_by_time, says=_says_failed,
)  # fmt: skip


def degraded(late: Sequence[str], since: datetime) -> Finding:
    """R17: these kinds of work are late (`late` is not empty)."""
    inputs = (Input("late", ", ".join(late), "", None, since),)
    limits = (Limit("late_after", DEGRADED_AFTER // _MINUTE, "min"),)
    return Finding(SYSTEM_DEGRADED, SYSTEM_DEGRADED.family, Severity.HIGH, None, inputs, limits)


def delivery_failed(endpoint_id: str, since: datetime) -> Finding:
    """R22: an endpoint has been failing since an instant."""
    inputs = (Input("endpoint", endpoint_id, "", None, since),)
    limits = (Limit("failing_for", FAILING_AFTER // _MINUTE, "min"),)
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
    return settle(before, rule.key, "it works again", at, limits)
