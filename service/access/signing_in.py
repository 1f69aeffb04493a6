"""Signing in, staying signed in and signing out: a form (RFC 6749) in, tokens out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.access import audit, families
from service.access.attempts import Attempts
from service.access.incidents import is_unpaired, note_lost
from service.access.own_account import OwnAccount
from service.access.passwords import Passwords
from service.access.principals import Principal
from service.access.refresh import RefreshToken, RefreshTokens
from service.access.refusals import InvalidScope, RefreshEnded, RefreshUnpaired, TokenRefused, UnsupportedGrantType
from service.access.staff_grant import Proven, StaffGrant
from service.access.store import NOTHING, find_principal
from service.access.tokens import Tokens
from service.access.totp import SecondProofs
from service.clock import real_now
from service.errors import NotAuthenticated
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import WriteSession, reading, writing

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """The tokens that were given out; `seconds` is how long the access token lives."""

    access_token: str
    seconds: int
    scopes: frozenset[str]
    refresh_token: str | None


Also = Callable[[WriteSession, str], Awaitable[None]]
"""What is written together with a new family, whose id it gets."""
Exchange = Callable[[Mapping[str, str], str], Awaitable[Given]]
Identify = Callable[[Mapping[str, str], str], Awaitable[Any]]
Grant = Callable[[Mapping[str, str], str], Awaitable[Proven]]
"""A way of proving who one is: from the form and the authorization header. Raises TokenRefused."""


class Desk:
    """Where everybody signs in. `grants` may be added to: by the value of `grant_type`.

    It opens its own sessions: a refusal is answered with an error and recorded all the same."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        making: RefreshTokens,
        attempts: Attempts,
        passwords: Passwords,
        second: SecondProofs,
        password_grant: bool,
    ) -> None:
        self.passwords = passwords
        self.staff = StaffGrant(database, attempts, passwords, second)
        self.own = OwnAccount(database, tokens, attempts, passwords, self.staff, second)
        self.grants: dict[str, Grant] = {"password": self.staff.prove} if password_grant else {}
        self.exchanges: dict[str, Exchange] = {}
        self.identify: Identify | None = None
        self._database = database
        self._tokens = tokens
        self._making = making
        self._attempts = attempts

    @property
    def grant_types(self) -> list[str]:
        """The values of `grant_type` that are answered."""
        return sorted({*self.grants, *self.exchanges, "refresh_token"})

    async def close(self) -> None:
        """End what works in the background."""
        await self._tokens.listener.stop()
        await self._tokens.outside.listener.stop()
        self.passwords.close()

    async def answer(self, form: Mapping[str, str], authorization: str) -> Given:
        """Tokens for what the form asks; `authorization` is the header, or empty.

        Raises TokenRefused or one of its kinds, and Overloaded."""
        grant = form.get("grant_type")
        if not grant:
            raise TokenRefused("grant_type is missing.")
        if grant == "refresh_token":
            return await self._refresh(form, authorization)
        if grant in self.exchanges:
            return await self.exchanges[grant](form, authorization)
        if grant not in self.grants:
            raise UnsupportedGrantType
        proven = await self.grants[grant](form, authorization)
        return await self.admit(proven.who, _asked(form, proven.who.scopes), proven.bound)

    async def admit(
        self,
        who: Principal,
        scopes: frozenset[str],
        bound: Mapping[str, Any] = NOTHING,
        also: Also | None = None,
        nonce: str | None = None,
    ) -> Given:
        """Tokens of a new family for somebody who has proven who it is; recorded as a sign-in."""
        now = real_now()
        async with writing(self._database) as session:
            family_id, refresh_token = await families.open_family(session, self._making, who, scopes, now, bound)
            if also is not None:
                await also(session, family_id)
            detail = {"family": family_id} | ({"client": who.client_id} if who.client_id else {})
            await audit.append(session, who, "sign_in", now, subject=(who.kind, who.id), detail=detail)
        token, seconds = await self._tokens.issue(who, scopes, family_id, nonce)
        return Given(token, seconds, scopes, refresh_token)

    async def revoke(self, token: str) -> None:
        """End the family of a refresh or access token; nothing happens if it is none, or has ended (RFC 7009)."""
        known = self._making.read(token)
        family_id = known.family_id if known else await self._tokens.family_of(token)
        now = real_now()
        if family_id is None:
            await self._revoke_outside(token, now)
            return
        async with writing(self._database) as session:
            ended = await families.revoke_family(session, family_id, now)
            if ended is not None:
                subject = (ended.subject_kind, ended.subject_id)
                await audit.append(session, None, "sign_out", now, subject=subject, detail={"family": family_id})
        await self._tokens.catch_up()

    async def _revoke_outside(self, token: str, now: datetime) -> None:
        """A token of an issuer elsewhere belongs to no sign-in of ours: all that it made for them until now ends."""
        if not self._tokens.outside.is_of(token):
            return
        try:
            who = await self._tokens.principal_of(token)
        except NotAuthenticated:
            return
        async with writing(self._database) as session:
            await families.revoke_all(session, who.kind, who.id, now)
            await audit.append(session, None, "sign_out", now, subject=(who.kind, who.id))
        await self._tokens.catch_up()

    async def sign_out_everywhere(self, who: Principal) -> None:
        """End every session of the principal, on all devices."""
        now = real_now()
        async with writing(self._database) as session:
            ended = await families.revoke_all(session, who.kind, who.id, now)
            detail = {"families": ended}
            await audit.append(session, who, "sign_out", now, subject=(who.kind, who.id), detail=detail)
        await self._tokens.catch_up()

    async def catch_up(self) -> None:
        """Look up again whoever changed lately."""
        await self._tokens.catch_up()

    async def _refresh(self, form: Mapping[str, str], authorization: str) -> Given:
        token = self._making.read(form.get("refresh_token", ""))
        if token is None:
            raise RefreshEnded
        await self._require_client(form, authorization, token.family_id)
        try:
            return await self._go_on(form, token)
        except RefreshEnded:
            async with reading(self._database) as session:
                unpaired = await is_unpaired(session, await families.bound_of(session, token.family_id))
            raise (RefreshUnpaired if unpaired else RefreshEnded) from None

    async def _go_on(self, form: Mapping[str, str], token: RefreshToken) -> Given:
        now = real_now()
        try:
            async with writing(self._database) as session:
                family = await families.take(session, self._making, token, now)
                if family is None:
                    raise RefreshEnded
                who = await find_principal(session, family.subject_kind, family.subject_id, family.bound)
                if who is None:
                    raise RefreshEnded
                scopes = _asked(form, family.scopes & who.scopes)
                following = await families.rotate(session, self._making, token, now)
        except families.Stolen as theft:
            await self._end_stolen(theft.family)
            raise RefreshEnded from None
        except families.Expired as late:
            async with writing(self._database) as session:
                await note_lost(session, late.family.bound, "token_expired", now)
            raise RefreshEnded from None
        access_token, seconds = await self._tokens.issue(who, scopes, family.id)
        return Given(access_token, seconds, scopes, following)

    async def _end_stolen(self, family: families.Family) -> None:
        log.warning("refresh_token_used_again", kind=family.subject_kind)
        now = real_now()
        async with writing(self._database) as session:
            if await families.revoke_family(session, family.id, now) is None:
                return
            subject = (family.subject_kind, family.subject_id)
            detail = {"family": family.id}
            await audit.append(session, None, "token.reused", now, subject=subject, outcome="refused", detail=detail)
            await note_lost(session, family.bound, "token_reused", now)
        await self._tokens.catch_up()

    async def _require_client(self, form: Mapping[str, str], authorization: str, family_id: str) -> None:
        """Raises InvalidClient, or RefreshEnded, unless the dashboard that a sign-in is for is the one that asks."""
        async with reading(self._database) as session:
            family = await families.find_family(session, family_id, real_now())
        if family is None or "client_id" not in family.bound:
            return
        if self.identify is None or (await self.identify(form, authorization)).id != family.bound["client_id"]:
            raise RefreshEnded


def _asked(form: Mapping[str, str], held: frozenset[str]) -> frozenset[str]:
    asked = frozenset(form.get("scope", "").split())
    if not asked <= held:
        raise InvalidScope
    return asked or held
