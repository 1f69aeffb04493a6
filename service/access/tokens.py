"""Access tokens: ES256, made and checked here. A checked token is remembered for a minute at most, with
the principal it stands for, so that a request with a known token costs no signature and no database."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from service.access import changes
from service.access.families import LIVES, find_family
from service.access.issuers import read_issuers
from service.access.keys import ALGORITHM, SigningKeys
from service.access.outside import Outside
from service.access.principals import AT_HOME, Principal
from service.access.remembered import REMEMBERED_SECONDS, Checked, Remembered
from service.access.store import find_principal
from service.access.unchecked import look_into
from service.clock import real_now
from service.errors import NotAuthenticated, PairingEnded
from service.fields import canonical_id, new_id
from service.settings import Settings, secret_keys_of
from service.storage.engine import Database
from service.storage.session import reading

AUDIENCE = "wardwatch"
MAX_TOKEN_LENGTH = 2_000
CLOCK_LEEWAY_SECONDS = 30
"""By how much replicas' clocks may differ: for the beginning of a token, never for its end."""


class Tokens:
    """Makes access tokens, and turns one back into its principal."""

    def __init__(self, keys: SigningKeys, issuer: str, database: Database, outside: Outside) -> None:
        self.keys = keys
        self.outside = outside
        self.listener = changes.Listener(self.catch_up)
        self._issuer = issuer
        self._max_length = max(MAX_TOKEN_LENGTH, outside.max_length)
        self._database = database
        self._remembered = Remembered()
        self._checking: dict[str, asyncio.Task[Checked]] = {}

    async def issue(
        self, principal: Principal, scopes: frozenset[str], family_id: str, nonce: str | None = None
    ) -> tuple[str, int]:
        """A token of the family for some of the principal's scopes, and the seconds it lives. It holds ids, no name.

        May write the signing key: call it with no write session open."""
        key = await self.keys.get()
        now = int(real_now().timestamp())
        seconds = int(LIVES[principal.kind].access.total_seconds())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": principal.id,
            "kind": principal.kind,
            "family": family_id,
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + seconds,
            "jti": new_id(),
            **({"client_id": principal.client_id} if principal.client_id else {}),
            **({"nonce": nonce} if nonce is not None else {}),
        }
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM], default_type=None), seconds

    async def principal_of(self, token: str) -> Principal:
        """Whom a token stands for, with the scopes that the token carries and the account still has.

        Raises NotAuthenticated; IssuerUnavailable for one from elsewhere that cannot be checked now."""
        known = self._remembered.find(token)
        if known is not None:
            return known
        # Requests with the same new token share one check; one that goes away does not stop it for others.
        checking = self._checking.get(token) if len(token) <= self._max_length else None
        if checking is None:
            checking = self._checking[token] = asyncio.create_task(self._check(token))
            checking.add_done_callback(lambda done: self._checked(token, done))
        return (await asyncio.shield(checking)).who

    async def family_of(self, token: str) -> str | None:
        """The family of an access token, remembered or not; None when it is none of ours or has expired."""
        try:
            return str((await self._claims(token))["family"])
        except NotAuthenticated:
            return None

    async def catch_up(self) -> None:
        """Look up again whoever changed lately. Costs one query."""
        since = real_now() - timedelta(seconds=REMEMBERED_SECONDS) - changes.SLACK
        self._remembered.forget(await changes.list_since(self._database, since))

    def _checked(self, token: str, done: "asyncio.Task[Checked]") -> None:
        del self._checking[token]
        if not done.cancelled() and done.exception() is None:
            self._remembered.keep(token, done.result())

    async def _check(self, token: str) -> Checked:
        at = real_now()
        if self.outside.is_of(token):
            claimed = await self.outside.read(token, at)
            until = min(claimed.until.timestamp(), at.timestamp() + REMEMBERED_SECONDS)
            return Checked(await self.outside.arrive(claimed), until, at.timestamp())
        claims = await self._claims(token)
        async with reading(self._database) as session:
            family = await find_family(session, claims["family"], at)
            if family is None or (family.subject_kind, family.subject_id) != (claims["kind"], claims["sub"]):
                raise NotAuthenticated
            account = await find_principal(session, claims["kind"], claims["sub"], family.bound)
        if account is None:
            raise PairingEnded if claims["kind"] in AT_HOME else NotAuthenticated
        scopes = account.scopes.intersection(claims["scope"].split())
        until = min(float(claims["exp"]), at.timestamp() + REMEMBERED_SECONDS)
        return Checked(replace(account, scopes=scopes, family_id=family.id), until, at.timestamp())

    async def _claims(self, token: str) -> dict[str, Any]:
        seen = look_into(token, MAX_TOKEN_LENGTH)
        key_id = seen[0].get("kid") if seen else None
        key = await self.keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise NotAuthenticated
        return self._decode(token, key)

    def _decode(self, token: str, key: ECKey) -> dict[str, Any]:
        now = int(real_now().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=CLOCK_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            family={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            kind={"essential": True, "values": sorted(LIVES)},
        )
        try:
            found = jwt.decode(token, key, algorithms=[ALGORITHM])
            registry.validate(found.claims)
        except (JoseError, ValueError, TypeError) as problem:  # TypeError: a `crit` that is no list of texts
            raise NotAuthenticated from problem
        claims = found.claims
        texts = all(isinstance(claims.get(name), str) for name in ("sub", "kind", "scope", "family"))
        right_kind = found.header.get("kid") == key.kid and found.header.get("typ") == "at+jwt"
        if not texts or not right_kind or None in (canonical_id(claims["sub"]), canonical_id(claims["family"])):
            raise NotAuthenticated
        if type(claims["exp"]) is not int or claims["exp"] <= now:
            raise NotAuthenticated
        return claims


def open_tokens(settings: Settings, database: Database) -> Tokens:
    """Tokens as the settings say; raises SettingInvalid without a usable secret key or with issuers that are not."""
    keys = SigningKeys(secret_keys_of(settings), database)
    return Tokens(keys, settings.issuer, database, Outside(read_issuers(settings)))
