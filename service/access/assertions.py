"""Clients that sign in with a key of their own (`private_key_jwt`: RFC 7523; SMART backend services)."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from sqlalchemy import delete

from service.access.client_keys import ALGORITHMS, KeysByUrl, PublicKey, usable
from service.access.store import find_client_keys
from service.access.unchecked import look_into
from service.clock import real_now
from service.fields import canonical_id
from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.session import reading, writing
from service.storage.tables import METADATA

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LENGTH = 5_000
LIVES_AT_MOST = timedelta(minutes=5)
CLOCKS_DIFFER_BY = timedelta(seconds=30)

USED = METADATA.tables["used_assertion"]


class Unproven(Exception):
    """The assertion proves nothing. The text says why, for the log; the caller is not told."""


class Faulty(Unproven):
    """The client has signed this, and something else in it is wrong. The text says what; the caller is told, who holds
    the key or what was signed with it."""


class Assertions:
    """Checks assertions. `audience` is the URL of the token endpoint; `by_url` fetches keys that are elsewhere."""

    def __init__(self, database: Database, audience: str, by_url: KeysByUrl) -> None:
        self._database = database
        self._audience = audience
        self._by_url = by_url

    async def client_of(self, assertion: str) -> str:
        """The id of the client that signed this, which is used up by it; raises Unproven, or Faulty."""
        now = real_now()
        header, client_id = _unchecked(assertion)
        key = await self._find_key(client_id, str(header.get("kid", "")))
        claims = self._claims(assertion, key, client_id, now)
        await self._use_up(client_id, claims["jti"], claims["exp"], now)
        return client_id

    async def _find_key(self, client_id: str, key_id: str) -> PublicKey:
        async with reading(self._database) as session:
            keys, url = await find_client_keys(session, client_id)
        found = usable(keys or {}).get(key_id)
        if found is None and url is not None:
            found = await self._by_url.find(url, key_id)
        if found is None:
            raise Unproven("no such key")
        return found

    def _claims(self, assertion: str, key: PublicKey, client_id: str, now: datetime) -> dict[str, Any]:
        try:
            # The key says which algorithms there are, so nothing in the assertion can choose another kind.
            claims = jwt.decode(assertion, key, algorithms=list(ALGORITHMS[key.key_type])).claims
        except (JoseError, ValueError, TypeError):  # TypeError: a `crit` that is no list of texts
            raise Unproven("wrong signature") from None
        if (claims.get("iss"), claims.get("sub")) != (client_id, client_id):
            raise Faulty("iss and sub have to be the id of the client")
        # Ours alone: one that is meant for somebody else too could be used here by them.
        if claims.get("aud") not in (self._audience, [self._audience]):
            raise Faulty(f"aud has to be {self._audience} and nothing else")
        if not isinstance(claims.get("jti"), str) or not 1 <= len(claims["jti"]) <= 200:
            raise Faulty("jti has to be a text of 1 to 200 characters")
        _require_times(claims, int(now.timestamp()))
        return claims

    async def _use_up(self, client_id: str, jti: str, until: int, now: datetime) -> None:
        name = hashlib.sha256(f"{client_id}\n{jti}".encode(errors="replace")).hexdigest()
        row = {"id": name, "until": datetime.fromtimestamp(until, now.tzinfo)}
        async with writing(self._database) as session:
            await session.execute(delete(USED).where(USED.c.until < now - CLOCKS_DIFFER_BY))
            made = await session.execute(insert_or_skip(session, USED, ["id"]).values(row).returning(USED.c.id))
            if made.first() is None:
                raise Faulty("this jti was used before")


def _unchecked(assertion: str) -> tuple[dict[str, Any], str]:
    """The header and whom the assertion says it is of: enough to find the key, and believed no further."""
    seen = look_into(assertion, MAX_LENGTH)
    if seen is None:
        raise Unproven("no JWT")
    header, claims = seen
    client_id = canonical_id(claims["sub"]) if isinstance(claims.get("sub"), str) else None
    if client_id is None:
        raise Unproven("no client")
    return header, client_id


def _require_times(claims: dict[str, Any], now: int) -> None:
    leeway, most = int(CLOCKS_DIFFER_BY.total_seconds()), int(LIVES_AT_MOST.total_seconds())
    for name in ("exp", "iat", "nbf"):
        if name in claims and type(claims[name]) is not int:
            raise Faulty(f"{name} has to be a whole number of seconds")
    if not now < claims.get("exp", 0) <= now + most + leeway:
        raise Faulty("exp has to lie ahead, by 5 minutes at most")
    if not now - most - leeway <= claims.get("iat", now) <= now + leeway:
        raise Faulty("iat may lie 5 minutes back at most, and not ahead")
    if claims.get("nbf", now) > now + leeway:
        raise Faulty("nbf may not lie ahead")
