"""The keys of an issuer elsewhere: found by its discovery document, kept, asked for again when they are old or when a
token names one that is not among them.

When the issuer cannot be reached the keys of before are used for a day at most: then what it has withdrawn might long
be in other hands."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from service.access.client_keys import FETCH_SECONDS, MIN_RSA_BITS, PublicKey, fetch_object
from service.access.issuers import Issuer, is_reachable
from service.access.refusals import IssuerUnavailable
from service.clock import real_now
from service.logs import get_logger

log = get_logger(__name__)

FRESH_FOR = timedelta(minutes=5)
ASKED_AGAIN_AFTER = timedelta(seconds=15)
"""However many unknown keys are named, and however long the issuer is away."""
KEPT_THROUGH_OUTAGE = timedelta(hours=24)
MAX_KEYS = 50

CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A public key, and what may be signed with it: the key says, and never the token alone."""

    key: PublicKey
    algorithms: frozenset[str]


def usable(key_set: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, IssuerKey]:
    """The keys of a set with which tokens may be signed, by their id (empty for one without)."""
    found: dict[str, IssuerKey] = {}
    listed = key_set.get("keys")
    for jwk in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        key = _key(jwk, allowed) if isinstance(jwk, dict) else None
        if key is not None:
            found[str(jwk.get("kid", ""))] = key
    return found


def _key(jwk: dict[str, Any], allowed: frozenset[str]) -> IssuerKey | None:
    if jwk.get("kty") not in ("RSA", "EC") or jwk.get("use", "sig") != "sig":
        return None
    try:
        # Only what makes a public key: whatever else an issuer puts beside it must not keep us from using it.
        key = JWKRegistry.import_key({name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk})
        able: tuple[str, ...] = ()
        if isinstance(key, RSAKey) and key.raw_value.key_size >= MIN_RSA_BITS:
            able = RSA_ALGORITHMS
        elif isinstance(key, ECKey):
            able = (CURVES[key.curve_name],)
    except Exception as problem:  # whatever a library says to a key from elsewhere
        log.warning("issuer_key_unreadable", error=type(problem).__name__)
        return None
    algorithms = allowed.intersection(able).intersection([jwk["alg"]] if "alg" in jwk else able)
    return IssuerKey(key, algorithms) if algorithms and isinstance(key, RSAKey | ECKey) else None


class IssuerKeys:
    """The keys of one issuer, as they were lately."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._keys: dict[str, IssuerKey] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> IssuerKey | None:
        """The key with this id, or None; raises IssuerUnavailable when that cannot be known."""
        if key_id not in self._keys or self._is_old():
            await self.renew()
        if self._fetched_at is None or real_now() - self._fetched_at > KEPT_THROUGH_OUTAGE:
            raise IssuerUnavailable
        found = self._keys.get(key_id)
        if found is None and self._tried_at is not None and self._fetched_at < self._tried_at:
            raise IssuerUnavailable  # it may be a new one
        return found

    async def keep_fresh(self) -> None:
        """Ask for the keys if they are old."""
        if self._is_old():
            await self.renew()

    async def renew(self) -> int:
        """Ask for the keys, unless that was done just now; gives how many are known. Whoever comes meanwhile waits for
        the same answer."""
        now = real_now()
        if self._renewing is None and (self._tried_at is None or now - self._tried_at >= ASKED_AGAIN_AFTER):
            self._tried_at = now
            self._renewing = asyncio.create_task(self._renew(now))
        if self._renewing is not None:
            await asyncio.shield(self._renewing)
        return len(self._keys)

    def _is_old(self) -> bool:
        return self._fetched_at is None or real_now() - self._fetched_at > FRESH_FOR

    async def _renew(self, now: datetime) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS), httpx.AsyncClient(follow_redirects=False) as client:
                url = self._issuer.jwks_url or await self._discover(client)
                keys = usable(await fetch_object(client, url), frozenset(self._issuer.algorithms))
            if not keys:
                raise ValueError("no key that can be used")
            self._keys, self._fetched_at = keys, now
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as problem:
            log.warning("issuer_keys_unavailable", issuer=self._issuer.issuer, error=type(problem).__name__)
        finally:
            self._renewing = None

    async def _discover(self, client: httpx.AsyncClient) -> str:
        """Where the keys are (OpenID Connect Discovery 1.0, sections 4.1 and 4.3)."""
        name = self._issuer.issuer
        document = await fetch_object(client, f"{name.rstrip('/')}/.well-known/openid-configuration")
        url = document.get("jwks_uri")
        if document.get("issuer") != name or not isinstance(url, str) or not is_reachable(url):
            raise ValueError("the document is not that of this issuer")
        return url
