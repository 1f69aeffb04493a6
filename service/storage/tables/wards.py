"""Wards and the feed that numbers what happens on each."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String
from sqlmodel import Field, SQLModel

from service.storage.portable import IdType
from service.storage.tables.columns import instant, key, ref


class WardRow(SQLModel, table=True):
    """A virtual ward: the unit of access, of numbering and of scale.

    `cover_version` rises with whatever changes what the intake needs to know of it: the zone, whom to ring, the
    coverage, the escalation policy."""

    __tablename__ = "ward"

    id: str = key()
    name: str = Field(sa_type=String(120))
    ods_code: str | None = Field(default=None, sa_type=String(12))
    time_zone: str = Field(default="Europe/London", sa_type=String(64))
    phone: str | None = Field(default=None, sa_type=String(40))
    out_of_hours_text: str | None = Field(default=None, sa_type=String(2000))
    rule_set_number: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    shadow_number: int | None = None
    version: int = 1
    cover_version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: datetime = instant()


class WardFeedRow(SQLModel, table=True):
    """The last event number of a ward and the counts of its unresolved alerts as of that number.

    The row is locked last by every writer, which is what makes the numbers gapless and visible in order. It has no
    foreign keys, so that locking it waits for nothing else."""

    __tablename__ = "ward_feed"

    ward_id: str = key()
    epoch: str = Field(sa_type=IdType)
    last_number: int = Field(default=0, sa_type=BigInteger)
    last_at: datetime | None = instant(nullable=True)
    open: int = 0
    acknowledged: int = 0
    recovered: int = 0
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0


class EventRow(SQLModel, table=True):
    """One numbered change on a ward, as it stood then, without identity."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject", "ward_id", "subject_id", "number"),)

    ward_id: str = key()
    number: int = Field(sa_type=BigInteger, primary_key=True)
    type: str = Field(sa_type=String(40))
    at: datetime = instant()
    subject_type: str = Field(sa_type=String(20))
    subject_id: str = ref()
    actor_id: str | None = ref(nullable=True)
    data: dict[str, Any] = Field(sa_type=JSON)
