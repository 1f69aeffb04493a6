"""The keys that sign access tokens: in the database, their private parts encrypted with the secret key.

One signs; those of before and the one to come are published and believed as well (`service/access/rotation.py`). Only
what one of our secret keys opens is believed at all: whoever can write to the database cannot add a key. The id of the
first key is derived from the secret key, so that processes that start together agree on one row; with another secret
key there is another first key, and every token made under the old one ends, unless both are set."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey
from sqlalchemy import select

from service.clock import real_now
from service.storage.direct import Where
from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.session import reading, writing
from service.storage.tables import METADATA

ALGORITHM = "ES256"
LOOKED_UP_EVERY = timedelta(seconds=30)
"""How long a process may take to hear of a new key that signs from later on."""
ASKED_AGAIN_AFTER = timedelta(seconds=2)
"""The keys are read again this soon for a token that names an unknown one, and for whoever asks what is published."""
KEY = METADATA.tables["signing_key"]


def derive(secret_key: str, purpose: bytes, length: int) -> bytes:
    """A key of `length` bytes for one purpose."""
    # No salt: the secret key is itself long and random, and every process has to come to the same result.
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(secret_key.encode())


def cipher_of(secret_keys: Sequence[str], purpose: bytes) -> MultiFernet:
    """Encrypts with the first of the secret keys, and opens what any of them encrypted."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derive(each, purpose, 32))) for each in secret_keys])


def key_cipher(secret_keys: Sequence[str]) -> MultiFernet:
    """What the private parts of signing keys are encrypted with."""
    return cipher_of(secret_keys, b"wardwatch signing key")


def key_id_of(secret_key: str) -> str:
    """The id of the first signing key that belongs to a secret key."""
    return derive(secret_key, b"wardwatch signing key id", 16).hex()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key; it signs from `signs_from` until a newer one does, and is believed until `ends_at`."""

    key: ECKey
    signs_from: datetime
    ends_at: datetime | None

    def lives(self, at: datetime) -> bool:
        """Whether a token signed with it is still taken."""
        return self.ends_at is None or at < self.ends_at


async def list_keys(where: Where, secret_keys: Sequence[str], at: datetime) -> tuple[dict[str, SigningKey], int]:
    """The living keys that our secret keys open, by id; and how many others there are."""
    cipher, found, closed = key_cipher(secret_keys), {}, 0
    for row in await where.execute(select(KEY).where(KEY.c.retired_at.is_(None) | (KEY.c.retired_at > at))):
        try:
            key = ECKey.import_key(cipher.decrypt(row.private_key.encode()), {"kid": row.id})
        except InvalidToken:
            closed += 1
        else:
            found[row.id] = SigningKey(key, row.signs_from or row.created_at, row.retired_at)
    return found, closed


async def is_another(secret_keys: Sequence[str], database: Database) -> bool:
    """Whether this service has signed tokens, and only under other secret keys than these: with them nobody's session,
    pairing code or seal is known any more."""
    async with reading(database) as session:
        ours, others = await list_keys(session, secret_keys, real_now())
    return not ours and others > 0


def signs_at(keys: Mapping[str, SigningKey], at: datetime) -> SigningKey | None:
    """The key that signs at an instant: the newest that has begun. Where none has, the first to begin: the replica that
    made it a moment ago may have a clock that is ahead."""
    living = sorted((each for each in keys.values() if each.lives(at)), key=lambda each: each.signs_from)
    begun = [each for each in living if each.signs_from <= at]
    return begun[-1] if begun else next(iter(living), None)


class SigningKeys:
    """The signing keys, as they were lately: read, and the first one made on first need."""

    def __init__(self, secret_keys: Sequence[str], database: Database) -> None:
        self.first_id = key_id_of(secret_keys[0])
        self._secret_keys = secret_keys
        self._database = database
        self._known: dict[str, SigningKey] = {}
        self._read_at: datetime | None = None
        self._making = asyncio.Lock()

    async def find(self, key_id: str) -> ECKey | None:
        """The key with this id, or None when no token signed with it is taken. Never writes."""
        now = real_now()
        await self._look_up(now, ASKED_AGAIN_AFTER if key_id not in self._known else LOOKED_UP_EVERY)
        found = self._known.get(key_id)
        return found.key if found is not None and found.lives(now) else None

    async def get(self) -> ECKey:
        """The key to sign with, made when there is none yet. Opens a write session of its own: call it with none
        open."""
        now = real_now()
        await self._look_up(now, LOOKED_UP_EVERY)
        if (found := signs_at(self._known, now)) is not None:
            return found.key
        async with self._making:
            await self._look_up(now, timedelta(0))
            if signs_at(self._known, now) is None:
                await self._make(now)
                await self._look_up(now, timedelta(0))
        if (found := signs_at(self._known, now)) is None:
            raise RuntimeError("the signing key was written and cannot be read back")
        return found.key

    async def public_jwks(self) -> dict[str, list[dict[str, object]]]:
        """The public parts, the one to come among them, as a JSON Web Key Set (RFC 7517)."""
        await self._look_up(real_now(), ASKED_AGAIN_AFTER)
        await self.get()
        living = [each.key for each in self._known.values() if each.lives(real_now())]
        return {"keys": [{**key.as_dict(private=False), "alg": ALGORITHM, "use": "sig"} for key in living]}

    async def _look_up(self, now: datetime, at_most: timedelta) -> None:
        """Read the keys unless they were read so lately."""
        if self._read_at is not None and abs(now - self._read_at) < at_most:
            return
        async with reading(self._database) as session:
            self._known, _ = await list_keys(session, self._secret_keys, now)
        self._read_at = now

    async def _make(self, now: datetime) -> None:
        async with writing(self._database) as session:
            await insert_key(session, self._secret_keys, self.first_id, now, now)


async def insert_key(
    session: Where, secret_keys: Sequence[str], key_id: str, created_at: datetime, signs_from: datetime
) -> None:
    """A new key, unless there is one with this id."""
    key = ECKey.generate_key("P-256", {"kid": key_id})
    await session.execute(
        insert_or_skip(session, KEY, ["id"]).values(
            id=key_id,
            private_key=key_cipher(secret_keys).encrypt(key.as_pem(private=True)).decode(),
            public_jwk=key.as_dict(private=False),
            created_at=created_at,
            signs_from=signs_from,
        )
    )
