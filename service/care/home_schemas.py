"""A stay as the API gives it to its patient and their carers."""

from pydantic import BaseModel, ConfigDict, Field

from service.care.home import MyStay
from service.care.schemas import LimitsOut
from service.fields import Instant

BOUND = (
    "This app is paired with this stay alone. When the stay ends or moves to another ward, its access ends too: the "
    "calls then answer 401 pairing_ended, nothing that is sent is received, and the team gives out a new code."
)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SlotOut(_Out):
    """A reading that is asked for, and from when until when it may come."""

    at: Instant
    opens_at: Instant
    closes_at: Instant


class RingNowOut(_Out):
    """Whom to ring now: the ward's phone within its hours, else what the ward's own text says."""

    phone: str | None
    text: str | None


class SentOut(_Out):
    """A reading as it was kept."""

    reading_id: str
    client_reading_id: str | None
    observed_at: Instant
    received_at: Instant
    spo2: float | None
    pulse_rate: int | None
    seen_at: Instant | None = Field(description="When the team first acted on the stay after it came; null: not yet")


class MyStayOut(BaseModel):
    """One's own stay."""

    stay_id: str
    status: str
    as_of: Instant
    admitted_at: Instant
    paused_until: Instant | None
    time_zone: str
    limits: LimitsOut | None
    baseline_spo2: int | None
    patient_text: str | None
    reading_times: list[str]
    next_reading: SlotOut | None = Field(description="The first that is asked for and has not come")
    watched_now: bool = Field(description="Whether somebody of the ward is on duty now")
    ring: RingNowOut
    recent_readings: list[SentOut] = Field(description="Of the last 48 hours, newest first")
    notice: str = BOUND

    @classmethod
    def of(cls, mine: MyStay) -> "MyStayOut":
        """The stay as it stands."""
        stay, plan = mine.stay, mine.stay.plan
        return cls(
            stay_id=stay.id,
            status=stay.status,
            as_of=mine.as_of,
            admitted_at=stay.admitted_at,
            paused_until=stay.paused_until,
            time_zone=mine.time_zone,
            limits=None if stay.limits is None else LimitsOut.model_validate(stay.limits),
            baseline_spo2=plan.baseline_spo2,
            patient_text=plan.patient_text,
            reading_times=list(plan.reading_times),
            next_reading=None if mine.next_reading is None else SlotOut.model_validate(mine.next_reading),
            watched_now=mine.watched_now,
            ring=RingNowOut.model_validate(mine.ring),
            recent_readings=[SentOut.model_validate(each) for each in mine.recent],
        )
