"""Who may do what: staff, clients, their wards, signing keys, and the audit trail."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import due, instant, key, ref, words

WARD_ROLES = ("clinician", "lead", "auditor")


class StaffRow(SQLModel, table=True):
    """A person who works with Wardwatch. `administrator` manages wards and accounts and sees nothing clinical.

    An empty `password_hash` is no password; `set_password_hash` is that of a token with which one is set, once."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("email"),)

    id: str = key()
    email: str = Field(sa_type=String(254))
    name: str = Field(sa_type=String(120))
    password_hash: str = Field(sa_type=String(200))
    administrator: bool = False
    active: bool = True
    created_at: datetime = instant()
    set_password_hash: str | None = Field(default=None, sa_type=String(64))
    set_password_until: datetime | None = instant(nullable=True)


class StaffIdentityRow(SQLModel, table=True):
    """A member of staff who signs in with an issuer elsewhere, which says who they are and what they may do here.

    `claims_at` is when the newest token that was seen was made; tokens made until `signed_out_at` are good no more."""

    __tablename__ = "staff_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    staff_id: str = key()
    issuer: str = Field(sa_type=String(500))
    subject: str = Field(sa_type=String(255))
    claims_at: datetime = instant()
    signed_out_at: datetime | None = instant(nullable=True)


class StaffTotpRow(SQLModel, table=True):
    """The authenticator app of a member of staff. It counts when it is confirmed; `last_step` is the last whose code
    was used. The secret is encrypted with the secret key; of the recovery codes that are left hashes are kept."""

    __tablename__ = "staff_totp"

    staff_id: str = key()
    secret: str = Field(sa_type=String(300))
    created_at: datetime = instant()
    confirmed_at: datetime | None = instant(nullable=True)
    last_step: int = 0
    recovery_hashes: list[str] = Field(default_factory=list, sa_type=JSON)


class MembershipRow(SQLModel, table=True):
    """The role a member of staff has on a ward."""

    __tablename__ = "membership"
    __table_args__ = (
        words("role", WARD_ROLES),
        ForeignKeyConstraint(["ward_id"], ["ward.id"]),
        ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        Index("ix_membership_staff_id", "staff_id"),
    )

    ward_id: str = key()
    staff_id: str = key()
    role: str = Field(sa_type=String(20))


class ClientRow(SQLModel, table=True):
    """A partner system that signs in with a secret, of which two are good while it changes from one to the other, or
    with a key of its own: `jwks` are its public keys, `jwks_url` is where they are found.

    People may sign in for one with `redirect_uris`. With these and neither secret nor key it is a public client."""

    __tablename__ = "client"

    id: str = key()
    name: str = Field(sa_type=String(120))
    secret_hash: str = Field(sa_type=String(200))
    scopes: list[str] = Field(sa_type=JSON)
    active: bool = True
    created_at: datetime = instant()
    previous_secret_hash: str | None = Field(default=None, sa_type=String(200))
    jwks: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    jwks_url: str | None = Field(default=None, sa_type=String(500))
    redirect_uris: list[str] | None = Field(default=None, sa_type=JSON(none_as_null=True))


class ClientWardRow(SQLModel, table=True):
    """A ward a client may work on."""

    __tablename__ = "client_ward"
    __table_args__ = (
        ForeignKeyConstraint(["ward_id"], ["ward.id"]),
        ForeignKeyConstraint(["client_id"], ["client.id"]),
        Index("ix_client_ward_client_id", "client_id"),
    )

    ward_id: str = key()
    client_id: str = key()


class SigningKeyRow(SQLModel, table=True):
    """A key that signs access tokens; the private part is encrypted with the secret key.

    It signs from `signs_from` (or when it was made) until a newer one does, and is believed until `retired_at`."""

    __tablename__ = "signing_key"

    id: str = Field(primary_key=True, sa_type=String(64))
    private_key: str = Field(sa_type=String(2000))
    public_jwk: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime = instant()
    retired_at: datetime | None = instant(nullable=True)
    signs_from: datetime | None = instant(nullable=True)


class AuditRow(SQLModel, table=True):
    """One entry of the audit trail: who did what to what, when, from where and with which request. Never changed.

    The sealer adds its `number` on the ward and its `seal` soon after (`service/access/sealing.py`)."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "ward_id", "at"),
        Index("ix_audit_subject_id", "ward_id", "subject_id", "id"),
        Index("uq_audit_number", "ward_id", "number", unique=True),
        due("audit", "id", text("number IS NULL")),
    )

    ward_id: str = key()
    id: str = key()
    at: datetime = instant()
    actor_kind: str = Field(sa_type=String(20))
    actor_id: str | None = ref(nullable=True)
    action: str = Field(sa_type=String(60))
    outcome: str = Field(default="done", sa_type=String(20))
    subject_type: str | None = Field(default=None, sa_type=String(20))
    subject_id: str | None = ref(nullable=True)
    request_id: str = Field(default="", sa_type=String(64))
    address: str | None = Field(default=None, sa_type=String(64))
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    number: int | None = None
    seal: str | None = Field(default=None, sa_type=String(80))
