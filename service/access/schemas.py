"""What the token endpoint takes and gives."""

from typing import Annotated

from pydantic import BaseModel, Field

from service.body import Schema
from service.fields import CleanText

Password = Annotated[CleanText, Field(max_length=1000, json_schema_extra={"format": "password"})]


class TokenOut(BaseModel):
    """An access token."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of the type
    expires_in: int = Field(description="Seconds")
    refresh_token: str | None = Field(None, description="For people: good once, for the next access token")
    scope: str = Field(description="The scopes the token carries, separated by spaces")


class KeyOut(BaseModel):
    """A public key (RFC 7517)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    alg: str
    use: str


class KeysOut(BaseModel):
    """The keys that access tokens are signed with."""

    keys: list[KeyOut]


class NewPasswordIn(Schema):
    """A password, and the token that somebody who manages accounts was given for it."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
    password: Password


class PasswordChangeIn(Schema):
    """One's password as it was and as it is to be."""

    current_password: Password
    new_password: Password
