"""The plan of a stay: the person's limits, what is usual for them, and what they wish. It validates
itself."""

from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from alerts.reading import LIMITS

LOWEST_UNAPPROVED_RED = 88
"""A red limit below this is in force only once a second clinician agrees (design decision, needs CSO sign-
off)."""

LOW_BASELINE = 95
"""Percent: a clinician is asked to review the limits, which are never changed by themselves (design decision, needs
CSO sign-off)."""

HOME_OXYGEN_PROFILES = ("hypercapnic", "custom")


class Profile(StrEnum):
    """Which limits apply. BTS 2017 target ranges: 94-98 for most adults, 88-92 at risk of hypercapnic
    failure."""

    STANDARD = "standard"
    HYPERCAPNIC = "hypercapnic"
    CUSTOM = "custom"


_HYPERCAPNIC = Profile.HYPERCAPNIC


class TreatmentEscalation(StrEnum):
    """The person's recorded wishes. `limited` replaces every 999 text by the plan's own `patient_text`."""

    FULL = "full"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Limits:
    """SpO2 in percent: red at or below `red_at`, amber at or below `amber_at`, target from `target_low`."""

    red_at: int
    amber_at: int
    target_low: int


STANDARD_LIMITS = Limits(red_at=92, amber_at=94, target_low=94)
"""NHS CO@h bands; target BTS 2017."""

HYPERCAPNIC_LIMITS = Limits(red_at=85, amber_at=87, target_low=88)
"""Target 88-92 BTS 2017; the bands below it are a design decision, needs CSO sign-off."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a plan: the field, a code that stays, a message for a person."""

    field: str
    code: str
    message: str


class PlanInvalid(ValueError):
    """The plan contradicts itself or leaves its bounds."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """SpO2 limits in percent, flow in L/min (0 is air, None not stated), breathlessness Borg 0-10.

    `red_at`, `amber_at` and `target_low` are the proposal of a custom plan; `limits` are what follows from the plan
    alone. They are in force for a custom plan; for the other profiles the ward's rule set says (`RuleSet.limits`).
    Bounds are a design decision, need CSO sign-off. Raises PlanInvalid with every problem found.
    """

    profile: Profile = Profile.STANDARD
    baseline_spo2: int | None = None
    usual_breathlessness: float | None = None
    prescribed_oxygen_flow: float | None = None
    pregnant: bool = False
    red_at: int | None = None
    amber_at: int | None = None
    target_low: int | None = None
    red_at_approved: bool = False
    reading_times: tuple[str, ...] = ("09:00", "13:00", "19:00")
    treatment_escalation: TreatmentEscalation = TreatmentEscalation.FULL
    patient_text: str | None = None
    reason: str | None = None
    review_on: date | None = None
    version: int = 1
    limits: Limits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = [*_profile_problems(self), *_value_problems(self), *_time_problems(self.reading_times)]
        if problems:
            raise PlanInvalid(problems)
        object.__setattr__(self, "limits", _limits_in_force(self))

    @property
    def news2_scale(self) -> int:
        """Scale 2 only for the hypercapnic profile, which a clinician chose and documented (RCP NEWS2
        2017)."""
        return 2 if self.profile == _HYPERCAPNIC else 1

    def differs_in(self, other: "Plan") -> set[str]:
        """The names of the fields that are not the same."""
        names = (f.name for f in fields(self) if f.compare)
        return {name for name in names if getattr(self, name) != getattr(other, name)}

    def warnings(self) -> tuple[Problem, ...]:
        """What a clinician should look at, though the plan is accepted."""
        found = []
        if self.prescribed_oxygen_flow and self.profile not in HOME_OXYGEN_PROFILES:
            message = "Home oxygen without personal limits: choose the hypercapnic or a custom profile."
            found.append(Problem("profile", "home_oxygen_without_profile", message))
        if self.baseline_spo2 is not None and self.baseline_spo2 <= LOW_BASELINE and self.profile == Profile.STANDARD:
            message = f"A usual SpO2 of {LOW_BASELINE} or less: are the standard limits right for this person?"
            found.append(Problem("baseline_spo2", "baseline_low", message))
        return tuple(found)


def _limits_in_force(plan: Plan) -> Limits:
    if plan.profile == Profile.HYPERCAPNIC:
        return HYPERCAPNIC_LIMITS
    if plan.red_at is None or plan.amber_at is None:
        return STANDARD_LIMITS
    red_at = plan.red_at if plan.red_at_approved else max(plan.red_at, LOWEST_UNAPPROVED_RED)
    # A held-up red limit pushes amber along: there is always one amber value below green.
    amber_at = max(plan.amber_at, red_at + 1)
    return Limits(red_at, amber_at, max(plan.target_low or 0, amber_at + 1))


def _profile_problems(plan: Plan) -> list[Problem]:
    if plan.profile == Profile.CUSTOM:
        return [*_custom_missing(plan), *_custom_bounds(plan)]
    problems = [
        Problem(name, "only_with_custom", "Only a custom plan has its own limits.")
        for name in ("red_at", "amber_at", "target_low")
        if getattr(plan, name) is not None
    ]
    if plan.profile == Profile.HYPERCAPNIC and (plan.baseline_spo2 or 0) >= 94 and not plan.reason:
        message = "A usual SpO2 of 94 or more does not fit an 88-92 target; give the reason."
        problems.append(Problem("reason", "required", message))
    return problems


def _custom_missing(plan: Plan) -> list[Problem]:
    return [
        Problem(name, "required", "A custom plan needs red_at, amber_at, reason and review_on.")
        for name in ("red_at", "amber_at", "reason", "review_on")
        if not getattr(plan, name)
    ]


def _custom_bounds(plan: Plan) -> list[Problem]:
    problems = []
    red_at, amber_at = plan.red_at, plan.amber_at
    if red_at is not None and not 80 <= red_at <= 94:
        problems.append(Problem("red_at", "out_of_range", "red_at lies between 80 and 94."))
    if red_at is not None and amber_at is not None and not red_at + 1 <= amber_at <= 96:
        problems.append(Problem("amber_at", "out_of_range", "amber_at lies between red_at + 1 and 96."))
    if plan.target_low is not None and not (amber_at or 0) + 1 <= plan.target_low <= 98:
        problems.append(Problem("target_low", "out_of_range", "target_low lies between amber_at + 1 and 98."))
    return problems


def _value_problems(plan: Plan) -> list[Problem]:
    problems = []
    if plan.baseline_spo2 is not None and not 70 <= plan.baseline_spo2 <= 100:
        problems.append(Problem("baseline_spo2", "out_of_range", "The usual SpO2 lies between 70 and 100."))
    usual, flow = plan.usual_breathlessness, plan.prescribed_oxygen_flow
    if usual is not None and not (0 <= usual <= 10 and usual * 2 == int(usual * 2)):
        problems.append(Problem("usual_breathlessness", "out_of_range", "Borg 0 to 10, in halves."))
    lowest, highest = LIMITS["oxygen_flow"]
    if flow is not None and not lowest <= flow <= highest:
        problems.append(Problem("prescribed_oxygen_flow", "out_of_range", "0 to 60 L/min; 0 is air."))
    if plan.treatment_escalation == TreatmentEscalation.LIMITED and not plan.patient_text:
        message = "Limited treatment escalation needs the text the person is to read instead of 999."
        problems.append(Problem("patient_text", "required", message))
    return problems


def _time_problems(times: tuple[str, ...]) -> list[Problem]:
    if not all(_is_time(time) for time in times):
        return [Problem("reading_times", "invalid", "Times of day are written HH:MM.")]
    if len(set(times)) != len(times):
        return [Problem("reading_times", "duplicate", "Each time of day once.")]
    if list(times) != sorted(times):
        return [Problem("reading_times", "unsorted", "Times of day in order.")]
    return []


def _is_time(text: str) -> bool:
    hours, colon, minutes = text[:2], text[2:3], text[3:]
    if colon != ":" or not (len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()):
        return False
    return int(hours) < 24 and int(minutes) < 60
