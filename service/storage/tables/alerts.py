"""Alerts in two tables: what the machine found, and what people did about it. Intake writes only the first."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, SmallInteger, String, desc, text
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import belongs_to, due, index_among, index_of, instant, key, ref, within, words

ALERT_STATES = ("open", "acknowledged", "recovered", "resolved")
UNRESOLVED = text("state <> 'resolved'")
RESOLVED = text("state = 'resolved'")


class AlertRow(SQLModel, table=True):
    """One episode of one rule family for one subject: the state that the engine's fold and the life cycle give it.

    `subject` is what the alert is about (`stay:<id>`, `ward:<id>`, `webhook:<id>`); the unique index over it is what
    guarantees one unresolved alert per subject and family. `respond_by` is never NULL, so that it sorts the same on
    both databases: the end of time means that nothing is due. `limit_at`: when the next limit for people passes
    (NULL: to be looked at once). `machine` is the engine's checkpoint."""

    __tablename__ = "alert"
    __table_args__ = (
        words("state", ALERT_STATES),
        within("severity", 1, 4),
        belongs_to("stay", "stay_id"),
        index_among(UNRESOLVED, "uq_alert_one_unresolved", "subject", "family", unique=True),
        index_among(UNRESOLVED, "ix_alert_queue", desc("severity"), "taken", "respond_by", "id"),
        # The last two are no order: by them most of what a filter leaves out is passed over inside the index.
        index_among(RESOLVED, "ix_alert_closed", desc("severity"), "taken", "respond_by", "id", "family", "channel"),
        index_of("ix_alert_of_stay", "stay_id", "family", "opened_at"),
        due("alert", "limit_at", UNRESOLVED),
    )

    ward_id: str = key()
    id: str = key()
    subject: str = Field(sa_type=String(60))
    stay_id: str | None = ref(nullable=True)
    patient_id: str | None = ref(nullable=True)
    family: str = Field(sa_type=String(20))
    channel: str = Field(sa_type=String(12))
    title: str = Field(sa_type=String(60))
    state: str = Field(sa_type=String(12))
    taken: bool = False
    severity: int = Field(sa_type=SmallInteger)
    peak_severity: int = Field(sa_type=SmallInteger)
    confirmed: bool = False
    retrospective: bool = False
    escalation_level: int = Field(default=0, sa_type=SmallInteger)
    first_breach_at: datetime = instant()
    opened_at: datetime = instant()
    last_breach_at: datetime = instant()
    recovered_at: datetime | None = instant(nullable=True)
    resolved_at: datetime | None = instant(nullable=True)
    respond_by: datetime = instant()
    contact_due_at: datetime | None = instant(nullable=True)
    next_due_at: datetime | None = instant(nullable=True)
    limit_at: datetime | None = instant(nullable=True)
    reading_count: int = 1
    previous_alert_id: str | None = ref(nullable=True)
    explanation: dict[str, Any] = Field(sa_type=JSON)
    machine: dict[str, Any] = Field(sa_type=JSON)
    version: int = 1


class AlertResponseRow(SQLModel, table=True):
    """What people did about an alert. Written by the clinician's verbs alone."""

    __tablename__ = "alert_response"
    __table_args__ = (belongs_to("alert", "alert_id"),)

    ward_id: str = key()
    alert_id: str = key()
    acknowledged_at: datetime | None = instant(nullable=True)
    acknowledged_by: str | None = ref(nullable=True)
    ack_expires_at: datetime | None = instant(nullable=True)
    assigned_to: str | None = ref(nullable=True)
    snoozed_until: datetime | None = instant(nullable=True)
    contacted_at: datetime | None = instant(nullable=True)
    resolved_by: str | None = ref(nullable=True)
    outcome: str | None = Field(default=None, sa_type=String(30))


class AlertNoteRow(SQLModel, table=True):
    """A note on an alert: free text about a person, so it lives here and not in the feed."""

    __tablename__ = "alert_note"
    __table_args__ = (
        belongs_to("alert", "alert_id"),
        Index("ix_alert_note_alert_id", "ward_id", "alert_id", "at"),
    )

    ward_id: str = key()
    id: str = key()
    alert_id: str = ref()
    at: datetime = instant()
    author_id: str = ref()
    text: str = Field(sa_type=String(2000))
