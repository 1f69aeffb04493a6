"""A rule set: the numbers a ward may change within bounds, and which optional rules are on. A value with a version, so
that every explanation can say by which numbers it came about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from alerts.bounds import crossings, number, number_problems
from alerts.limits import USUAL_RESPONSES, Response, Responses
from alerts.plan import HYPERCAPNIC_LIMITS, STANDARD_LIMITS, Limits, Plan, Problem, Profile
from alerts.watch import USUAL, WatchLimits

OPTIONAL_RULES = ("R5", "R6", "R11", "R12", "R16")
"""Rules a ward may switch off. All others find what kills, or find that the system does not see (design decision,
needs CSO sign-off)."""

LONGEST_VERSION = 40

_CUSTOM, _HYPERCAPNIC = Profile.CUSTOM, Profile.HYPERCAPNIC


class RuleSetInvalid(ValueError):
    """A rule set has an unknown key, leaves its bounds, contradicts itself or switches off what it may not."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"/{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """SpO2 in percent, falls in percentage points, breathlessness in Borg, waits in minutes from receipt, limits for
    people in minutes from when the alert came (an acknowledgement's: from when it was given).

    All bounds are a design decision, need CSO sign-off: a red limit stays within 80-94 and amber at most 96 as for one
    person's plan, and no wait for a dangerous value, nor for whoever has to see to it, may be longer than the default.
    Raises RuleSetInvalid with every problem found.
    """

    version: str
    standard_red_at: int = number(STANDARD_LIMITS.red_at, 80, 94)
    standard_amber_at: int = number(STANDARD_LIMITS.amber_at, 81, 96)
    hypercapnic_red_at: int = number(HYPERCAPNIC_LIMITS.red_at, 80, 88)
    hypercapnic_amber_at: int = number(HYPERCAPNIC_LIMITS.amber_at, 81, 90)
    sleep_allowance: int = number(3, 0, 4)
    """Percentage points: asleep, red starts this much lower."""
    red_minutes: int = number(15, 5, 15)
    """For what contradicts a red value, before it counts as confirmed."""
    amber_minutes: int = number(60, 15, 60)
    """For the recheck of an amber value (NHS CO@h: within an hour)."""
    answer_below_amber_minutes: int = number(15, 5, 15)
    answer_at_amber_minutes: int = number(60, 15, 60)
    """For the answer about breathlessness."""
    answer_holds_minutes: int = number(60, 15, 60)
    """How long an answer about breathlessness belongs to the readings around it."""
    implausible_minutes: int = number(15, 5, 15)
    """For a usable value after one below 50 %."""
    rest_minutes: int = number(10, 5, 10)
    """For a resting value after a red one on exertion."""
    mild_up_to: float = number(2, 2, 3.5, 0.5)
    """Up to here breathlessness is absent or mild: a low value with it is silent hypoxia."""
    moderate_from: float = number(3, 2.5, 4, 0.5)
    """From here an amber value is not left to a recheck."""
    breathless_high_from: float = number(5, 3, 5, 0.5)
    breathless_critical_from: float = number(7, 5, 7, 0.5)
    breathless_rise: float = number(3, 2, 3, 0.5)
    """Above usual, as severe as `breathless_high_from`."""
    drop: int = number(3, 2, 4)
    """Below the usual SpO2: assessment is advised (BTS 2017: 3)."""
    large_drop: int = number(5, 3, 6)
    clear_drop: int = number(1, 0, 2)
    """Up to here a drop no longer counts."""
    exertion_fall: int = number(3, 2, 4)
    exertion_session_minutes: int = number(10, 5, 15)
    """How old the value at rest may be that a value after exertion is compared with."""
    over_oxygenation_minutes: int = number(15, 10, 60)
    """Between two values that are too high on oxygen."""
    more_oxygen: float = number(1, 0.5, 1, 0.5)
    """L/min above the prescription."""
    trend_below_usual: int = number(2, 1, 4)
    trend_step: int = number(3, 2, 5)
    trend_medium_at: int = number(95, 90, 97)
    trend_readings: int = number(4, 4, 6)
    trend_hours: int = number(24, 12, 36)
    """A trend needs `trend_readings` valid resting readings, over `trend_hours`."""
    trend_last: int = number(3, 3, 5)
    """The last so many, when none is above the one before and their median is low, are a falling trend."""
    trend_latest: int = number(2, 2, 3)
    trend_compared_with: int = number(4, 3, 6)
    """The latest `trend_latest`, all low beside the median of the `trend_compared_with` before them, are a step
    down."""
    worse_rise: float = number(2, 1, 3, 0.5)
    """Breathlessness above usual at a green SpO2."""
    poor_in_a_row: int = number(3, 2, 5)
    slot_before_minutes: int = number(120, 60, 180)
    slot_until_minutes: int = number(240, 120, 360)
    """How long before and after its time a reading slot can be filled; after that it is missed."""
    slot_reminder_minutes: int = number(60, 30, 60)
    """After the time of an empty slot: the person is reminded, and for somebody whose last value was low it is
    urgent."""
    silent_hours: int = number(24, 12, 24)
    silent_gaps: float = number(1.5, 1, 1.5, 0.5)
    """Nothing valid for `silent_hours`, and for `silent_gaps` times the plan's longest gap, is urgent."""
    baseline_hours: int = number(48, 24, 72)
    """From admission until the usual SpO2 is known."""
    critical_acknowledge_minutes: int = number(15, 5, 15)
    critical_contact_minutes: int = number(30, 10, 30)
    critical_expiry_minutes: int = number(30, 10, 30)
    high_acknowledge_minutes: int = number(30, 10, 30)
    high_contact_minutes: int = number(60, 20, 60)
    high_expiry_minutes: int = number(60, 20, 60)
    medium_acknowledge_minutes: int = number(120, 30, 240)
    medium_contact_minutes: int = number(240, 60, 480)
    medium_expiry_minutes: int = number(240, 60, 480)
    """All three count service hours alone."""
    low_acknowledge_hours: int = number(24, 8, 24)
    low_expiry_hours: int = number(24, 8, 24)
    technical_acknowledge_minutes: int = number(60, 15, 60)
    technical_expiry_minutes: int = number(240, 60, 240)
    off: tuple[str, ...] = ()
    """Ids of optional rules that are switched off, in order."""
    standard: Limits = field(init=False, repr=False, compare=False)
    hypercapnic: Limits = field(init=False, repr=False, compare=False)
    watch: WatchLimits = field(init=False, repr=False, compare=False)
    responses: Responses = field(init=False, repr=False, compare=False)
    answer_holds: timedelta = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = [*_version_problems(self.version), *number_problems(self), *_off_problems(self.off)]
        problems = problems or crossings(self)
        if problems:
            raise RuleSetInvalid(problems)
        standard = Limits(self.standard_red_at, self.standard_amber_at, STANDARD_LIMITS.target_low)
        hypercapnic = Limits(self.hypercapnic_red_at, self.hypercapnic_amber_at, HYPERCAPNIC_LIMITS.target_low)
        object.__setattr__(self, "standard", standard)
        object.__setattr__(self, "hypercapnic", hypercapnic)
        object.__setattr__(self, "watch", _watch_limits(self))
        object.__setattr__(self, "responses", _responses(self))
        object.__setattr__(self, "answer_holds", timedelta(minutes=self.answer_holds_minutes))

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
        if plan.profile == _CUSTOM:
            return plan.limits
        return self.hypercapnic if plan.profile == _HYPERCAPNIC else self.standard


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


def _responses(rules: RuleSet) -> Responses:
    def within(name: str) -> Response:
        given = (getattr(rules, f"{name}_{each}_minutes") for each in ("acknowledge", "contact", "expiry"))
        return Response(*(timedelta(minutes=minutes) for minutes in given))

    responses = Responses(
        low=Response(timedelta(hours=rules.low_acknowledge_hours), None, timedelta(hours=rules.low_expiry_hours)),
        medium=within("medium"),
        high=within("high"),
        critical=within("critical"),
        technical=Response(
            timedelta(minutes=rules.technical_acknowledge_minutes),
            None,
            timedelta(minutes=rules.technical_expiry_minutes),
        ),
    )
    return USUAL_RESPONSES if responses == USUAL_RESPONSES else responses


def _version_problems(version: object) -> list[Problem]:
    written = isinstance(version, str) and version.isascii() and version.isprintable() and version == version.strip()
    if not written or not 0 < len(str(version)) <= LONGEST_VERSION:
        return [Problem("version", "invalid", f"A version is a text of 1 to {LONGEST_VERSION} plain characters.")]
    return []


def _off_problems(off: tuple[str, ...]) -> list[Problem]:
    return [
        Problem("off", "mandatory", f"Only {', '.join(OPTIONAL_RULES)} can be switched off.")
        for rule_id in off
        if rule_id not in OPTIONAL_RULES
    ][:1]


DEFAULT = RuleSet(version="2026.11.2")
"""What holds on a ward that has no rule set of its own. The version is raised with every clinical change."""

STAND_IN = RuleSet(version=f"{DEFAULT.version} stand-in")
"""The default, in place of a ward's own that cannot be read. Whatever it judges is not judged as meant (R21)."""
