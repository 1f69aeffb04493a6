"""Readings, the keys that make sending twice safe, and the refusals that were not readings."""

from datetime import datetime

from sqlalchemy import Index, SmallInteger, String
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import belongs_to, index_of, instant, key, ref


class ReadingRow(SQLModel, table=True):
    """One set of observations at one instant, as it was sent, and how it was judged when it arrived.

    `copied_from`: the id it has on the ward the person came from, for one that came along with a transfer.

    `observed_at` is the instant it is judged at; `claimed_at` the one that was sent, where that lay in the future.
    `symptoms`: comma-separated; empty = asked, none; NULL = not asked. `answers`: the reading whose question this one
    answers. What was entered in error is marked, never deleted."""

    __tablename__ = "reading"
    __table_args__ = (
        belongs_to("stay", "stay_id"),
        index_of("ix_reading_of_stay", "stay_id", "observed_at"),
        index_of("ix_reading_received_at", "received_at", "id"),
    )

    ward_id: str = key()
    id: str = key()
    stay_id: str = ref()
    client_reading_id: str | None = Field(default=None, sa_type=String(128))
    observed_at: datetime = instant()
    observed_offset: int = Field(default=0, sa_type=SmallInteger)
    claimed_at: datetime | None = instant(nullable=True)
    received_at: datetime = instant()
    client_sent_at: datetime | None = instant(nullable=True)
    spo2: float | None = None
    pulse_rate: int | None = Field(default=None, sa_type=SmallInteger)
    respiratory_rate: int | None = Field(default=None, sa_type=SmallInteger)
    systolic_bp: int | None = Field(default=None, sa_type=SmallInteger)
    diastolic_bp: int | None = Field(default=None, sa_type=SmallInteger)
    temperature: float | None = None
    consciousness: str | None = Field(default=None, sa_type=String(12))
    oxygen_flow: float | None = None
    context: str = Field(default="rest", sa_type=String(40))
    breathlessness: float | None = None
    feeling: str | None = Field(default=None, sa_type=String(8))
    symptoms: str | None = Field(default=None, sa_type=String(400))
    perfusion_index: float | None = None
    signal_quality: str | None = Field(default=None, sa_type=String(8))
    quality: str = Field(sa_type=String(8))
    device_id: str | None = Field(default=None, sa_type=String(120))
    device_model: str | None = Field(default=None, sa_type=String(120))
    source: str = Field(default="app", sa_type=String(8))
    entered_by: str | None = Field(default=None, sa_type=String(120))
    sender_id: str = ref()
    late: bool = False
    plan_version: int = 1
    rule_set_version: str = Field(sa_type=String(20))
    severity: int | None = Field(default=None, sa_type=SmallInteger)
    answers: str | None = ref(nullable=True)
    entered_in_error_at: datetime | None = instant(nullable=True)
    entered_in_error_by: str | None = ref(nullable=True)
    entered_in_error_reason: str | None = Field(default=None, sa_type=String(500))
    copied_from: str | None = ref(nullable=True)


class IdempotencyRow(SQLModel, table=True):
    """The name a sender gave a reading, and what became of it. Kept for the stay and 90 days."""

    __tablename__ = "idempotency"

    ward_id: str = key()
    stay_id: str = key()
    sender_id: str = key()
    key: str = Field(sa_type=String(160), primary_key=True)
    content: str = Field(sa_type=String(64))
    reading_id: str = ref()
    received_at: datetime = instant()


class RefusalRow(SQLModel, table=True):
    """A reading that was refused: that it came, when, and why. Never a value."""

    __tablename__ = "refusal"
    __table_args__ = (
        belongs_to("stay", "stay_id"),
        Index("ix_refusal_stay_id_at", "ward_id", "stay_id", "at"),
    )

    ward_id: str = key()
    id: str = key()
    stay_id: str = ref()
    at: datetime = instant()
    code: str = Field(sa_type=String(40))
