"""What is known of tokens that were given out. Of a token itself only a keyed hash is kept. All times are real time."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import instant, key, ref, words

SUBJECT_KINDS = ("staff", "client", "patient", "carer")


class TokenFamilyRow(SQLModel, table=True):
    """One sign-in and all the tokens that come of it: they are refreshed, and end, together.

    `bound` is what the family is for, beyond the subject: for people at home their ward and stay."""

    __tablename__ = "token_family"
    __table_args__ = (
        words("subject_kind", SUBJECT_KINDS),
        Index("ix_token_family_subject", "subject_kind", "subject_id"),
    )

    id: str = key()
    subject_kind: str = Field(sa_type=String(20))
    subject_id: str = ref()
    bound: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    scopes: list[str] = Field(sa_type=JSON)
    generation: int = 0
    current_hash: str | None = Field(default=None, sa_type=String(64))
    previous_hash: str | None = Field(default=None, sa_type=String(64))
    rotated_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    ends_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)


class AccessChangeRow(SQLModel, table=True):
    """When somebody's rights or sessions last changed: what is remembered from before is looked up again."""

    __tablename__ = "access_change"
    __table_args__ = (Index("ix_access_change_at", "at"),)

    subject_kind: str = Field(primary_key=True, sa_type=String(20))
    subject_id: str = key()
    at: datetime = instant()


class SignInAttemptRow(SQLModel, table=True):
    """How often signing in has failed lately for one account, one address, or an account from an address.

    `id` is a keyed hash: neither an e-mail address nor an IP address is kept. `known_at` is when this account last
    signed in from this address, or set a password there; for the account alone when it last set one with a token."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_last_at", "last_at"),)

    id: str = Field(primary_key=True, sa_type=String(64))
    failures: int = 0
    last_at: datetime = instant()
    known_at: datetime | None = instant(nullable=True)


class AuthorizationCodeRow(SQLModel, table=True):
    """A code with which a dashboard of others gets tokens, once, for the person who signed in. `id` is its hash;
    `challenge` is that of the verifier it has to bring; `family_id` is what the code has opened."""

    __tablename__ = "authorization_code"
    __table_args__ = (Index("ix_authorization_code_expires_at", "expires_at"),)

    id: str = Field(primary_key=True, sa_type=String(64))
    client_id: str = ref()
    staff_id: str = ref()
    redirect_uri: str = Field(sa_type=String(500))
    challenge: str = Field(sa_type=String(43))
    scopes: list[str] = Field(sa_type=JSON)
    nonce: str | None = Field(default=None, sa_type=String(200))
    expires_at: datetime = instant()
    used_at: datetime | None = instant(nullable=True)
    family_id: str | None = ref(nullable=True)


class UsedAssertionRow(SQLModel, table=True):
    """An assertion with which a client has signed in: it is good once. `id` is a hash of client and `jti`."""

    __tablename__ = "used_assertion"
    __table_args__ = (Index("ix_used_assertion_until", "until"),)

    id: str = Field(primary_key=True, sa_type=String(64))
    until: datetime = instant()
