"""Signing in, staying signed in and signing out: a form (RFC 6749) in, tokens out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.access import accounts, audit, families, new_password
from service.access.attempts import Attempts
from service.access.incidents import note_lost
from service.access.passwords import Passwords
from service.access.principals import Principal
from service.access.refresh import RefreshTokens
from service.access.refusals import InvalidScope, RefreshEnded, TokenRefused, UnsupportedGrantType, WrongPassword
from service.access.store import NOTHING, find_email, find_principal
from service.access.tokens import Tokens
from service.clock import real_now
from service.errors import NotAllowed, Overloaded
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import reading, writing

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who has proven who it is; `bound` is what the sign-in is for, beyond the principal."""

    who: Principal
    bound: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """The tokens that were given out; `seconds` is how long the access token lives."""

    access_token: str
    seconds: int
    scopes: frozenset[str]
    refresh_token: str | None


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
        password_grant: bool,
    ) -> None:
        self.passwords = passwords
        self.grants: dict[str, Grant] = {"password": self._staff} if password_grant else {}
        self._database = database
        self._tokens = tokens
        self._making = making
        self._attempts = attempts

    async def close(self) -> None:
        """End what works in the background."""
        await self._tokens.listener.stop()
        self.passwords.close()

    async def answer(self, form: Mapping[str, str], authorization: str) -> Given:
        """Tokens for what the form asks; `authorization` is the header, or empty.

        Raises TokenRefused or one of its kinds, and Overloaded."""
        grant = form.get("grant_type")
        if not grant:
            raise TokenRefused("grant_type is missing.")
        if grant == "refresh_token":
            return await self._refresh(form)
        if grant not in self.grants:
            raise UnsupportedGrantType
        proven = await self.grants[grant](form, authorization)
        return await self.admit(proven.who, _asked(form, proven.who.scopes), proven.bound)

    async def admit(self, who: Principal, scopes: frozenset[str], bound: Mapping[str, Any] = NOTHING) -> Given:
        """Tokens of a new family for somebody who has proven who it is; recorded as a sign-in."""
        now = real_now()
        async with writing(self._database) as session:
            family_id, refresh_token = await families.open_family(session, self._making, who, scopes, now, bound)
            await audit.append(session, who, "sign_in", now, subject=(who.kind, who.id), detail={"family": family_id})
        token, seconds = await self._tokens.issue(who, scopes, family_id)
        return Given(token, seconds, scopes, refresh_token)

    async def revoke(self, token: str) -> None:
        """End the family of a refresh or access token; nothing happens if it is none, or has ended (RFC 7009)."""
        known = self._making.read(token)
        family_id = known.family_id if known else await self._tokens.family_of(token)
        if family_id is None:
            return
        now = real_now()
        async with writing(self._database) as session:
            ended = await families.revoke_family(session, family_id, now)
            if ended is not None:
                subject = (ended.subject_kind, ended.subject_id)
                await audit.append(session, None, "sign_out", now, subject=subject, detail={"family": family_id})
        await self._tokens.catch_up()

    async def sign_out_everywhere(self, who: Principal) -> None:
        """End every session of the principal, on all devices."""
        now = real_now()
        async with writing(self._database) as session:
            ended = await families.revoke_all(session, who.kind, who.id, now)
            detail = {"families": ended}
            await audit.append(session, who, "sign_out", now, subject=(who.kind, who.id), detail=detail)
        await self._tokens.catch_up()

    async def set_password(self, token: str, password: str) -> None:
        """Give the account that the token is for this password, and end its sessions.

        Raises PasswordTokenRefused, Invalid."""
        async with reading(self._database) as session:
            await new_password.require_good(session, token, real_now())
        password_hash = await self.passwords.hash(password)
        async with writing(self._database) as session:
            await new_password.use(session, self._attempts, token, password_hash, real_now())
        await self._tokens.catch_up()

    async def change_password(self, who: Principal, before: str, password: str) -> None:
        """Give one's own account another password, and end its sessions. Raises WrongPassword, SlowDown, Invalid."""
        async with reading(self._database) as session:
            email = await find_email(session, who.id) if who.kind == "staff" else None
        if email is None:
            raise NotAllowed("Only staff have a password.")
        await self._staff({"username": email, "password": before}, "")
        password_hash = await self.passwords.hash(password)
        async with writing(self._database) as session:
            await new_password.replace(session, who.id, password_hash, real_now())
        await self._tokens.catch_up()

    async def _refresh(self, form: Mapping[str, str]) -> Given:
        token = self._making.read(form.get("refresh_token", ""))
        if token is None:
            raise RefreshEnded
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

    async def _staff(self, form: Mapping[str, str], _authorization: str) -> Proven:
        email, password = form.get("username", ""), form.get("password", "")
        if not email or not password:
            raise TokenRefused("username and password are needed.")
        account = accounts.clean_email(email)
        async with writing(self._database) as session:
            await self._attempts.begin(session, account, real_now())
        try:
            async with reading(self._database) as session:
                tried, found = await accounts.find_staff_by_password(session, self.passwords, account, password)
        except Overloaded:
            async with writing(self._database) as session:
                await self._attempts.undo(session, account)
            raise
        async with writing(self._database) as session:
            if found is not None:
                await self._attempts.succeeded(session, account, real_now())
                return Proven(found)
            if tried is not None:
                # Only known accounts: else anybody could fill the trail with names nobody has.
                await audit.append(session, None, "sign_in", real_now(), subject=("staff", tried), outcome="refused")
        log.warning("sign_in_refused", kind="staff")
        raise WrongPassword


def _asked(form: Mapping[str, str], held: frozenset[str]) -> frozenset[str]:
    asked = frozenset(form.get("scope", "").split())
    if not asked <= held:
        raise InvalidScope
    return asked or held
