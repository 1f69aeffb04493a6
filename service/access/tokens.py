"""Access tokens: ES256, made and checked here. A checked token is remembered for a minute at most, with
the principal it stands for, so that a request with a known token costs no signature and no database."""

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from service.access.keys import ALGORITHM, SigningKeys
from service.access.principals import Principal
from service.access.store import find_principal
from service.clock import real_now
from service.errors import NotAuthenticated
from service.fields import canonical_id, new_id
from service.settings import Settings, require_secret_key
from service.storage.engine import Database
from service.storage.session import reading

AUDIENCE = "wardwatch"
LIFETIMES = {"staff": timedelta(minutes=10), "client": timedelta(minutes=60)}
REMEMBERED_SECONDS = 60
"""How long a change of roles, or the end of an account, may take to be felt."""
MAX_REMEMBERED = 10_000
MAX_TOKEN_LENGTH = 2_000
CLOCK_LEEWAY_SECONDS = 30
"""By how much replicas' clocks may differ: for the beginning of a token, never for its end."""


class Tokens:
    """Makes access tokens, and turns one back into its principal."""

    def __init__(self, keys: SigningKeys, issuer: str, database: Database) -> None:
        self.keys = keys
        self._issuer = issuer
        self._database = database
        self._remembered: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._checking: dict[str, asyncio.Task[tuple[Principal, float]]] = {}

    async def issue(self, principal: Principal, scopes: frozenset[str]) -> tuple[str, int]:
        """A token for some of the principal's scopes, and the seconds it lives. It holds ids, no name.

        May write the signing key: call it with no write session open."""
        key = await self.keys.get()
        now = int(real_now().timestamp())
        seconds = int(LIFETIMES[principal.kind].total_seconds())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": principal.id,
            "kind": principal.kind,
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + seconds,
            "jti": new_id(),
        }
        header = {"alg": ALGORITHM, "kid": self.keys.key_id, "typ": "at+jwt"}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM], default_type=None), seconds

    async def principal_of(self, token: str) -> Principal:
        """Whom a token stands for, with the scopes that the token carries and the account still has.

        Raises NotAuthenticated."""
        known = self._remembered.get(token)
        if known is not None and known[1] > real_now().timestamp():
            return known[0]
        if len(token) > MAX_TOKEN_LENGTH:
            raise NotAuthenticated
        # Requests with the same new token share one check; one that goes away does not stop it for others.
        checking = self._checking.get(token)
        if checking is None:
            checking = self._checking[token] = asyncio.create_task(self._check(token))
            checking.add_done_callback(lambda done: self._checked(token, done))
        return (await asyncio.shield(checking))[0]

    def _checked(self, token: str, done: "asyncio.Task[tuple[Principal, float]]") -> None:
        del self._checking[token]
        if done.cancelled() or done.exception() is not None:
            return
        self._remembered[token] = done.result()
        self._remembered.move_to_end(token)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    async def _check(self, token: str) -> tuple[Principal, float]:
        key = await self.keys.find()
        if key is None:
            raise NotAuthenticated
        claims = self._claims(token, key)
        async with reading(self._database) as session:
            account = await find_principal(session, claims["kind"], claims["sub"])
        if account is None:
            raise NotAuthenticated
        scopes = account.scopes.intersection(claims["scope"].split())
        principal = Principal(account.id, account.kind, account.name, scopes, account.roles, account.administrator)
        return principal, min(float(claims["exp"]), real_now().timestamp() + REMEMBERED_SECONDS)

    def _claims(self, token: str, key: ECKey) -> dict[str, Any]:
        now = int(real_now().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=CLOCK_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            kind={"essential": True, "values": ["staff", "client"]},
        )
        try:
            found = jwt.decode(token, key, algorithms=[ALGORITHM])
            registry.validate(found.claims)
        except (JoseError, ValueError) as problem:
            raise NotAuthenticated from problem
        claims = found.claims
        texts = all(isinstance(claims.get(name), str) for name in ("sub", "kind", "scope"))
        right_key = found.header.get("kid") == self.keys.key_id and found.header.get("typ") == "at+jwt"
        if not texts or not right_key or canonical_id(claims["sub"]) is None:
            raise NotAuthenticated
        if type(claims["exp"]) is not int or claims["exp"] <= now:
            raise NotAuthenticated
        return claims


def open_tokens(settings: Settings, database: Database) -> Tokens:
    """Tokens as the settings say; raises SettingInvalid without a usable secret key."""
    return Tokens(SigningKeys(require_secret_key(settings), database), settings.issuer, database)
