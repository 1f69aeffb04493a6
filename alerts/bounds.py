"""What the numbers of a rule set may be: each lies within its own bounds, and no two contradict each other."""

import math
from dataclasses import field, fields
from typing import Any

from alerts.plan import Problem

_BELOW = (
    ("standard_red_at", "standard_amber_at"),
    ("hypercapnic_red_at", "hypercapnic_amber_at"),
    ("clear_drop", "drop"),
    ("drop", "large_drop"),
    ("mild_up_to", "moderate_from"),
    ("mild_up_to", "breathless_high_from"),
    ("breathless_high_from", "breathless_critical_from"),
    ("critical_acknowledge_minutes", "critical_contact_minutes"),
    ("high_acknowledge_minutes", "high_contact_minutes"),
    ("medium_acknowledge_minutes", "medium_contact_minutes"),
)
"""The first must be lower than the second."""

_NOT_ABOVE = (
    ("critical_contact_minutes", "critical_expiry_minutes"),
    ("high_contact_minutes", "high_expiry_minutes"),
    ("medium_contact_minutes", "medium_expiry_minutes"),
    ("critical_acknowledge_minutes", "high_acknowledge_minutes"),
    ("critical_contact_minutes", "high_contact_minutes"),
    ("critical_expiry_minutes", "high_expiry_minutes"),
)
"""The first must not be higher than the second: an acknowledgement does not expire before contact is due, and a more
severe alert never waits longer than a milder one."""


def number(default: float, low: float, high: float, step: float = 1) -> Any:
    """A field of a rule set: a number from `low` to `high`, both included, in steps; whole ones for a step of 1."""
    return field(default=default, metadata={"low": low, "high": high, "step": step})


def number_problems(rules: Any) -> list[Problem]:
    """A problem for every value that is no number, is out of its bounds, or lies between its steps."""
    problems = []
    for f in fields(rules):
        if not f.metadata:
            continue
        value, low, high, step = getattr(rules, f.name), f.metadata["low"], f.metadata["high"], f.metadata["step"]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            problems.append(Problem(f.name, "invalid", "A number."))
        elif not low <= value <= high:
            problems.append(Problem(f.name, "out_of_range", f"{low:g} to {high:g}."))
        elif value / step != int(value / step) or (step == 1 and not isinstance(value, int)):
            problems.append(Problem(f.name, "invalid", f"In steps of {step:g}."))
    return problems


def crossings(rules: Any) -> list[Problem]:
    """A problem for every two numbers in the wrong order, at the one that would have to be higher."""
    problems = [
        Problem(upper, "crossing", f"Must be above {lower}.")
        for lower, upper in _BELOW
        if not getattr(rules, lower) < getattr(rules, upper)
    ]
    return problems + [
        Problem(upper, "crossing", f"Must not be below {lower}.")
        for lower, upper in _NOT_ABOVE
        if not getattr(rules, lower) <= getattr(rules, upper)
    ]
