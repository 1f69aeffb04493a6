"""What the token endpoint takes and gives."""

from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field

from service.access.refusals import TokenRefused
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


TOKEN_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {
                            "type": "string",
                            "enum": ["client_credentials", "password", "refresh_token", "urn:wardwatch:pairing"],
                        },
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "format": "password"},
                        "client_assertion_type": {"type": "string", "description": "With a key in place of a secret"},
                        "client_assertion": {"type": "string", "format": "password"},
                        "username": {"type": "string", "description": "Staff: the e-mail address"},
                        "password": {"type": "string", "format": "password"},
                        "refresh_token": {"type": "string", "format": "password"},
                        "code": {"type": "string", "description": "People at home: the pairing code"},
                        "birth_date": {"type": "string", "format": "date", "description": "With a pairing code"},
                        "scope": {"type": "string", "description": "Fewer scopes than the account has"},
                    },
                }
            }
        },
    }
}
REVOKE_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {
                        "token": {"type": "string", "format": "password"},
                        "token_type_hint": {"type": "string", "description": "Not needed"},
                    },
                }
            }
        },
    }
}
"""The forms in the OpenAPI document. The routes read them themselves, and count their bytes while they do."""


def parse_form(raw: bytes) -> dict[str, str]:
    """The fields of a form; raises TokenRefused if it is none or repeats a field (RFC 6749, section 3.2)."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise TokenRefused("The body is not a form.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise TokenRefused("A field is given twice.")
    if any("\x00" in text for text in form.values()):
        raise TokenRefused("A field holds a NUL.")
    return form
