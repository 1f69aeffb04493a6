"""Readings as the API takes and shows them. The limits are those of `alerts.reading`."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, field_validator, model_validator

from alerts.reading import LIMITS, Consciousness, Context, Feeling, SignalQuality, Source, Symptom
from service.body import Schema
from service.fields import ClientKey, Id, Instant, Name, clean_text

BATCH_ROWS = 1000


def _number(name: str, unit: str, **more: Any) -> Any:
    low, high = LIMITS[name]
    return Field(default=None, strict=True, ge=low, le=high, **more, allow_inf_nan=False, description=unit)


def _whole(name: str, unit: str) -> Any:
    low, high = LIMITS[name]
    return Field(default=None, strict=True, ge=int(low), le=int(high), description=unit)


# What is asked, with a reading or after it.
Symptoms = Annotated[list[Symptom], Field(max_length=len(Symptom))]
BREATHLESSNESS: Any = _number("breathlessness", "Borg CR10, in halves", multiple_of=0.5)
FEELING: Any = Field(default=None, description="Compared with yesterday")
SYMPTOMS: Any = Field(default=None, description="Absent: not asked. Empty: asked, none.")

DeviceText = Annotated[str, StringConstraints(max_length=120), AfterValidator(clean_text)]


class Device(Schema):
    """The device that measured."""

    id: DeviceText | None = None
    model: DeviceText | None = None


class ReadingIn(Schema):
    """One set of observations at one instant. At least one of the observations, `breathlessness`, `feeling` or
    `symptoms` must be there."""

    stay_id: Id | None = Field(default=None, description="May be left out by a patient's own token.")
    client_reading_id: ClientKey | None = Field(default=None, description="The sender's own name for this reading.")
    observed_at: Instant
    client_sent_at: Instant | None = None
    spo2: float | None = _number("spo2", "Oxygen saturation, %")
    pulse_rate: int | None = _whole("pulse_rate", "Pulse, /min")
    respiratory_rate: int | None = _whole("respiratory_rate", "Breaths, /min")
    systolic_bp: int | None = _whole("systolic_bp", "Systolic pressure, mmHg")
    diastolic_bp: int | None = _whole("diastolic_bp", "Diastolic pressure, mmHg")
    temperature: float | None = _number("temperature", "Temperature, °C")
    consciousness: Consciousness | None = Field(default=None, description="ACVPU")
    oxygen_flow: float | None = _number("oxygen_flow", "Oxygen, L/min: 0 is room air, absent is not said")
    context: Context = Context.REST
    breathlessness: float | None = BREATHLESSNESS
    feeling: Feeling | None = FEELING
    symptoms: Symptoms | None = SYMPTOMS
    perfusion_index: float | None = _number("perfusion_index", "Perfusion index, %")
    signal_quality: SignalQuality | None = None
    device: Device | None = None
    source: Source = Source.APP
    entered_by: Name | None = Field(
        default=None,
        description="Who typed it in, when that was somebody else. A patient's own app may not say it; "
        "from a carer's app it is the carer's name, whatever was said.",
    )

    # Around the limits and not within them: so the document of the API shows them.
    @field_validator("pulse_rate", "respiratory_rate", "systolic_bp", "diastolic_bp", mode="before")
    @staticmethod
    def _as_whole(value: Any) -> Any:
        """96.0 is a whole number in JSON, and a refused reading is a lost one."""
        return int(value) if type(value) is float and value.is_integer() else value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, name) is None for name in OBSERVATIONS):
            raise ValueError("must carry at least one observation, breathlessness, feeling or symptoms")
        return self

    def names_given(self) -> int:
        """With those of the device."""
        return len(self.__pydantic_fields_set__) + (0 if self.device is None else self.device.names_given())


OBSERVATIONS = (
    "spo2",
    "pulse_rate",
    "respiratory_rate",
    "systolic_bp",
    "diastolic_bp",
    "temperature",
    "consciousness",
    "breathlessness",
    "feeling",
    "symptoms",
)
"""A reading says at least one of these; oxygen flow or a device alone say nothing about the person."""


class BatchIn(Schema):
    """Many readings at once. Each row is judged alone: one bad row never loses the rest."""

    readings: Annotated[list[ReadingIn], Field(min_length=1, max_length=BATCH_ROWS)]

    def names_given(self) -> int:
        """With those of the readings."""
        return len(self.__pydantic_fields_set__) + sum(map(ReadingIn.names_given, self.readings))


Word = Literal["low", "medium", "high", "critical"]


class Score(BaseModel):
    """NEWS2 of this reading's own values (RCP 2017). Without all seven there is no total and no risk."""

    applicable: bool
    complete: bool
    total: int | None
    minimum_total: int
    risk: Literal["low", "low_medium", "medium", "high"] | None
    scale: Literal[1, 2]
    missing: list[str]
    scores: dict[str, int]


class FindingOut(BaseModel):
    """One rule that fired, and why."""

    rule_id: str
    name: str
    family: str
    severity: Word
    explanation: str


class Assessment(BaseModel):
    """What was made of a reading, and what the person should do now."""

    severity: Word | None
    advice_code: Literal[
        "carry_on",
        "measure_again_now",
        "recheck_within_1_hour",
        "call_the_team",
        "emergency",
        "not_assessed",
    ]
    advice: str
    recheck_by: Instant | None
    ask: list[str]
    assessed_at: Instant
    watched_now: bool
    findings: list[FindingOut]


class AlertChange(BaseModel):
    """What a reading did to an alert."""

    alert_id: Id
    family: str
    change: Literal["opened", "updated", "worsened", "downgraded", "confirmed", "recovered", "resolved", "reopened"]
    severity: Word


class ReadingOut(BaseModel):
    """The answer to a reading: it is kept, judged, and its effect on the queue is visible."""

    reading_id: Id
    stay_id: Id
    client_reading_id: str | None
    observed_at: Instant
    received_at: Instant
    late: bool
    time_corrected: bool
    quality: Literal["good", "fair", "unknown", "poor"]
    judged_spo2: int | None
    news2: Score
    assessment: Assessment
    alerts: list[AlertChange]


class BatchRow(BaseModel):
    """What became of one row of a batch."""

    index: int
    status: Literal["created", "replayed", "rejected"]
    reading: ReadingOut | None = None
    problem: dict[str, Any] | None = None


class BatchOut(BaseModel):
    """What became of a batch, in the order sent."""

    created: int
    replayed: int
    rejected: int
    results: list[BatchRow]
