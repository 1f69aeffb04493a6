"""Queries on staff and clients, for whoever manages them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, delete, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.opaque import id_of_secret
from service.access.principals import Principal
from service.access.store import CLIENT, CLIENT_WARD, IDENTITY, MEMBERSHIP, STAFF, WARD, is_public, write_staff
from service.access.visibility import visible
from service.errors import NotFound

_ON_WARDS = {STAFF: MEMBERSHIP.c.staff_id, CLIENT: CLIENT_WARD.c.client_id}
"""Where it says on which wards an account of each kind is."""


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff. `roles` are those on every ward, the caller's or not, by ward id; `issuer` is whom they sign
    in with when that is not here."""

    id: str
    email: str
    name: str
    administrator: bool
    active: bool
    has_password: bool
    created_at: datetime
    issuer: str | None
    roles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """A partner system. `ward_ids` are all of its wards, the caller's or not; `secret_ids` name the secrets that are
    good, the newest first."""

    id: str
    name: str
    scopes: tuple[str, ...]
    active: bool
    secret_ids: tuple[str, ...]
    jwks: Mapping[str, Any] | None
    jwks_url: str | None
    redirect_uris: tuple[str, ...]
    public: bool
    created_at: datetime
    ward_ids: tuple[str, ...]


async def list_staff(
    session: AsyncSession, who: Principal, ward_id: str | None, after: str | None, limit: int
) -> list[Staff]:
    """The staff that the principal may see, oldest first, from the one after `after`."""
    return await _staff(session, await _list(session, who, STAFF, ward_id, after, limit))


async def get_staff(session: AsyncSession, who: Principal, staff_id: str | None, *, lock: bool = False) -> Staff:
    """A member of staff the principal may see; raises NotFound. `lock` holds the account until the transaction ends."""
    return (await _staff(session, [await _get(session, who, STAFF, staff_id, lock)]))[0]


async def list_clients(
    session: AsyncSession, who: Principal, ward_id: str | None, after: str | None, limit: int
) -> list[Client]:
    """The systems that the principal may see, oldest first, from the one after `after`."""
    return await _clients(session, await _list(session, who, CLIENT, ward_id, after, limit))


async def get_client(session: AsyncSession, who: Principal, client_id: str | None, *, lock: bool = False) -> Client:
    """A system the principal may see; raises NotFound. `lock` holds the account until the transaction ends."""
    return (await _clients(session, [await _get(session, who, CLIENT, client_id, lock)]))[0]


async def update_staff(session: AsyncSession, staff_id: str, changes: Mapping[str, Any]) -> None:
    """Write the changed columns; raises EmailTaken."""
    await write_staff(session, update(STAFF).where(STAFF.c.id == staff_id).values(changes))


async def list_roles(session: AsyncSession, staff_id: str) -> dict[str, str]:
    """The person's role on each of their wards."""
    query = select(MEMBERSHIP.c.ward_id, MEMBERSHIP.c.role).where(MEMBERSHIP.c.staff_id == staff_id)
    return {row.ward_id: row.role for row in await session.execute(query)}


async def put_role(session: AsyncSession, staff_id: str, ward_id: str, role: str | None) -> None:
    """Give the role on the ward in place of any other; None: none. The caller holds the account."""
    await session.execute(delete(MEMBERSHIP).where(MEMBERSHIP.c.staff_id == staff_id, MEMBERSHIP.c.ward_id == ward_id))
    if role is not None:
        await session.execute(insert(MEMBERSHIP).values(staff_id=staff_id, ward_id=ward_id, role=role))


async def update_client(session: AsyncSession, client_id: str, changes: Mapping[str, Any]) -> None:
    """Write the changed columns."""
    await session.execute(update(CLIENT).where(CLIENT.c.id == client_id).values(changes))


async def put_client_wards(session: AsyncSession, client_id: str, ward_ids: Sequence[str]) -> None:
    """Let the system work on these wards and no others. The caller holds the account."""
    await session.execute(delete(CLIENT_WARD).where(CLIENT_WARD.c.client_id == client_id))
    await session.execute(insert(CLIENT_WARD), [{"client_id": client_id, "ward_id": each} for each in ward_ids])


async def renew_cover(session: AsyncSession, ward_ids: Sequence[str]) -> None:
    """Whoever keeps these wards' cover in memory reads it again: somebody else is there now."""
    newer = {"cover_version": WARD.c.cover_version + 1}
    for ward_id in sorted(ward_ids):
        await session.execute(update(WARD).where(WARD.c.id == ward_id).values(newer))


async def _list(
    session: AsyncSession, who: Principal, table: Table, ward_id: str | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    query = select(table).where(_seen(who, table)).order_by(table.c.id).limit(limit)
    if ward_id is not None:
        member = _ON_WARDS[table]
        query = query.where(table.c.id.in_(select(member).where(member.table.c.ward_id == ward_id)))
    if after is not None:
        query = query.where(table.c.id > after)
    return (await session.execute(query)).all()


async def _get(session: AsyncSession, who: Principal, table: Table, account_id: str | None, lock: bool) -> Row[Any]:
    query = select(table).where(table.c.id == account_id, _seen(who, table))
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none() if account_id else None
    if row is None:
        raise NotFound
    return row


def _seen(who: Principal, table: Table) -> ColumnElement[bool]:
    """The account is on one of the principal's wards; an administrator sees all, those on no ward as well."""
    if who.administrator:
        return true()
    member = _ON_WARDS[table]
    return table.c.id.in_(select(member).where(visible(who, member.table)))


async def _staff(session: AsyncSession, rows: Sequence[Any]) -> list[Staff]:
    roles: dict[str, dict[str, str]] = {row.id: {} for row in rows}
    query = select(MEMBERSHIP).where(MEMBERSHIP.c.staff_id.in_(sorted(roles))).order_by(MEMBERSHIP.c.ward_id)
    for each in await session.execute(query):
        roles[each.staff_id][each.ward_id] = each.role
    from_elsewhere = select(IDENTITY.c.staff_id, IDENTITY.c.issuer).where(IDENTITY.c.staff_id.in_(sorted(roles)))
    issuers = {row.staff_id: row.issuer for row in await session.execute(from_elsewhere)}
    return [
        Staff(
            row.id, row.email, row.name, row.administrator, row.active, bool(row.password_hash), row.created_at,
            issuers.get(row.id), roles[row.id],
        )
        for row in rows
    ]  # fmt: skip


async def _clients(session: AsyncSession, rows: Sequence[Any]) -> list[Client]:
    wards: dict[str, list[str]] = {row.id: [] for row in rows}
    query = select(CLIENT_WARD).where(CLIENT_WARD.c.client_id.in_(sorted(wards))).order_by(CLIENT_WARD.c.ward_id)
    for each in await session.execute(query):
        wards[each.client_id].append(each.ward_id)
    return [
        Client(
            row.id, row.name, tuple(row.scopes), row.active, _secret_ids(row), row.jwks, row.jwks_url,
            tuple(row.redirect_uris or ()), is_public(row), row.created_at, tuple(wards[row.id]),
        )
        for row in rows
    ]  # fmt: skip


def _secret_ids(row: Row[Any]) -> tuple[str, ...]:
    # An empty hash is no secret: a client that signs in with its key, or a public one.
    return tuple(id_of_secret(each) for each in (row.secret_hash, row.previous_secret_hash) if each)
