"""Patients, their stays and the versions of their plans."""

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKeyConstraint, Index, String, text
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import belongs_to, due, index_among, index_of, instant, key, ref, within, words

STAY_STATUSES = ("active", "paused", "discharged")
GOES_ON = text("status <> 'discharged'")
IDENTIFIER_SYSTEMS = ("nhs_number", "mrn")
TRANSFER_STATUSES = ("pending", "accepted", "declined")
ERASURE_STATUSES = ("proposed", "withdrawn", "carried_out")
ERASURE_REASONS = ("request_granted", "registered_in_error", "unlawful_processing", "court_order")
PROFILES = ("standard", "hypercapnic", "custom")


class PatientRow(SQLModel, table=True):
    """A person on one ward. On two wards the person has a record on each.

    `erased_at`: when the identity was removed for good (real time); what is left stands under the id alone."""

    __tablename__ = "patient"
    __table_args__ = (ForeignKeyConstraint(["ward_id"], ["ward.id"]),)

    ward_id: str = key()
    id: str = key()
    family_name: str = Field(sa_type=String(120))
    given_name: str = Field(sa_type=String(120))
    birth_date: date
    phone: str | None = Field(default=None, sa_type=String(40))
    language: str | None = Field(default=None, sa_type=String(35))
    contact_hold: bool = False
    deceased: bool = False
    version: int = 1
    created_at: datetime = instant()
    erased_at: datetime | None = instant(nullable=True)


class PatientIdentifierRow(SQLModel, table=True):
    """A number by which a patient is known; unique on the ward."""

    __tablename__ = "patient_identifier"
    __table_args__ = (
        words("system", IDENTIFIER_SYSTEMS),
        belongs_to("patient", "patient_id"),
        Index("ix_patient_identifier_patient_id", "ward_id", "patient_id"),
    )

    ward_id: str = key()
    system: str = Field(sa_type=String(20), primary_key=True)
    value: str = Field(sa_type=String(64), primary_key=True)
    patient_id: str = ref()


class StayRow(SQLModel, table=True):
    """From admission to discharge. Whoever changes readings, plans or alerts of a stay locks this row first.

    `due_at`: when it has to be looked at though nothing arrives. It may come too early, never too late; NULL: at
    once. `watch`: what the engine's clock over the stay remembers (JSON); NULL: nobody has watched it yet."""

    __tablename__ = "stay"
    __table_args__ = (
        words("status", STAY_STATUSES),
        belongs_to("patient", "patient_id"),
        index_among(GOES_ON, "uq_stay_one_active", "patient_id", unique=True),
        index_of("ix_stay_patient_id", "patient_id"),
        due("stay", "due_at", GOES_ON),
        due("stay", "paused_until", text("status = 'paused'")),
    )

    ward_id: str = key()
    id: str = key()
    patient_id: str = ref()
    status: str = Field(default="active", sa_type=String(12))
    admitted_at: datetime = instant()
    sixteen_on: date
    plan_version: int = 1
    previous_stay_id: str | None = ref(nullable=True)
    paused_until: datetime | None = instant(nullable=True)
    pause_reason: str | None = Field(default=None, sa_type=String(200))
    discharged_at: datetime | None = instant(nullable=True)
    discharge_reason: str | None = Field(default=None, sa_type=String(200))
    due_at: datetime | None = instant(nullable=True)
    watch: str | None = Field(default=None, sa_type=String(1000))
    version: int = 1


class ErasureRow(SQLModel, table=True):
    """That somebody asked for a patient's identity to be removed, and what another person decided. Real time.

    The reason is a word and the reference a number of the hospital's own register: neither can hold a name."""

    __tablename__ = "erasure"
    __table_args__ = (
        words("status", ERASURE_STATUSES),
        words("reason", ERASURE_REASONS),
        belongs_to("patient", "patient_id"),
        Index("ix_erasure_patient_id", "ward_id", "patient_id"),
        index_among(text("status = 'proposed'"), "uq_erasure_one_proposed", "patient_id", unique=True),
    )

    ward_id: str = key()
    id: str = key()
    patient_id: str = ref()
    status: str = Field(default="proposed", sa_type=String(12))
    reason: str = Field(sa_type=String(24))
    reference: str | None = Field(default=None, sa_type=String(40))
    proposed_at: datetime = instant()
    proposed_by: str = ref()
    decided_at: datetime | None = instant(nullable=True)
    decided_by: str | None = ref(nullable=True)


class TransferRow(SQLModel, table=True):
    """A stay offered to another ward by somebody who does not work there. It belongs to the ward that is asked; what
    is offered stays where it is until that ward accepts."""

    __tablename__ = "transfer"
    __table_args__ = (
        words("status", TRANSFER_STATUSES),
        ForeignKeyConstraint(["ward_id"], ["ward.id"]),
        index_among(text("status = 'pending'"), "uq_transfer_one_pending", "stay_id", unique=True),
    )

    ward_id: str = key()
    id: str = key()
    from_ward_id: str = ref()
    stay_id: str = ref()
    status: str = Field(default="pending", sa_type=String(12))
    proposed_at: datetime = instant()
    proposed_by: str = ref()
    proposer_kind: str = Field(sa_type=String(20))
    decided_at: datetime | None = instant(nullable=True)
    decided_by: str | None = ref(nullable=True)
    new_stay_id: str | None = ref(nullable=True)


class PlanRow(SQLModel, table=True):
    """One version of a stay's plan; never changed, so it can be cached for ever."""

    __tablename__ = "plan"
    __table_args__ = (
        words("profile", PROFILES),
        within("baseline_spo2", 70, 100),
        belongs_to("stay", "stay_id"),
    )

    ward_id: str = key()
    stay_id: str = key()
    version: int = Field(primary_key=True)
    profile: str = Field(default="standard", sa_type=String(12))
    baseline_spo2: int | None = None
    usual_breathlessness: float | None = None
    prescribed_oxygen_flow: float | None = None
    pregnant: bool | None = None
    red_at: int | None = None
    red_at_approved: bool = True
    approved_by: str | None = ref(nullable=True)
    amber_at: int | None = None
    target_low: int | None = None
    reading_times: list[str] = Field(sa_type=JSON)
    treatment_escalation: str | None = Field(default=None, sa_type=String(2000))
    patient_text: str | None = Field(default=None, sa_type=String(2000))
    reason: str | None = Field(default=None, sa_type=String(2000))
    review_on: date | None = None
    author_id: str | None = ref(nullable=True)
    created_at: datetime = instant()
