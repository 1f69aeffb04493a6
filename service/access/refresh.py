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
    """A refresh token that we made: the family it belongs to, and its place in it, from 1."""

    family_id: str
    generation: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class _Keys:
    """What is derived from one secret key."""

    tagging: bytes
    chaining: bytes
    hashing: bytes

    def tag(self, body: bytes) -> bytes:
        return hmac.digest(self.tagging, body, hashlib.sha256)[:TAG]

    def next(self, token: RefreshToken) -> RefreshToken:
        secret = hmac.digest(self.chaining, _body(token), hashlib.sha256)[:SECRET]
        return RefreshToken(token.family_id, token.generation + 1, secret)

    def hash(self, token: RefreshToken) -> str:
        return hmac.digest(self.hashing, _body(token), hashlib.sha256).hex()


def _keys(secret_key: str) -> _Keys:
    return _Keys(
        derive(secret_key, b"wardwatch refresh token tag", 32),
        derive(secret_key, b"wardwatch refresh token chain", 32),
        derive(secret_key, b"wardwatch refresh token hash", 32),
    )


class RefreshTokens:
    """Makes refresh tokens with the first of the secret keys, and reads those made with any of them."""

    def __init__(self, *secret_keys: str) -> None:
        self._keys = [_keys(each) for each in secret_keys]

    def first(self, family_id: str) -> RefreshToken:
        """The first of a family."""
        return RefreshToken(family_id, 1, secrets.token_bytes(SECRET))

    def next(self, token: RefreshToken) -> RefreshToken:
        """The one after this: always the same."""
        return self._keys[0].next(token)

    def given_after(self, token: RefreshToken, stored: str) -> RefreshToken:
        """The one that was given out after this, whose hash is stored: perhaps made with another secret key."""
        each = [keys.next(token) for keys in self._keys]
        return next((follower for follower in each if self.is_stored(follower, stored)), each[0])

    def hash(self, token: RefreshToken) -> str:
        """What is stored of it."""
        return self._keys[0].hash(token)

    def is_stored(self, token: RefreshToken, stored: str | None) -> bool:
        """Whether this is what is stored of it."""
        return stored is not None and any(hmac.compare_digest(keys.hash(token), stored) for keys in self._keys)

    def write(self, token: RefreshToken) -> str:
        """The text that is given out."""
        body = _body(token)
        return base64.urlsafe_b64encode(body + self._keys[0].tag(body)).decode()

    def read(self, text: str) -> RefreshToken | None:
        """The token in a text, or None when we did not make it."""
        try:
            raw = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, tag = raw[:-TAG], raw[-TAG:]
        if len(raw) != _LENGTH or not any(hmac.compare_digest(tag, keys.tag(body)) for keys in self._keys):
            return None
        return RefreshToken(str(UUID(bytes=body[:16])), int.from_bytes(body[16:20], "big"), body[20:])


def _body(token: RefreshToken) -> bytes:
    return UUID(token.family_id).bytes + token.generation.to_bytes(4, "big") + token.secret
