"""Escalation policies as the API takes and gives them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from alerts.policy import AFTER_MINUTES, STAFF, STEPS, Notify, Step, Via
from service.body import Schema
from service.fields import CleanText, Email, SeenVersion, canonical_id


def _notify(value: str) -> str:
    if value in tuple(Notify):
        return value
    staff_id = canonical_id(value.removeprefix(STAFF)) if value.startswith(STAFF) else None
    if staff_id is None:
        raise ValueError("must be on_duty, lead, out_of_hours or staff:<id>")
    return f"{STAFF}{staff_id}"


Told = Annotated[CleanText, StringConstraints(max_length=60), AfterValidator(_notify)]
Minutes = Annotated[int, Field(strict=True, ge=AFTER_MINUTES[0], le=AFTER_MINUTES[1])]


class StepIn(Schema):
    """One step: `after_minutes` counts from the limit that was passed."""

    after_minutes: Minutes
    notify: Annotated[Told, Field(description="on_duty, lead, out_of_hours or staff:<id>")]
    channel: Via = Via.QUEUE

    def step(self) -> Step:
        """The step of the engine."""
        return Step(self.after_minutes, self.notify, self.channel)


class PolicyIn(Schema):
    """A ward's whole escalation policy; it replaces the one before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "steps": [
                        {"after_minutes": 0, "notify": "on_duty", "channel": "email"},
                        {"after_minutes": 15, "notify": "lead", "channel": "email"},
                        {"after_minutes": 30, "notify": "out_of_hours", "channel": "email"},
                    ],
                    "out_of_hours_email": "night.desk@hospital.example",
                    "version": 1,
                }
            ]
        }
    )

    steps: Annotated[list[StepIn], Field(min_length=STEPS[0], max_length=STEPS[1])]
    out_of_hours_email: Email | None = None
    version: SeenVersion = None


class StepOut(BaseModel):
    """One step."""

    after_minutes: int
    notify: str
    channel: Via


class PolicyOut(BaseModel):
    """A ward's escalation policy."""

    steps: list[StepOut]
    out_of_hours_email: str | None
    version: int
