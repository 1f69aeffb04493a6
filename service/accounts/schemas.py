"""Accounts as the API takes and gives them."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from service.access.authorization import redirect_problem
from service.access.client_keys import MAX_KEYS, read_key
from service.access.principals import ROLE_SCOPES, Principal
from service.accounts.store import Client, Staff
from service.body import Schema
from service.fields import CleanText, Email, Id, Instant, Name, not_null

Role = Literal["clinician", "lead", "auditor"]


def _scope(value: str) -> str:
    if value not in ROLE_SCOPES["partner"]:
        raise ValueError(f"must be one of: {', '.join(sorted(ROLE_SCOPES['partner']))}")
    return value


Scopes = Annotated[list[Annotated[str, AfterValidator(_scope)]], Field(min_length=1, max_length=20)]
WardIds = Annotated[list[Id], Field(min_length=1, max_length=200)]


class RoleIn(Schema):
    """A role on a ward."""

    ward_id: Id
    role: Role


def _once(value: list[RoleIn]) -> list[RoleIn]:
    if len({each.ward_id for each in value}) < len(value):
        raise ValueError("names a ward twice")
    return value


class StaffIn(Schema):
    """A new member of staff: on a ward at least, unless an administrator."""

    email: Email
    name: Name
    roles: Annotated[list[RoleIn], Field(max_length=200), AfterValidator(_once)] = Field(default_factory=list)
    administrator: bool = Field(False, strict=True)


class StaffPatch(Schema):
    """What is to change; fields that are left out stay."""

    email: Annotated[Email | None, AfterValidator(not_null)] = None
    name: Annotated[Name | None, AfterValidator(not_null)] = None
    administrator: Annotated[bool | None, AfterValidator(not_null)] = Field(None, strict=True)
    active: Annotated[bool | None, AfterValidator(not_null)] = Field(None, strict=True)

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


class RoleOnlyIn(Schema):
    """The role on the ward of the path."""

    role: Role


def _keys(value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is None:
        return None
    listed = value.get("keys")
    if set(value) != {"keys"} or not isinstance(listed, list) or not 1 <= len(listed) <= MAX_KEYS:
        raise ValueError(f"must be a JSON Web Key Set with 1 to {MAX_KEYS} keys")
    for number, each in enumerate(listed):
        try:
            read_key(each)
        except ValueError as problem:
            raise ValueError(f"key {number} {problem}") from None
    if len({each["kid"] for each in listed}) < len(listed):
        raise ValueError("has a kid twice")
    return value


def _https(value: str | None) -> str | None:
    parts = urlsplit(value or "https://none")
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must be an https URL")
    return value


Jwks = Annotated[
    dict[str, Any] | None,
    AfterValidator(_keys),
    Field(description="Its public keys: RSA (RS384, RS512) or P-384 (ES384)"),
]
JwksUrl = Annotated[
    Annotated[CleanText, StringConstraints(max_length=500)] | None,
    AfterValidator(_https),
    Field(description="Where its public keys are found; set by an administrator"),
]


def _redirect_uris(value: list[str] | None) -> list[str] | None:
    for number, uri in enumerate(value or ()):
        if (problem := redirect_problem(uri)) is not None:
            raise ValueError(f"number {number} {problem}")
    return value


RedirectUris = Annotated[
    Annotated[list[str], Field(max_length=10)] | None,
    AfterValidator(_redirect_uris),
    Field(description="Where people who signed in for it are sent back to, letter by letter"),
]


class ClientIn(Schema):
    """A new partner system. With keys it gets no secret."""

    name: Name
    scopes: Scopes
    ward_ids: WardIds
    jwks: Jwks = None
    jwks_url: JwksUrl = None
    redirect_uris: RedirectUris = None
    public: bool = Field(False, strict=True, description="It can keep no secret, and people sign in for it")


class ClientPatch(Schema):
    """What is to change; fields that are left out stay."""

    name: Annotated[Name | None, AfterValidator(not_null)] = None
    scopes: Annotated[Scopes | None, AfterValidator(not_null)] = None
    ward_ids: Annotated[WardIds | None, AfterValidator(not_null)] = None
    active: Annotated[bool | None, AfterValidator(not_null)] = Field(None, strict=True)
    jwks: Jwks = None
    jwks_url: JwksUrl = None
    redirect_uris: RedirectUris = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


class RoleOut(BaseModel):
    """A role on a ward."""

    ward_id: str
    role: str


class StaffOut(BaseModel):
    """A member of staff, with the roles on the caller's wards; for an administrator on all."""

    id: str
    email: str
    name: str
    administrator: bool
    active: bool
    has_password: bool
    issuer: str | None = Field(description="Whom they sign in with, if not here: their rights are changed there")
    created_at: Instant
    roles: list[RoleOut]


class StaffListOut(BaseModel):
    """A page of staff."""

    items: list[StaffOut]
    next_cursor: str | None


class PasswordTokenOut(BaseModel):
    """What the person sets a password with, at `POST /oauth/password`. Shown once."""

    set_password_token: str
    expires_at: Instant


class InvitedOut(StaffOut, PasswordTokenOut):
    """A new member of staff, who has no password yet."""


class ClientOut(BaseModel):
    """A partner system, with those of its wards that are the caller's; for an administrator all."""

    id: str
    name: str
    scopes: list[str]
    ward_ids: list[str]
    active: bool
    secrets: int = Field(description="How many secrets are good: two while it changes from one to the other")
    secret_ids: list[str] = Field(description="What they are called, the newest first")
    jwks: dict[str, Any] | None
    jwks_url: str | None
    redirect_uris: list[str]
    public: bool
    created_at: Instant


class ClientListOut(BaseModel):
    """A page of systems."""

    items: list[ClientOut]
    next_cursor: str | None


class SecretOut(BaseModel):
    """A client secret. Shown once."""

    secret_id: str
    client_secret: str


class ClientMadeOut(ClientOut):
    """A new system, with its secret, which is shown once, unless it signs in with keys."""

    client_secret: str | None


def staff_fields(who: Principal, staff: Staff) -> dict[str, Any]:
    """The fields of `StaffOut`, as this principal may see them."""
    roles = [
        {"ward_id": ward_id, "role": role}
        for ward_id, role in staff.roles.items()
        if who.administrator or ward_id in who.roles
    ]
    return {name: getattr(staff, name) for name in StaffOut.model_fields} | {"roles": roles}


def client_fields(who: Principal, client: Client) -> dict[str, Any]:
    """The fields of `ClientOut`, as this principal may see them."""
    ward_ids = [each for each in client.ward_ids if who.administrator or each in who.roles]
    shown = {"ward_ids": ward_ids, "secrets": len(client.secret_ids)}
    return {name: shown[name] if name in shown else getattr(client, name) for name in ClientOut.model_fields}
