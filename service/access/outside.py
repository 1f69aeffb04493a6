"""Access tokens of issuers elsewhere (RFC 9068, OpenID Connect): checked here by the issuer's keys, and read for who
somebody is and what the issuer's claims give."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from service.access import changes
from service.access.issuer_keys import IssuerKey, IssuerKeys
from service.access.issuers import Issuer, Rights
from service.access.principals import Principal
from service.access.unchecked import look_into
from service.errors import NotAuthenticated
from service.fields import MAX_NAME, is_email, is_name
from service.logs import get_logger

log = get_logger(__name__)

MAX_LENGTH = 8_000
"""Characters. Those with many groups are long."""
LIVES_AT_MOST = timedelta(hours=24)
"""A shift, and the time after it. Until it ends nobody here hears that its owner was dismissed there."""
TYPES = ("at+jwt", "application/at+jwt", "JWT", None)
"""Not the other kinds of JWT that an issuer signs with the same key: logout tokens, events, proofs."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a checked token says. `issued_at` and `until` are real time, `until` without leeway."""

    issuer: str
    subject: str
    name: str
    email: str | None
    rights: Rights
    issued_at: datetime
    until: datetime


Arrive = Callable[[Claimed], Awaitable[Principal]]
"""Who somebody is here, with an account that is in step with what the token says. Raises NotAuthenticated."""


async def _nobody(claimed: Claimed) -> Principal:
    raise NotAuthenticated


class Refused(Exception):
    """The token is not taken; the text says why, for the log."""


class Outside:
    """Every issuer whose tokens are taken."""

    def __init__(self, issuers: Sequence[Issuer], arrive: Arrive = _nobody) -> None:
        self.arrive = arrive
        self.listener = changes.Listener(self._keep_fresh)
        self._issuers = {each.issuer: each for each in issuers}
        self._keys = {each.issuer: IssuerKeys(each) for each in issuers}

    @property
    def max_length(self) -> int:
        """The longest token worth a look."""
        return MAX_LENGTH if self._issuers else 0

    def is_of(self, token: str) -> bool:
        """Whether a token says that it comes from one of the issuers."""
        if not self._issuers:
            return False
        seen = look_into(token, MAX_LENGTH)
        return seen is not None and isinstance(seen[1].get("iss"), str) and seen[1]["iss"] in self._issuers

    async def read(self, token: str, now: datetime) -> Claimed:
        """What the token says; raises NotAuthenticated, IssuerUnavailable."""
        seen = look_into(token, MAX_LENGTH)
        issuer = self._issuers.get(str(seen[1].get("iss"))) if seen else None
        if seen is None or issuer is None:
            raise NotAuthenticated
        try:
            key = await self._keys[issuer.issuer].find(str(seen[0].get("kid", "")))
            return _claimed(issuer, _checked(issuer, key, token, now.timestamp()))
        except Refused as reason:
            log.warning("outside_token_refused", issuer=issuer.issuer, reason=str(reason))
            raise NotAuthenticated from None

    async def _keep_fresh(self) -> None:
        await asyncio.gather(*(keys.keep_fresh() for keys in self._keys.values()))


def _checked(issuer: Issuer, key: IssuerKey | None, token: str, now: float) -> Mapping[str, Any]:
    if key is None:
        raise Refused("no such key")
    try:
        found = jwt.decode(token, key.key, algorithms=sorted(key.algorithms))
    except (JoseError, ValueError, TypeError):
        raise Refused("wrong signature or algorithm") from None
    claims = found.claims
    if found.header.get("typ") not in TYPES:
        raise Refused("another kind of token")
    if claims.get("iss") != issuer.issuer:
        raise Refused("another issuer")
    meant_for = claims.get("aud")
    if issuer.audience not in (meant_for if isinstance(meant_for, list) else [meant_for]):
        raise Refused("another audience")
    if "cnf" in claims:
        raise Refused("bound to a key whose proof is not asked for here")  # RFC 7800
    if not isinstance(claims.get("sub"), str) or not 1 <= len(claims["sub"]) <= 255 or not claims["sub"].isprintable():
        raise Refused("no subject")
    _require_times(claims, now, issuer.clock_skew_seconds)
    return claims


def _require_times(claims: Mapping[str, Any], now: float, skew: int) -> None:
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name, now if name == "nbf" else None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused(f"no {name}")
    if claims["exp"] + skew <= now:
        raise Refused("expired")
    if claims["iat"] - skew > now or claims.get("nbf", now) - skew > now:
        raise Refused("not good yet")
    if claims["exp"] - claims["iat"] > LIVES_AT_MOST.total_seconds():
        raise Refused("good for too long")


def _claimed(issuer: Issuer, claims: Mapping[str, Any]) -> Claimed:
    return Claimed(
        issuer.issuer,
        claims["sub"],
        _name(claims.get("name")) or _name(claims.get("preferred_username")) or "Staff",
        _email(claims.get("email")),
        issuer.rights(claims),
        datetime.fromtimestamp(claims["iat"], UTC),
        datetime.fromtimestamp(claims["exp"], UTC),
    )


def _name(value: Any) -> str | None:
    """A name that may be kept and shown, or None; the beginning of a longer one."""
    text = value.strip()[:MAX_NAME].strip() if isinstance(value, str) else ""
    return text if is_name(text) else None


def _email(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if is_email(text) else None
