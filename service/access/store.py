"""Queries on accounts."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable, Row, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service.access.principals import AT_HOME, ROLE_SCOPES, Home, Principal, scopes_of
from service.errors import Conflict
from service.storage.tables import METADATA

STAFF = METADATA.tables["staff"]
IDENTITY = METADATA.tables["staff_identity"]
MEMBERSHIP = METADATA.tables["membership"]
CLIENT = METADATA.tables["client"]
CLIENT_WARD = METADATA.tables["client_ward"]
WARD = METADATA.tables["ward"]
PAIRING = METADATA.tables["pairing"]
CARER = METADATA.tables["carer"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class EmailTaken(Conflict):
    """There is already an account with that e-mail address."""

    code = "email_taken"


async def find_principal(
    session: AsyncSession, kind: str, principal_id: str, bound: Mapping[str, Any] = NOTHING
) -> Principal | None:
    """An active member of staff, client or paired app with all its scopes and wards; else None.

    `bound` is what the sign-in is for beyond the principal (see `TokenFamilyRow`)."""
    if kind == "staff":
        return await _find_staff(session, principal_id, bound)
    if kind == "client":
        return await _find_client(session, principal_id)
    if kind in AT_HOME:
        return await _find_at_home(session, kind, principal_id, bound)
    return None


async def _find_staff(session: AsyncSession, staff_id: str, bound: Mapping[str, Any]) -> Principal | None:
    """Somebody who signed in for a dashboard of others (`client_id`) reaches what both do, and never everything."""
    joined = STAFF.outerjoin(MEMBERSHIP, MEMBERSHIP.c.staff_id == STAFF.c.id)
    rows = (
        await session.execute(
            select(STAFF.c.name, STAFF.c.administrator, MEMBERSHIP.c.ward_id, MEMBERSHIP.c.role)
            .select_from(joined)
            .where(STAFF.c.id == staff_id, STAFF.c.active)
        )
    ).all()
    if not rows:
        return None
    roles = {row.ward_id: row.role for row in rows if row.ward_id is not None}
    administrator = rows[0].administrator
    if "client_id" in bound:
        client = await _find_client(session, bound["client_id"])
        if client is None:
            return None
        roles = {ward_id: role for ward_id, role in roles.items() if ward_id in client.roles}
        scopes = scopes_of(roles.values(), administrator=False) & client.scopes
        return Principal(staff_id, "staff", rows[0].name, scopes, roles, client_id=client.id)
    return Principal(staff_id, "staff", rows[0].name, scopes_of(roles.values(), administrator), roles, administrator)


async def _find_client(session: AsyncSession, client_id: str) -> Principal | None:
    joined = CLIENT.outerjoin(CLIENT_WARD, CLIENT_WARD.c.client_id == CLIENT.c.id)
    rows = (
        await session.execute(
            select(CLIENT.c.name, CLIENT.c.scopes, CLIENT_WARD.c.ward_id)
            .select_from(joined)
            .where(CLIENT.c.id == client_id, CLIENT.c.active)
        )
    ).all()
    if not rows:
        return None
    roles = {row.ward_id: "partner" for row in rows if row.ward_id is not None}
    return Principal(client_id, "client", rows[0].name, frozenset(rows[0].scopes), roles)


async def _find_at_home(
    session: AsyncSession, kind: str, principal_id: str, bound: Mapping[str, Any]
) -> Principal | None:
    """Whoever is bound to a pairing that has not ended. A patient has no name here: nothing reads the patient."""
    joined = PAIRING.outerjoin(CARER, (CARER.c.ward_id == PAIRING.c.ward_id) & (CARER.c.id == PAIRING.c.carer_id))
    columns = (PAIRING.c.stay_id, PAIRING.c.patient_id, PAIRING.c.carer_id, CARER.c.name, CARER.c.removed_at)
    query = select(*columns).select_from(joined).where(
        PAIRING.c.ward_id == bound.get("ward_id"),
        PAIRING.c.id == bound.get("pairing_id"),
        PAIRING.c.kind == kind,
        PAIRING.c.ended_at.is_(None),
    )  # fmt: skip
    row = (await session.execute(query)).one_or_none()
    if row is None or row.removed_at is not None or principal_id != (row.carer_id or row.patient_id):
        return None
    home = Home(bound["ward_id"], row.stay_id, row.patient_id, bound["pairing_id"])
    return Principal(principal_id, kind, row.name or "Patient", ROLE_SCOPES[kind], {}, home=home)  # type: ignore[arg-type]


async def find_staff_by_email(session: AsyncSession, email: str) -> Row[Any, Any] | None:
    """(id, password_hash) of an active member of staff, or None."""
    query = select(STAFF.c.id, STAFF.c.password_hash).where(STAFF.c.email == email, STAFF.c.active)
    return (await session.execute(query)).one_or_none()


async def find_email(session: AsyncSession, staff_id: str) -> str | None:
    """The e-mail address of an active member of staff, or None."""
    query = select(STAFF.c.email).where(STAFF.c.id == staff_id, STAFF.c.active)
    return (await session.execute(query)).scalar_one_or_none()


async def find_issuer(session: AsyncSession, staff_id: str) -> str | None:
    """The issuer elsewhere that a member of staff signs in with, or None."""
    query = select(IDENTITY.c.issuer).where(IDENTITY.c.staff_id == staff_id)
    return (await session.execute(query)).scalar_one_or_none()


async def list_client_secrets(session: AsyncSession, client_id: str) -> list[str]:
    """The stored hashes of an active client's secrets that are good."""
    query = select(CLIENT.c.secret_hash, CLIENT.c.previous_secret_hash).where(CLIENT.c.id == client_id, CLIENT.c.active)
    return [each for row in await session.execute(query) for each in row if each]


async def is_public_client(session: AsyncSession, client_id: str) -> bool:
    """Whether an active client has addresses to send people back to, and nothing to prove itself with."""
    query = select(CLIENT).where(CLIENT.c.id == client_id, CLIENT.c.active)
    row = (await session.execute(query)).one_or_none()
    return row is not None and is_public(row)


async def is_dashboard(session: AsyncSession, client_id: str) -> bool:
    """Whether people sign in for a client: it has addresses to send them back to."""
    query = select(CLIENT.c.redirect_uris).where(CLIENT.c.id == client_id)
    return bool((await session.execute(query)).scalar_one_or_none())


def is_public(client: Row[Any]) -> bool:
    """Whether a client's row says that it is a public one."""
    proofs = (client.secret_hash, client.previous_secret_hash, client.jwks, client.jwks_url)
    return bool(client.redirect_uris) and not any(proofs)


async def find_client_keys(session: AsyncSession, client_id: str) -> tuple[dict[str, Any] | None, str | None]:
    """The registered key set and the URL of one, each None where there is none, of an active client."""
    query = select(CLIENT.c.jwks, CLIENT.c.jwks_url).where(CLIENT.c.id == client_id, CLIENT.c.active)
    row = (await session.execute(query)).one_or_none()
    return (row.jwks, row.jwks_url) if row else (None, None)


async def list_unknown_wards(session: AsyncSession, ward_ids: Sequence[str]) -> list[str]:
    """Those of the ids that are no ward."""
    known = set((await session.execute(select(WARD.c.id).where(WARD.c.id.in_(ward_ids)))).scalars())
    return [ward_id for ward_id in ward_ids if ward_id not in known]


async def insert_staff(session: AsyncSession, row: dict[str, object], roles: dict[str, str]) -> None:
    """A member of staff with a role on each of the wards; raises EmailTaken."""
    await write_staff(session, insert(STAFF).values(row))
    if roles:
        rows = [{"staff_id": row["id"], "ward_id": ward_id, "role": role} for ward_id, role in roles.items()]
        await session.execute(insert(MEMBERSHIP), rows)


async def write_staff(session: AsyncSession, statement: Executable) -> None:
    """Carry out an insert or update of staff. Raises EmailTaken when the database says so: nobody who asked it before
    could know of an account that is being made at the same moment."""
    try:
        await session.execute(statement)
    except IntegrityError:
        raise EmailTaken from None


async def insert_client(session: AsyncSession, row: dict[str, object], ward_ids: Sequence[str]) -> None:
    """A client with the wards it may work on."""
    await session.execute(insert(CLIENT).values(row))
    if ward_ids:
        rows = [{"client_id": row["id"], "ward_id": ward_id} for ward_id in ward_ids]
        await session.execute(insert(CLIENT_WARD), rows)
