"""Whom an unanswered alert goes to next: a ward's escalation policy.

The default follows the project's clinical rules, section 11; all times are a design decision, need CSO sign-off."""

from dataclasses import dataclass
from enum import StrEnum

STEPS = (1, 10)
"""How many steps a policy has."""
AFTER_MINUTES = (0, 1440)
"""When a step is taken, in minutes after the limit that was passed."""
FIRST_WITHIN = 15
NEXT_WITHIN = 60
"""Minutes: the first step comes at most so long after the limit, each other one so long after the step before. A ward
sets its own times, but may not set escalation off (design decision, needs CSO sign-off)."""
STAFF = "staff:"


class Notify(StrEnum):
    """Who is told. A particular person is `staff:<id>`."""

    ON_DUTY = "on_duty"
    LEAD = "lead"
    OUT_OF_HOURS = "out_of_hours"


class Via(StrEnum):
    """How they are told: by the queue alone, or out of sight of it as well."""

    QUEUE = "queue"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """A field that cannot be: of the step with this number, or of the policy (None)."""

    step: int | None
    field: str
    code: str
    message: str


class PolicyInvalid(ValueError):
    """A policy that cannot be; `problems` names each field."""

    def __init__(self, problems: list[PolicyProblem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `notify` is a Notify or `staff:<id>`; `after_minutes` counts from the passed limit."""

    after_minutes: int
    notify: str
    channel: Via = Via.QUEUE

    @property
    def staff_id(self) -> str | None:
        """The particular person it names, if it does."""
        return self.notify.removeprefix(STAFF) if self.notify.startswith(STAFF) else None


@dataclass(frozen=True, slots=True)
class Policy:
    """The steps in the order they are taken; the last one repeats. Raises PolicyInvalid with every problem found."""

    steps: tuple[Step, ...] = (
        Step(0, Notify.ON_DUTY),
        Step(15, Notify.LEAD),
        Step(30, Notify.OUT_OF_HOURS),
    )

    def __post_init__(self) -> None:
        problems = _problems(self.steps)
        if problems:
            raise PolicyInvalid(problems)

    def step(self, number: int) -> Step:
        """A step by its number from 0; beyond the last one, the last one."""
        return self.steps[min(number, len(self.steps) - 1)]

    def uncovered(self) -> int:
        """The number of the step that is taken when nobody is on duty: the first out-of-hours one, else the last."""
        for number, step in enumerate(self.steps):
            if step.notify == Notify.OUT_OF_HOURS:
                return number
        return len(self.steps) - 1


def _problems(steps: tuple[Step, ...]) -> list[PolicyProblem]:
    if not STEPS[0] <= len(steps) <= STEPS[1]:
        return [PolicyProblem(None, "steps", "out_of_range", f"has {STEPS[0]} to {STEPS[1]} steps")]
    found = []
    earlier = -1
    for number, step in enumerate(steps):
        if not AFTER_MINUTES[0] <= step.after_minutes <= AFTER_MINUTES[1]:
            message = f"lies between {AFTER_MINUTES[0]} and {AFTER_MINUTES[1]} minutes"
            found.append(PolicyProblem(number, "after_minutes", "out_of_range", message))
        elif step.after_minutes <= earlier:
            message = "is later than that of the step before"
            found.append(PolicyProblem(number, "after_minutes", "not_ascending", message))
        elif step.after_minutes > (FIRST_WITHIN if earlier < 0 else earlier + NEXT_WITHIN):
            message = f"is at most {FIRST_WITHIN} for the first step, then at most {NEXT_WITHIN} after the step before"
            found.append(PolicyProblem(number, "after_minutes", "too_late", message))
        earlier = step.after_minutes
        if step.notify not in tuple(Notify) and not step.staff_id:
            message = "is on_duty, lead, out_of_hours or staff:<id>"
            found.append(PolicyProblem(number, "notify", "unknown", message))
    return found


DEFAULT = Policy()
"""Without a policy of its own: whoever is on duty at once, the lead after 15 minutes, out of hours after 30."""
