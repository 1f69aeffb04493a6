"""Readings as they are kept, and lists of them."""

from pydantic import BaseModel, Field

from service.fields import Id, Instant
from service.readings.schemas import Device, Word


class ReadingRecord(BaseModel):
    """A reading as it is kept."""

    reading_id: Id
    client_reading_id: str | None
    observed_at: Instant
    observed_offset: int = Field(description="Minutes east of UTC, as it was sent")
    claimed_at: Instant | None = Field(description="The time that was sent, where it lay in the future")
    received_at: Instant
    client_sent_at: Instant | None
    spo2: float | None
    pulse_rate: int | None
    respiratory_rate: int | None
    systolic_bp: int | None
    diastolic_bp: int | None
    temperature: float | None
    consciousness: str | None
    oxygen_flow: float | None
    context: str
    breathlessness: float | None
    feeling: str | None
    symptoms: list[str] | None
    perfusion_index: float | None
    signal_quality: str | None
    quality: str
    device: Device | None
    source: str
    entered_by: str | None
    late: bool
    time_corrected: bool
    severity: Word | None
    answers: Id | None = Field(description="The reading whose question this one answers")
    copied_from: Id | None = Field(description="Its id on the ward the person came from, where it came along")
    entered_in_error: bool


class WardReadingRecord(ReadingRecord):
    """A reading as it is kept, with its stay."""

    stay_id: Id


class WardReadingPage(BaseModel):
    """Readings of a ward in order of receipt. The list is complete up to `watermark`; what came later is in it as far
    as it is known: go on with `received_after` the watermark, and take each `reading_id` once. Readings that came along
    with a transfer keep the receipt they had on the other ward, which may lie before a watermark told here: after an
    event `stay.admitted` with the reason `transferred`, look for them in the stay's own history."""

    items: list[WardReadingRecord]
    next_cursor: str | None
    watermark: Instant


class ReadingPage(BaseModel):
    """Readings of a stay, newest first."""

    items: list[ReadingRecord]
    next_cursor: str | None
