"""People whom an issuer elsewhere vouches for. They have an account like everybody else, made when they first come and
kept in step with what the issuer's newest token says; so the queue, the trail, cover and colleagues know them.

Their rights are the issuer's to change. Ours is to end the account, or their sessions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.accounts import NO_ADDRESS, clean_email
from service.access.outside import Claimed
from service.access.principals import ROLE_SCOPES, Principal, scopes_of
from service.access.store import (
    IDENTITY,
    STAFF,
    EmailTaken,
    find_principal,
    insert_staff,
    list_unknown_wards,
)
from service.accounts import store
from service.accounts.act import Act
from service.clock import Clock, real_now
from service.errors import NotAuthenticated
from service.fields import canonical_id, new_id
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.portable import insert_or_skip
from service.storage.session import WriteSession, reading, writing

log = get_logger(__name__)

NOBODY = UUID("0192f2a0-5a7e-7c3e-9a53-3f6c2b1d8e47")
"""The namespace for the ids of people who have no rights here, and so no account."""
START = datetime(1970, 1, 1, tzinfo=UTC)


class Arrivals:
    """Keeps the accounts of people from elsewhere. `clock` is clinical time, for the wards' feeds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def arrive(self, claimed: Claimed) -> Principal:
        """Who this is, with the rights that both this token and the newest one give. Writes when the token is newer
        than any before. Raises NotAuthenticated for an account that was ended, and for tokens from before a
        sign-out."""
        async with reading(self._database) as session:
            known = await _identity(session, claimed)
        if known is None and claimed.rights.none:
            # Whoever has nothing here gets no account either: an issuer may vouch for a whole country.
            return Principal(
                str(uuid5(NOBODY, f"{claimed.issuer}\n{claimed.subject}")), "staff", claimed.name, *_NOTHING
            )
        _refuse_before_sign_out(known, claimed)
        if known is None or known.claims_at < claimed.issued_at:
            await self._take_over(claimed)
        async with reading(self._database) as session:
            known = await _identity(session, claimed)
            who = await find_principal(session, "staff", known.staff_id) if known is not None else None
        if who is None:
            raise NotAuthenticated
        _refuse_before_sign_out(known, claimed)
        return _narrowed(who, claimed)

    async def _take_over(self, claimed: Claimed) -> None:
        """Put the account in step with a token; without its address when another account has that."""
        try:
            async with writing(self._database) as session:
                await self._write(session, claimed)
        except EmailTaken:
            async with writing(self._database) as session:
                await self._write(session, replace(claimed, email=None))

    async def _write(self, session: WriteSession, claimed: Claimed) -> None:
        """Put the account in step with a token, unless a newer one was here meanwhile. Raises EmailTaken."""
        row = {"staff_id": new_id(), "issuer": claimed.issuer, "subject": claimed.subject, "claims_at": START}
        made = await session.execute(
            insert_or_skip(session, IDENTITY, ["issuer", "subject"]).values(row).returning(IDENTITY.c.staff_id)
        )
        is_new = made.first() is not None
        known = await _identity(session, claimed, lock=True)
        if known is None or known.claims_at >= claimed.issued_at:
            return
        newer = {"claims_at": claimed.issued_at}
        await session.execute(update(IDENTITY).where(IDENTITY.c.staff_id == known.staff_id).values(newer))
        roles = await _known_roles(session, claimed)
        who = Principal(known.staff_id, "staff", claimed.name, *_NOTHING)
        act = Act(session, who, self._clock.now(), real_now())
        await (_join if is_new else _keep_up)(act, claimed, roles)


_NOTHING: tuple[frozenset[str], dict[str, str]] = (frozenset(), {})


async def _identity(session: AsyncSession, claimed: Claimed, *, lock: bool = False) -> Any:
    query = select(IDENTITY).where(IDENTITY.c.issuer == claimed.issuer, IDENTITY.c.subject == claimed.subject)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


def _refuse_before_sign_out(known: Any, claimed: Claimed) -> None:
    if known is not None and known.signed_out_at is not None and claimed.issued_at <= known.signed_out_at:
        raise NotAuthenticated


async def _known_roles(session: AsyncSession, claimed: Claimed) -> dict[str, str]:
    """The roles on wards that there are."""
    named = {canonical_id(ward_id): role for ward_id, role in claimed.rights.roles.items()}
    named.pop(None, None)
    unknown = await list_unknown_wards(session, [ward_id for ward_id in named if ward_id is not None])
    if unknown or len(named) < len(claimed.rights.roles):
        log.warning("outside_wards_unknown", issuer=claimed.issuer)
    return {ward_id: role for ward_id, role in named.items() if ward_id is not None and ward_id not in unknown}


async def _note_sign_in(act: Act, claimed: Claimed) -> None:
    subject, detail = ("staff", act.who.id), {"issuer": claimed.issuer}
    await audit.append(act.session, act.who, "sign_in", act.real_at, subject=subject, detail=detail)


async def _join(act: Act, claimed: Claimed, roles: Mapping[str, str]) -> None:
    row = {
        "id": act.who.id,
        "password_hash": "",
        "active": True,
        "created_at": act.real_at,
        **_person(act, claimed),
    }
    await insert_staff(act.session, row, dict(roles))
    await _note_sign_in(act, claimed)
    await act.record("staff.joined", "staff", act.who.id, roles, issuer=claimed.issuer, roles=roles)


async def _keep_up(act: Act, claimed: Claimed, roles: Mapping[str, str]) -> None:
    """Write what differs, and record it; nothing for an account that was ended."""
    row = (await act.session.execute(select(STAFF).where(STAFF.c.id == act.who.id).with_for_update())).one()
    if not row.active:
        return
    await _note_sign_in(act, claimed)
    person = _person(act, claimed)
    changed = {name: value for name, value in person.items() if getattr(row, name) != value}
    before = await store.list_roles(act.session, act.who.id)
    moved = {ward: roles.get(ward) for ward in {*before, *roles} if roles.get(ward) != before.get(ward)}
    if changed:
        await store.update_staff(act.session, act.who.id, changed)
    for ward_id, role in sorted(moved.items()):
        await store.put_role(act.session, act.who.id, ward_id, role)
    if changed or moved:
        action = "staff.role_changed" if moved else "staff.changed"
        detail = {"issuer": claimed.issuer, "fields": sorted(changed), "roles": moved}
        await act.record(action, "staff", act.who.id, moved or roles, **detail)


def _person(act: Act, claimed: Claimed) -> dict[str, Any]:
    address = clean_email(claimed.email) if claimed.email else f"{act.who.id}{NO_ADDRESS}"
    return {"name": claimed.name, "email": address, "administrator": claimed.rights.administrator}


def _narrowed(who: Principal, claimed: Claimed) -> Principal:
    """The account with no more than this token gives: it may be older than the newest one, or made for less."""
    roles = {}
    for ward_id, role in who.roles.items():
        given = claimed.rights.roles.get(ward_id)
        if given is not None and ROLE_SCOPES[given] <= ROLE_SCOPES[role]:
            roles[ward_id] = given
        elif given is not None and ROLE_SCOPES[role] <= ROLE_SCOPES[given]:
            roles[ward_id] = role
    administrator = who.administrator and claimed.rights.administrator
    return replace(who, roles=roles, administrator=administrator, scopes=scopes_of(roles.values(), administrator))
