"""Alerts as the API shows them, and what people send about them. `rendering.py` writes the answers."""

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from alerts.snoozing import LONGEST
from service.body import Schema
from service.feed.schemas import EventOut
from service.fields import Id, Instant, Version, Words
from service.queue.actions import ContactMethod, ContactResult, Outcome


class InputOut(BaseModel):
    """One value a rule looked at."""

    name: str
    value: float | str | None
    unit: str
    reading_id: Id | None
    observed_at: Instant | None


class LimitOut(BaseModel):
    """One limit a rule compared it with."""

    name: str
    value: float | str | None
    unit: str


class ExplanationOut(BaseModel):
    """Why the alert stands. `clears_when`: what would end it, in words."""

    text: str
    rule_ids: list[str]
    rule_set_version: str
    inputs: list[InputOut]
    limits: list[LimitOut]
    source: str
    clears_when: str | None = None


class AlertPatientOut(BaseModel):
    """Whom the alert concerns. Without `patients:read` only the id."""

    id: Id
    family_name: str | None = None
    given_name: str | None = None
    birth_date: date | None = None
    nhs_number: str | None = None


class AlertOut(BaseModel):
    """One episode of one rule family. New values of its words may come; ignore fields you do not know."""

    id: Id
    ward_id: Id
    stay_id: Id | None
    patient: AlertPatientOut | None
    family: str
    channel: str
    title: str
    severity: str
    severity_rank: int
    peak_severity: str
    state: str
    confirmed: bool
    retrospective: bool
    escalation_level: int
    explanation: ExplanationOut
    first_breach_at: Instant
    opened_at: Instant
    last_breach_at: Instant
    recovered_at: Instant | None
    respond_by: Instant | None
    contact_due_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: Id | None
    ack_expires_at: Instant | None
    assigned_to: Id | None
    snoozed_until: Instant | None
    resolved_at: Instant | None
    resolved_by: Id | None
    outcome: str | None
    reading_count: int
    previous_alert_id: Id | None
    version: int


class CountsOut(BaseModel):
    """How many alerts are unresolved, whatever the filter."""

    by_state: dict[str, int]
    by_severity: dict[str, int]


class MetaOut(BaseModel):
    """Which moment the page shows. Follow the feeds from `feed_positions`. `degraded_since` (a banner on every
    queue): the service itself is late, so alerts may be missing."""

    as_of: Instant | None
    feed_positions: dict[str, int]
    feed_epoch: str
    counts: CountsOut
    degraded_since: Instant | None


class QueueOut(BaseModel):
    """A page of the queue, most urgent first."""

    items: list[AlertOut]
    next_cursor: str | None
    meta: MetaOut


class StoryEventOut(EventOut):
    """One thing that happened to the alert; `note` is the text somebody left with it."""

    note: str | None = None


class StoryOut(BaseModel):
    """What happened to an alert, machine and people, in order."""

    items: list[StoryEventOut]
    next_cursor: str | None


class VerbIn(Schema):
    """What a verb needs that changes an alert. `version` (or `If-Match`): the one that was seen."""

    version: Version | None = None


class AcknowledgeIn(VerbIn):
    """Take an alert."""

    note: Words | None = None


class AssignIn(VerbIn):
    """Name somebody of the ward's clinicians to look after an alert; null: nobody any more."""

    staff_id: Id | None


class ReasonIn(VerbIn):
    """Why. It is kept as a note, in the alert's story alone."""

    reason: Words


class SnoozeIn(ReasonIn):
    """Be left alone with an alert for a while: high at most 60 minutes, medium 4 hours, low 12 hours."""

    minutes: Annotated[int, Field(strict=True, ge=1, le=max(LONGEST.values()) // timedelta(minutes=1))]


class SeenIn(Schema):
    """An alert in the version that was seen."""

    id: Id
    version: Version


class AcknowledgeManyIn(Schema):
    """Take several alerts, none of them high or critical."""

    items: Annotated[list[SeenIn], Field(min_length=1, max_length=100)]


class AcknowledgedOut(BaseModel):
    """What became of one of several: the alert as it now stands, or why it was refused."""

    index: int
    id: Id
    status: str
    alert: AlertOut | None = None
    problem: dict[str, Any] | None = None


class AcknowledgedManyOut(BaseModel):
    """What became of each, in the order sent."""

    acknowledged: int
    refused: int
    results: list[AcknowledgedOut]


class ContactIn(Schema):
    """An attempt to reach the person, and what came of it."""

    method: ContactMethod
    result: ContactResult
    note: Words | None = None


class ResolveIn(VerbIn):
    """Close an alert."""

    outcome: Outcome
    note: Words | None = None


class NoteIn(Schema):
    """A note on an alert."""

    text: Words
