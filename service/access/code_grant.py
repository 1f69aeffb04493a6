"""Tokens for an authorization code: the grant `authorization_code` of the token endpoint."""

from collections.abc import Mapping
from dataclasses import replace

from service.access import audit, authorization, families
from service.access.client_grant import ClientGrant
from service.access.refusals import InvalidGrant
from service.access.signing_in import Desk, Given
from service.access.store import find_principal
from service.clock import real_now
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import WriteSession, reading, writing

log = get_logger(__name__)

GRANT_TYPE = "authorization_code"


class CodeGrant:
    """Changes codes for tokens."""

    def __init__(self, database: Database, desk: Desk, clients: ClientGrant) -> None:
        self._database = database
        self._desk = desk
        self._clients = clients

    async def exchange(self, form: Mapping[str, str], authorization_header: str) -> Given:
        """The tokens; raises InvalidClient, InvalidGrant. A code that comes twice ends what it opened: one of the two
        who brought it has stolen it (RFC 6749, section 4.1.2)."""
        caller = await self._clients.identify(form, authorization_header)
        now = real_now()
        try:
            async with reading(self._database) as session:
                opened = await authorization.find_code(session, form, caller.id, now)
                bound = {"client_id": caller.id, "public": caller.public}
                who = await find_principal(session, "staff", opened.staff_id, bound)
            if who is None:
                raise InvalidGrant

            async def used_up(session: WriteSession, family_id: str) -> None:
                await authorization.use_up(session, opened, family_id, now)

            scopes = opened.scopes & who.scopes
            return await self._desk.admit(replace(who, scopes=scopes), scopes, bound, also=used_up, nonce=opened.nonce)
        except authorization.CodeReused:
            await self._end(form.get("code", ""))
            raise

    async def _end(self, code: str) -> None:
        log.warning("authorization_code_used_again")
        now = real_now()
        async with writing(self._database) as session:
            family_id = await authorization.find_used(session, code)
            ended = await families.revoke_family(session, family_id, now) if family_id else None
            if ended is not None:
                subject, detail = (ended.subject_kind, ended.subject_id), {"family": ended.id}
                await audit.append(session, None, "code.reused", now, subject=subject, outcome="refused", detail=detail)
        await self._desk.catch_up()
