"""How people at home come to their tokens: codes that the team gives out, the apps paired with them, and carers.

All times are real time."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import belongs_to, due, instant, key, ref, words

AT_HOME = ("patient", "carer")
INCIDENTS = ("token_reused", "token_expired")


class CarerRow(SQLModel, table=True):
    """Somebody who looks after a patient at home, and acts for them under a name of their own."""

    __tablename__ = "carer"
    __table_args__ = (belongs_to("patient", "patient_id"), Index("ix_carer_patient_id", "ward_id", "patient_id"))

    ward_id: str = key()
    id: str = key()
    patient_id: str = ref()
    name: str = Field(sa_type=String(120))
    relationship: str | None = Field(default=None, sa_type=String(60))
    created_at: datetime = instant()
    removed_at: datetime | None = instant(nullable=True)


class PairingCodeRow(SQLModel, table=True):
    """A code for pairing one app with one stay. Neither the code nor the birth date is kept, only keyed hashes."""

    __tablename__ = "pairing_code"
    __table_args__ = (
        words("kind", AT_HOME),
        belongs_to("stay", "stay_id"),
        belongs_to("carer", "carer_id"),
        Index("ix_pairing_code_stay_id", "ward_id", "stay_id"),
        # Whoever brings a code does not say of which ward it is.
        Index("ix_pairing_code_code_hash", "code_hash"),
    )

    ward_id: str = key()
    id: str = key()
    stay_id: str = ref()
    patient_id: str = ref()
    kind: str = Field(sa_type=String(12))
    carer_id: str | None = ref(nullable=True)
    code_hash: str = Field(sa_type=String(64))
    birth_date_hash: str = Field(sa_type=String(64))
    failures: int = 0
    created_at: datetime = instant()
    created_by: str = ref()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)


class PairingRow(SQLModel, table=True):
    """An app paired with a stay: what its tokens are bound to, until it ends."""

    __tablename__ = "pairing"
    __table_args__ = (
        words("kind", AT_HOME),
        belongs_to("stay", "stay_id"),
        belongs_to("carer", "carer_id"),
        Index("ix_pairing_stay_id", "ward_id", "stay_id"),
    )

    ward_id: str = key()
    id: str = key()
    stay_id: str = ref()
    patient_id: str = ref()
    kind: str = Field(sa_type=String(12))
    carer_id: str | None = ref(nullable=True)
    code_id: str = ref()
    paired_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    end_reason: str | None = Field(default=None, sa_type=String(40))


class AccessIncidentRow(SQLModel, table=True):
    """Something happened to a paired app's tokens that the team has to hear of; raised by the timer."""

    __tablename__ = "access_incident"
    __table_args__ = (
        words("kind", INCIDENTS),
        belongs_to("stay", "stay_id"),
        due("access_incident", "at", text("raised_at IS NULL")),
    )

    ward_id: str = key()
    id: str = key()
    stay_id: str = ref()
    pairing_id: str = ref()
    kind: str = Field(sa_type=String(20))
    at: datetime = instant()
    raised_at: datetime | None = instant(nullable=True)
