"""How a system proves which it is: with a secret (in the header or in the form) or with a key of its own."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from service.access import accounts
from service.access.assertions import ASSERTION_TYPE, Assertions, Faulty, Unproven
from service.access.principals import Principal
from service.access.refusals import InvalidClient, TokenRefused, UnauthorizedClient
from service.access.staff_grant import Proven
from service.access.store import find_principal, is_dashboard, is_public_client
from service.fields import canonical_id
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import reading

log = get_logger(__name__)

GRANT_TYPE = "client_credentials"


@dataclass(frozen=True, slots=True)
class Caller:
    """A client: one that is `public` only says which it is, and cannot prove it."""

    id: str
    public: bool


_BASIC = {"WWW-Authenticate": 'Basic realm="wardwatch"'}


class ClientGrant:
    """Proves which client it is: a grant of the `Desk`."""

    def __init__(self, database: Database, assertions: Assertions) -> None:
        self._database = database
        self._assertions = assertions

    async def prove(self, form: Mapping[str, str], authorization: str) -> Proven:
        """The client, which gets tokens of its own. Raises InvalidClient, UnauthorizedClient for one that people sign
        in for, and TokenRefused for one that signs in two ways."""
        found = await self._prove(form, authorization)
        async with reading(self._database) as session:
            if await is_dashboard(session, found.id):
                raise UnauthorizedClient
        return Proven(found)

    async def _prove(self, form: Mapping[str, str], authorization: str) -> Principal:
        if "client_assertion" in form or "client_assertion_type" in form:
            found = await self._by_key(form, authorization)
        else:
            client_id, secret = _client_credentials(form, authorization)
            async with reading(self._database) as session:
                found = await accounts.find_client_by_secret(session, client_id, secret)
        if found is None:
            log.warning("sign_in_refused", kind="client")
            raise InvalidClient(headers=_BASIC)
        return found

    async def identify(self, form: Mapping[str, str], authorization: str) -> Caller:
        """Which client this is, whether it can prove it or is a public one. Raises InvalidClient, TokenRefused."""
        if authorization or {"client_secret", "client_assertion", "client_assertion_type"} & set(form):
            return Caller((await self._prove(form, authorization)).id, public=False)
        client_id = canonical_id(form.get("client_id", ""))
        async with reading(self._database) as session:
            if client_id is None or not await is_public_client(session, client_id):
                raise InvalidClient(headers=_BASIC)
        return Caller(client_id, public=True)

    async def _by_key(self, form: Mapping[str, str], authorization: str) -> Principal | None:
        if authorization or "client_secret" in form:
            raise TokenRefused("The client has to sign in one way, not two.")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefused(f"client_assertion_type has to be {ASSERTION_TYPE}.")
        try:
            client_id = await self._assertions.client_of(form.get("client_assertion", ""))
        except Unproven as problem:
            log.warning("client_assertion_refused", reason=str(problem))
            if isinstance(problem, Faulty):
                raise InvalidClient(f"The assertion is signed by the client, but {problem}.", headers=_BASIC) from None
            return None
        if form.get("client_id", client_id) != client_id:
            return None
        async with reading(self._database) as session:
            return await find_principal(session, "client", client_id)


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
    client_id = unquote_plus(client_id)
    if canonical_id(form.get("client_id", client_id)) != canonical_id(client_id):
        raise InvalidClient(headers=_BASIC)
    return client_id, unquote_plus(secret)
