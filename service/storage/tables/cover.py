"""Who looks after a ward when, whom an alert goes to next, and what was sent to people out of sight."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, Index, SmallInteger, String, text
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import belongs_to, index_among, instant, key, ref, within, words

NOTICE_STATES = ("waiting", "sent", "dead")
WAITING = text("state = 'waiting'")


class CoverageRow(SQLModel, table=True):
    """One version of a ward's coverage; never changed. The highest is in force; version 1, the default, has no row."""

    __tablename__ = "coverage"
    __table_args__ = (ForeignKeyConstraint(["ward_id"], ["ward.id"]),)

    ward_id: str = key()
    version: int = Field(primary_key=True)
    service_hours: dict[str, Any] = Field(sa_type=JSON)
    on_duty: dict[str, Any] = Field(sa_type=JSON)
    author_id: str = ref()
    created_at: datetime = instant()


class EscalationPolicyRow(SQLModel, table=True):
    """One version of a ward's escalation policy; never changed. The highest is in force; version 1, the default, has
    no row."""

    __tablename__ = "escalation_policy"
    __table_args__ = (ForeignKeyConstraint(["ward_id"], ["ward.id"]),)

    ward_id: str = key()
    version: int = Field(primary_key=True)
    steps: list[dict[str, Any]] = Field(sa_type=JSON)
    out_of_hours_email: str | None = Field(default=None, sa_type=String(254))
    author_id: str = ref()
    created_at: datetime = instant()


class NoticeRow(SQLModel, table=True):
    """A message that somebody out of sight is to get about an alert, and what became of it: the outbox.

    It has no recipient until the people of its step are looked up; then there is one row for each of them.
    `due_at`: when it is tried next, by the ward's clock; whoever tries it first moves that on."""

    __tablename__ = "notice"
    __table_args__ = (
        words("state", NOTICE_STATES),
        within("severity", 1, 4),
        belongs_to("alert", "alert_id"),
        index_among(WAITING, "ix_notice_waiting", "due_at"),
        Index("ix_notice_alert_id", "ward_id", "alert_id"),
    )

    ward_id: str = key()
    id: str = key()
    alert_id: str = ref()
    severity: int = Field(sa_type=SmallInteger)
    step: int = Field(sa_type=SmallInteger)
    at: datetime = instant()
    recipient: str | None = Field(default=None, sa_type=String(60))
    state: str = Field(default="waiting", sa_type=String(8))
    attempts: int = Field(default=0, sa_type=SmallInteger)
    due_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    problem: str | None = Field(default=None, sa_type=String(60))
