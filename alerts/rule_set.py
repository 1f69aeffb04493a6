"""A rule set: the numbers a ward may change within bounds, and which optional rules are on. A value with a version, so
that every explanation can say by which numbers it came about."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from alerts.plan import HYPERCAPNIC_LIMITS, STANDARD_LIMITS, Limits, Plan, Problem, Profile
from alerts.watch import USUAL, WatchLimits

OPTIONAL_RULES = ("R5", "R6", "R11", "R12", "R16")
"""Rules a ward may switch off. All others find what kills, or find that the system does not see (design decision,
needs CSO sign-off)."""

LONGEST_VERSION = 40


class RuleSetInvalid(ValueError):
    """A rule set has an unknown key, leaves its bounds, contradicts itself or switches off what it may not."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"/{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


def _number(default: float, low: float, high: float, step: float = 1) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "step": step})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """SpO2 in percent, falls in percentage points, breathlessness in Borg, waits in minutes from receipt.

    All bounds are a design decision, need CSO sign-off: a red limit stays within 80-94 and amber at most 96 as for one
    person's plan, and no wait for a dangerous value may be longer than the default. Raises RuleSetInvalid with every
    problem found.
    """

    version: str
    standard_red_at: int = _number(STANDARD_LIMITS.red_at, 80, 94)
    standard_amber_at: int = _number(STANDARD_LIMITS.amber_at, 81, 96)
    hypercapnic_red_at: int = _number(HYPERCAPNIC_LIMITS.red_at, 80, 88)
    hypercapnic_amber_at: int = _number(HYPERCAPNIC_LIMITS.amber_at, 81, 90)
    sleep_allowance: int = _number(3, 0, 4)
    """Percentage points: asleep, red starts this much lower."""
    red_minutes: int = _number(15, 5, 15)
    """For what contradicts a red value, before it counts as confirmed."""
    amber_minutes: int = _number(60, 15, 60)
    """For the recheck of an amber value (NHS CO@h: within an hour)."""
    answer_below_amber_minutes: int = _number(15, 5, 15)
    answer_at_amber_minutes: int = _number(60, 15, 60)
    """For the answer about breathlessness."""
    implausible_minutes: int = _number(15, 5, 15)
    """For a usable value after one below 50 %."""
    rest_minutes: int = _number(10, 5, 10)
    """For a resting value after a red one on exertion."""
    mild_up_to: float = _number(2, 2, 3.5, 0.5)
    """Up to here breathlessness is absent or mild: a low value with it is silent hypoxia."""
    moderate_from: float = _number(3, 2.5, 4, 0.5)
    """From here an amber value is not left to a recheck."""
    breathless_high_from: float = _number(5, 3, 5, 0.5)
    breathless_critical_from: float = _number(7, 5, 7, 0.5)
    breathless_rise: float = _number(3, 2, 3, 0.5)
    """Above usual, as severe as `breathless_high_from`."""
    drop: int = _number(3, 2, 4)
    """Below the usual SpO2: assessment is advised (BTS 2017: 3)."""
    large_drop: int = _number(5, 3, 6)
    clear_drop: int = _number(1, 0, 2)
    """Up to here a drop no longer counts."""
    exertion_fall: int = _number(3, 2, 4)
    over_oxygenation_minutes: int = _number(15, 10, 60)
    """Between two values that are too high on oxygen."""
    more_oxygen: float = _number(1, 0.5, 1, 0.5)
    """L/min above the prescription."""
    trend_below_usual: int = _number(2, 1, 4)
    trend_step: int = _number(3, 2, 5)
    trend_medium_at: int = _number(95, 90, 97)
    worse_rise: float = _number(2, 1, 3, 0.5)
    """Breathlessness above usual at a green SpO2."""
    poor_in_a_row: int = _number(3, 2, 5)
    slot_before_minutes: int = _number(120, 60, 180)
    slot_until_minutes: int = _number(240, 120, 360)
    """Before and after its time a reading slot can be filled; then it is missed."""
    slot_reminder_minutes: int = _number(60, 30, 60)
    """After its time the person is reminded, and a slot is urgent for whoever has a low value."""
    silent_hours: int = _number(24, 12, 24)
    silent_gaps: float = _number(1.5, 1, 1.5, 0.5)
    """Nothing valid for so long, and for so many times the plan's longest gap, is urgent."""
    baseline_hours: int = _number(48, 24, 72)
    """From admission until the usual SpO2 is known."""
    off: tuple[str, ...] = ()
    """Ids of optional rules that are switched off, in order."""
    standard: Limits = field(init=False, repr=False, compare=False)
    hypercapnic: Limits = field(init=False, repr=False, compare=False)
    watch: WatchLimits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = [*_version_problems(self.version), *_number_problems(self), *_off_problems(self.off)]
        problems = problems or _crossings(self)
        if problems:
            raise RuleSetInvalid(problems)
        standard = Limits(self.standard_red_at, self.standard_amber_at, STANDARD_LIMITS.target_low)
        hypercapnic = Limits(self.hypercapnic_red_at, self.hypercapnic_amber_at, HYPERCAPNIC_LIMITS.target_low)
        object.__setattr__(self, "standard", standard)
        object.__setattr__(self, "hypercapnic", hypercapnic)
        object.__setattr__(self, "watch", _watch_limits(self))

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> "RuleSet":
        """A rule set from what `to_mapping` writes; what is left out is as in the default, only the version must be
        said. Raises RuleSetInvalid."""
        known = {f.name for f in fields(cls) if f.init}
        problems = [Problem(str(key), "unknown", "A rule set has no such number.") for key in data if key not in known]
        if "version" not in data:
            problems.append(Problem("version", "required", "A rule set needs a version."))
        off = data.get("off", ())
        if isinstance(off, str) or not isinstance(off, (list, tuple)) or not all(isinstance(r, str) for r in off):
            problems.append(Problem("off", "invalid", "A list of rule ids."))
        if problems:
            raise RuleSetInvalid(problems)
        return cls(**{**data, "off": tuple(sorted(set(off)))})

    def to_mapping(self) -> dict[str, Any]:
        """Every number by its name, plain JSON values."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return {**values, "off": list(self.off)}

    def limits(self, plan: Plan) -> Limits:
        """The limits in force for a person: their own, else the profile's."""
        if plan.profile == Profile.CUSTOM:
            return plan.limits
        return self.hypercapnic if plan.profile == Profile.HYPERCAPNIC else self.standard


def bounds() -> dict[str, tuple[float, float]]:
    """The lowest and the highest of each number a ward may change, both included."""
    return {f.name: (f.metadata["low"], f.metadata["high"]) for f in fields(RuleSet) if f.metadata}


def _watch_limits(rules: RuleSet) -> WatchLimits:
    limits = WatchLimits(
        before=timedelta(minutes=rules.slot_before_minutes),
        remind_after=timedelta(minutes=rules.slot_reminder_minutes),
        until=timedelta(minutes=rules.slot_until_minutes),
        silent_at_least=timedelta(hours=rules.silent_hours),
        silent_gaps=rules.silent_gaps,
        baseline_within=timedelta(hours=rules.baseline_hours),
    )
    return USUAL if limits == USUAL else limits


def _version_problems(version: object) -> list[Problem]:
    written = isinstance(version, str) and version.isascii() and version.isprintable() and version == version.strip()
    if not written or not 0 < len(str(version)) <= LONGEST_VERSION:
        return [Problem("version", "invalid", f"A version is a text of 1 to {LONGEST_VERSION} plain characters.")]
    return []


def _number_problems(rules: RuleSet) -> list[Problem]:
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


def _off_problems(off: tuple[str, ...]) -> list[Problem]:
    return [
        Problem("off", "mandatory", f"Only {', '.join(OPTIONAL_RULES)} can be switched off.")
        for rule_id in off
        if rule_id not in OPTIONAL_RULES
    ][:1]


_BELOW = (
    ("standard_red_at", "standard_amber_at"),
    ("hypercapnic_red_at", "hypercapnic_amber_at"),
    ("clear_drop", "drop"),
    ("drop", "large_drop"),
    ("mild_up_to", "moderate_from"),
    ("mild_up_to", "breathless_high_from"),
    ("breathless_high_from", "breathless_critical_from"),
)
"""The first must be lower than the second."""


def _crossings(rules: RuleSet) -> list[Problem]:
    return [
        Problem(upper, "crossing", f"Must be above {lower}.")
        for lower, upper in _BELOW
        if not getattr(rules, lower) < getattr(rules, upper)
    ]


DEFAULT = RuleSet(version="2026.11.2")
"""What holds on a ward that has no rule set of its own. The version is raised with every clinical change."""

STAND_IN = RuleSet(version=f"{DEFAULT.version} stand-in")
"""The default, in place of a ward's own that cannot be read. Whatever it judges is not judged as meant (R21)."""
