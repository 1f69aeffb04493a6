"""Forms, as OAuth sends them: reading them, and how they stand in the OpenAPI document."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from service.access.refusals import FormNeeded, TokenRefused
from service.errors import BodyTooLarge

FORM_LIMIT = 8 * 1024

FORM_TYPE = "application/x-www-form-urlencoded"


def form_of(schema: dict[str, Any]) -> dict[str, Any]:
    """How a call that takes a form stands in the OpenAPI document. The routes read forms themselves, and count their
    bytes while they do."""
    return {"requestBody": {"required": True, "content": {FORM_TYPE: {"schema": schema}}}}


TOKEN_FORM = form_of(
    {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {
                "type": "string",
                "enum": [
                    "client_credentials",
                    "password",
                    "authorization_code",
                    "refresh_token",
                    "urn:wardwatch:pairing",
                ],
            },
            "client_id": {"type": "string"},
            "client_secret": {"type": "string", "format": "password"},
            "client_assertion_type": {"type": "string", "description": "With a key in place of a secret"},
            "client_assertion": {"type": "string", "format": "password"},
            "username": {"type": "string", "description": "Staff: the e-mail address"},
            "password": {"type": "string", "format": "password"},
            "otp": {
                "type": "string",
                "format": "password",
                "description": "Staff with an authenticator app: its code, or a recovery code",
            },
            "refresh_token": {"type": "string", "format": "password"},
            "code": {
                "type": "string",
                "description": "The authorization code, or the pairing code of people at home",
            },
            "redirect_uri": {"type": "string", "description": "With an authorization code: as before"},
            "code_verifier": {"type": "string", "format": "password", "description": "RFC 7636"},
            "birth_date": {"type": "string", "format": "date", "description": "With a pairing code"},
            "scope": {"type": "string", "description": "Fewer scopes than the account has"},
        },
    }
)
REVOKE_FORM = form_of(
    {
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": {"type": "string", "format": "password"},
            "token_type_hint": {"type": "string", "description": "Not needed"},
        },
    }
)


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


async def read_form(request: Request) -> bytes:
    """The bytes of a form; raises FormNeeded, BodyTooLarge."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM_TYPE:
        raise FormNeeded
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > FORM_LIMIT:
            raise BodyTooLarge
    return raw
