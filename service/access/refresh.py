"""Refresh tokens as texts. Each is made from the one before it and our key, so that whoever lost an answer is given
the same token again, although none is stored; and a forged one is told from an old one without asking the database."""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from service.access.keys import derive

SECRET, TAG = 24, 16
_LENGTH = 16 + 4 + SECRET + TAG


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token that we made: which family's, and the how-manieth."""

    family_id: str
    generation: int
    secret: bytes


class RefreshTokens:
    """Makes and reads refresh tokens."""

    def __init__(self, secret_key: str) -> None:
        self._tagging = derive(secret_key, b"wardwatch refresh token tag", 32)
        self._chaining = derive(secret_key, b"wardwatch refresh token chain", 32)
        self._hashing = derive(secret_key, b"wardwatch refresh token hash", 32)

    def first(self, family_id: str) -> RefreshToken:
        """The first of a family."""
        return RefreshToken(family_id, 1, secrets.token_bytes(SECRET))

    def next(self, token: RefreshToken) -> RefreshToken:
        """The one after this: always the same."""
        secret = hmac.digest(self._chaining, _body(token), hashlib.sha256)[:SECRET]
        return RefreshToken(token.family_id, token.generation + 1, secret)

    def hash(self, token: RefreshToken) -> str:
        """What is stored of it."""
        return hmac.digest(self._hashing, _body(token), hashlib.sha256).hex()

    def write(self, token: RefreshToken) -> str:
        """The text that is given out."""
        body = _body(token)
        return base64.urlsafe_b64encode(body + self._tag(body)).decode()

    def read(self, text: str) -> RefreshToken | None:
        """The token in a text, or None when we did not make it."""
        try:
            raw = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, tag = raw[:-TAG], raw[-TAG:]
        if len(raw) != _LENGTH or not hmac.compare_digest(tag, self._tag(body)):
            return None
        return RefreshToken(str(UUID(bytes=body[:16])), int.from_bytes(body[16:20], "big"), body[20:])

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._tagging, body, hashlib.sha256)[:TAG]


def _body(token: RefreshToken) -> bytes:
    return UUID(token.family_id).bytes + token.generation.to_bytes(4, "big") + token.secret
