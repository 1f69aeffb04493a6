"""Stays and plans as the API takes and gives them."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from service.body import Schema
from service.care.plans import PlanVersion
from service.care.store import Stay
from service.care.views import AMBER_AGAIN, LastReading, OpenAlert
from service.fields import Day, Id, Instant, LongText, PatientText, SeenVersion, clean_text
from service.queue.actions import Outcome

Status = Literal["active", "paused", "discharged"]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(clean_text)
]


class PlanIn(Schema):
    """A plan, or what is to change of one. SpO2 in percent, flow in L/min, breathlessness Borg 0-10.

    The plan itself checks how the fields fit together and their bounds."""

    profile: Literal["standard", "hypercapnic", "custom"] | None = None
    baseline_spo2: Annotated[Whole | None, Field(description="70-100")] = None
    usual_breathlessness: Annotated[Number | None, Field(description="Borg 0-10, in halves")] = None
    prescribed_oxygen_flow: Annotated[Number | None, Field(description="0-60 L/min; 0 is air")] = None
    pregnant: StrictBool | None = None
    red_at: Annotated[Whole | None, Field(description="80-94; below 88 another clinician approves")] = None
    amber_at: Annotated[Whole | None, Field(description="red_at + 1 to 96")] = None
    target_low: Annotated[Whole | None, Field(description="amber_at + 1 to 98")] = None
    reading_times: Annotated[list[Annotated[str, StringConstraints(max_length=5)]], Field(max_length=24)] | None = None
    treatment_escalation: Literal["full", "limited"] | None = None
    patient_text: PatientText = None
    reason: LongText | None = None
    review_on: Day | None = None

    def asked(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True, exclude={"version"})


class PlanPatch(PlanIn):
    """What is to change of a plan; a null sets a field back."""

    version: SeenVersion = None


class StayIn(Schema):
    """Somebody to be admitted."""

    patient_id: Id
    plan: PlanIn | None = None
    previous_stay_id: Id | None = None

    def asked(self) -> dict[str, Any]:
        """The fields of the plan that were sent."""
        return self.plan.asked() if self.plan else {}


class ActIn(Schema):
    """A change that needs no more than the version that was seen."""

    version: SeenVersion = None


class PauseIn(ActIn):
    """No reminders of missed readings until then; red rules go on."""

    until: Instant
    reason: Reason


class DischargeIn(ActIn):
    """The end of a stay, with what became of its alerts."""

    reason: Reason
    outcomes: dict[Id, Outcome] = Field(default_factory=dict, description="By alert id", max_length=100)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LimitsOut(_Out):
    """SpO2 limits in percent that readings are judged by."""

    red_at: int
    amber_at: int
    target_low: int


class PlanOut(_Out):
    """One version of a plan."""

    version: int
    profile: str
    baseline_spo2: int | None
    usual_breathlessness: float | None
    prescribed_oxygen_flow: float | None
    pregnant: bool | None
    red_at: int | None
    red_at_approved: bool = Field(description="False: proposed; another clinician has to approve it")
    approved_by: str | None
    amber_at: int | None
    target_low: int | None
    reading_times: list[str]
    treatment_escalation: str | None
    patient_text: str | None
    reason: str | None
    review_on: date | None
    author_id: str | None
    created_at: Instant


class PlansOut(BaseModel):
    """Every version of a stay's plan, newest first."""

    items: list[PlanOut]
    next_cursor: str | None = None

    @classmethod
    def of(cls, versions: list[PlanVersion]) -> "PlansOut":
        """The answer for the versions."""
        return cls(items=[PlanOut.model_validate(each) for each in versions])


class WarningOut(_Out):
    """Something a clinician should look at, though the plan was accepted."""

    field: str
    code: str
    message: str


class LastReadingOut(_Out):
    """The latest reading by time of observation. Show its age: `observed_at`."""

    reading_id: str
    observed_at: Instant
    received_at: Instant
    spo2: float | None
    pulse_rate: int | None
    respiratory_rate: int | None
    temperature: float | None
    context: str
    quality: str
    late: bool


class OpenAlertOut(_Out):
    """An alert that is not resolved."""

    id: str
    family: str
    channel: str
    title: str
    severity: str
    state: str
    opened_at: Instant
    respond_by: Instant | None
    version: int


class StayOut(_Out):
    """A stay, with the plan in force."""

    id: str
    ward_id: str
    patient_id: str
    status: Status
    admitted_at: Instant
    previous_stay_id: str | None
    paused_until: Instant | None
    pause_reason: str | None
    discharged_at: Instant | None
    discharge_reason: str | None
    version: int
    plan: PlanOut
    limits: LimitsOut | None = Field(description="In force; null for a plan the engine cannot read")
    warnings: list[WarningOut] = Field(default_factory=list)

    @classmethod
    def of(cls, stay: Stay) -> "StayOut":
        """The answer for a stay."""
        shown = cls.model_validate(stay)
        shown.warnings = [WarningOut.model_validate(each) for each in stay.plan.warnings()]
        return shown


class StayDetailOut(StayOut):
    """A stay, with its last reading and unresolved alerts: null for a token that may not read them."""

    last_reading: LastReadingOut | None = None
    open_alerts: list[OpenAlertOut] | None = None

    @classmethod
    def of_detail(
        cls, stay: Stay, last: LastReading | None, alerts: list[OpenAlert] | None, *, amber_again: bool
    ) -> "StayDetailOut":
        """The answer for a stay and what there is to see of it."""
        shown = cls.model_validate(StayOut.of(stay).model_dump())
        if amber_again:
            shown.warnings.append(WarningOut.model_validate(AMBER_AGAIN))
        shown.last_reading = LastReadingOut.model_validate(last) if last else None
        if alerts is not None:
            shown.open_alerts = [OpenAlertOut.model_validate(each) for each in alerts]
        return shown


class StaysOut(BaseModel):
    """A page of stays."""

    items: list[StayDetailOut]
    next_cursor: str | None
