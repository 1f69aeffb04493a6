"""The key that signs access tokens: one per secret key, in the database, its private part encrypted.

Its id is derived from the secret key. So processes that start together agree on one row, and with another
secret key there is another signing key: every token made under the old one ends."""

import asyncio
import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey
from sqlalchemy import select

from service.clock import real_now
from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.session import reading, writing
from service.storage.tables import METADATA

ALGORITHM = "ES256"
_KEY = METADATA.tables["signing_key"]


def derive(secret_key: str, purpose: bytes, length: int) -> bytes:
    """A key of `length` bytes for one purpose."""
    # No salt: the secret key is itself long and random, and every process has to come to the same result.
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(secret_key.encode())


def key_id_of(secret_key: str) -> str:
    """The id of the signing key that belongs to a secret key."""
    return derive(secret_key, b"wardwatch signing key id", 16).hex()


async def is_another(secret_key: str, database: Database) -> bool:
    """Whether this service has signed tokens, and only under other secret keys than this: with it nobody's session,
    pairing code or seal is known any more."""
    async with reading(database) as session:
        known = set((await session.execute(select(_KEY.c.id))).scalars())
    return bool(known) and key_id_of(secret_key) not in known


class SigningKeys:
    """The signing key of this secret key: read, or made on first need."""

    def __init__(self, secret_key: str, database: Database) -> None:
        self.key_id = key_id_of(secret_key)
        self._cipher = Fernet(base64.urlsafe_b64encode(derive(secret_key, b"wardwatch signing key", 32)))
        self._database = database
        self._key: ECKey | None = None
        self._making = asyncio.Lock()

    async def find(self) -> ECKey | None:
        """The key, or None when no token was ever signed with it. Never writes."""
        if self._key is None:
            self._key = await self._read()
        return self._key

    async def get(self) -> ECKey:
        """The key, made when there is none yet. Opens a write session of its own: call it with none open."""
        async with self._making:
            if await self.find() is None:
                await self._make()
                self._key = await self._read()
        if self._key is None:
            raise RuntimeError("the signing key was written and cannot be read back")
        return self._key

    async def public_jwks(self) -> dict[str, list[dict[str, object]]]:
        """The public part, as a JSON Web Key Set (RFC 7517)."""
        key = await self.get()
        return {"keys": [{**key.as_dict(private=False), "alg": ALGORITHM, "use": "sig"}]}

    async def _read(self) -> ECKey | None:
        query = select(_KEY.c.private_key).where(_KEY.c.id == self.key_id, _KEY.c.retired_at.is_(None))
        async with reading(self._database) as session:
            stored = (await session.execute(query)).scalar_one_or_none()
        if stored is None:
            return None
        return ECKey.import_key(self._cipher.decrypt(stored.encode()), {"kid": self.key_id})

    async def _make(self) -> None:
        key = ECKey.generate_key("P-256", {"kid": self.key_id})
        async with writing(self._database) as session:
            await session.execute(
                insert_or_skip(session, _KEY, ["id"]).values(
                    id=self.key_id,
                    private_key=self._cipher.encrypt(key.as_pem(private=True)).decode(),
                    public_jwk=key.as_dict(private=False),
                    created_at=real_now(),
                )
            )
