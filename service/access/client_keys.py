"""Clients' public keys: registered as they are, or found under a URL of the client's.

A URL is fetched over https and no other way, without redirects, with limits on time and size, and only from addresses
that may be reached (`service/destinations.py`); what it gave is kept for five minutes. Only an administrator registers
one. A key id that is not among the kept ones makes us look again, at most once a minute for each URL, so that a client
may change its keys whenever it likes."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey
from pydantic import TypeAdapter

from service.clock import real_now
from service.destinations import AddressRefused, CheckedTransport, Destinations
from service.logs import get_logger

log = get_logger(__name__)

MAX_KEYS = 20
MAX_BYTES = 64 * 1024
FETCH_SECONDS = 5.0
KEPT_FOR = timedelta(minutes=5)
ASKED_AGAIN_AFTER = timedelta(minutes=1)
NEVER = datetime.min.replace(tzinfo=UTC)
MIN_RSA_BITS = 2048

ALGORITHMS = {"RSA": ("RS384", "RS512"), "EC": ("ES384",)}
"""What a key of each type may sign with: a key says, and never the assertion alone."""

_TOO_WEAK = f"must have {MIN_RSA_BITS} bits at least (RSA) or the curve P-384 (EC)"
PublicKey = RSAKey | ECKey
_JSON: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def read_key(jwk: Any) -> PublicKey:
    """A key of a set; raises ValueError saying what is wrong with it."""
    if not isinstance(jwk, Mapping) or jwk.get("kty") not in ALGORITHMS:
        raise ValueError("must be an RSA key or an EC key")
    if not isinstance(jwk.get("kid"), str) or not 1 <= len(jwk["kid"]) <= 200:
        raise ValueError("must have a kid")
    if {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(jwk):
        raise ValueError("must be public: this one holds the secret part, so make another pair")
    if jwk["kty"] == "RSA" and len(str(jwk.get("n"))) * 6 < MIN_RSA_BITS:
        raise ValueError(_TOO_WEAK)
    try:
        key = JWKRegistry.import_key(dict(jwk))
        if isinstance(key, RSAKey) and key.raw_value.key_size >= MIN_RSA_BITS:
            return key
        if isinstance(key, ECKey) and key.curve_name == "P-384":
            return key
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError("cannot be read") from None
    raise ValueError(_TOO_WEAK)


def usable(key_set: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The keys of a set by their id, without those that cannot be used: others use the same set."""
    found: dict[str, PublicKey] = {}
    listed = key_set.get("keys")
    for jwk in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        try:
            found[jwk["kid"]] = read_key(jwk)
        except (ValueError, TypeError, KeyError):
            continue
    return found


class KeysByUrl:
    """Sets of keys found under URLs, as they were lately."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._kept: dict[str, tuple[dict[str, PublicKey], datetime]] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def find(self, url: str, key_id: str) -> PublicKey | None:
        """The key with this id; None when there is none, or nothing can be fetched."""
        # Each URL for itself: a server that is slow holds up its own client alone.
        async with self._fetching.setdefault(url, asyncio.Lock()):
            keys, at = self._kept.get(url, ({}, NEVER))
            age = real_now() - at
            if age > KEPT_FOR or (key_id not in keys and age > ASKED_AGAIN_AFTER):
                keys = await self._fetch(url)
                self._kept[url] = (keys, real_now())
        return keys.get(key_id)

    async def _fetch(self, url: str) -> dict[str, PublicKey]:
        try:
            async with (
                asyncio.timeout(FETCH_SECONDS),
                httpx.AsyncClient(transport=CheckedTransport(self._destinations), follow_redirects=False) as client,
            ):
                return usable(await fetch_object(client, url))
        except AddressRefused as reason:
            log.warning("client_keys_refused", reason=str(reason))
            return {}
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as problem:
            log.warning("client_keys_unavailable", error=type(problem).__name__)
            return {}


async def fetch_object(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The JSON object that is found under a URL. Raises httpx.HTTPError, and ValueError when there is none."""
    return _JSON.validate_json(await _read_limited(client, url))


async def _read_limited(client: httpx.AsyncClient, url: str) -> bytes:
    """What is found under a URL; nothing when it is a redirect or too long. It is not unpacked: a little that is packed
    may be a lot."""
    raw = b""
    asked = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=asked) as answer:
        answer.raise_for_status()
        if not answer.is_success:
            return b""
        async for chunk in answer.aiter_raw():
            raw += chunk
            if len(raw) > MAX_BYTES:
                return b""
    return raw
