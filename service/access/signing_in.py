"""Signing in: a form (RFC 6749) in, a principal and the scopes of its token out."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from service.access import accounts, audit
from service.access.passwords import Passwords
from service.access.principals import Principal
from service.access.refusals import InvalidClient, InvalidGrant, InvalidScope, TokenRefused, UnsupportedGrantType
from service.clock import real_now
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import reading, writing

log = get_logger(__name__)

_BASIC = {"WWW-Authenticate": 'Basic realm="wardwatch"'}


@dataclass(frozen=True, slots=True)
class Desk:
    """What signing in needs: the database, the password threads, and whether staff may send passwords here.

    It opens its own sessions: a refusal is answered with an error and recorded all the same."""

    database: Database
    passwords: Passwords
    password_grant: bool

    async def sign_in(self, form: Mapping[str, str], authorization: str) -> tuple[Principal, frozenset[str]]:
        """The principal and the scopes of its new token; `authorization` is the header, or empty.

        Raises TokenRefused or one of its kinds, and Overloaded."""
        grant = form.get("grant_type")
        if not grant:
            raise TokenRefused("grant_type is missing.")
        if grant == "client_credentials":
            who = await self._client(*_client_credentials(form, authorization))
        elif grant == "password" and self.password_grant:
            who = await self._staff(form.get("username", ""), form.get("password", ""))
        else:
            raise UnsupportedGrantType
        asked = frozenset(form.get("scope", "").split())
        if not asked <= who.scopes:
            raise InvalidScope
        async with writing(self.database) as session:
            await audit.append(session, who, "sign_in", real_now(), subject=(who.kind, who.id))
        return who, asked or who.scopes

    async def _client(self, client_id: str, secret: str) -> Principal:
        async with reading(self.database) as session:
            found = await accounts.find_client_by_secret(session, client_id, secret)
        if found is None:
            log.warning("sign_in_refused", kind="client")
            raise InvalidClient(headers=_BASIC)
        return found

    async def _staff(self, email: str, password: str) -> Principal:
        if not email or not password:
            raise TokenRefused("username and password are needed.")
        async with reading(self.database) as session:
            tried, found = await accounts.find_staff_by_password(session, self.passwords, email, password)
        if found is not None:
            return found
        log.warning("sign_in_refused", kind="staff")
        if tried is not None:
            # Only known accounts: else anybody could fill the trail with names nobody has.
            async with writing(self.database) as session:
                await audit.append(session, None, "sign_in", real_now(), subject=("staff", tried), outcome="refused")
        raise InvalidGrant


def _client_credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise TokenRefused("The client has to sign in one way, not two.")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidClient(headers=_BASIC) from None
    if not colon:
        raise InvalidClient(headers=_BASIC)
    # RFC 6749, section 2.3.1: both parts are form-encoded before they are put together.
    return unquote_plus(client_id), unquote_plus(secret)
