"""Accounts: making them, and signing in with them."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit, store
from service.access.opaque import hash_secret, new_secret
from service.access.passwords import Passwords
from service.access.principals import ROLE_SCOPES, Principal
from service.errors import FieldError, Invalid
from service.fields import MAX_NAME, canonical_id, is_email, is_name, new_id
from service.storage.tables.access import WARD_ROLES

PARTNER_SCOPES = ROLE_SCOPES["partner"]
NO_ADDRESS = "@none.invalid"
"""How the address ends of somebody who has none: nobody has a mailbox there (RFC 2606)."""
NOT_A_NAME = FieldError("/name", "invalid", f"must have 1 to {MAX_NAME} characters, all on one line")
_NO_SECRET = hash_secret("")


def clean_email(email: str) -> str:
    """An e-mail address in the one spelling we compare: no spaces around, lower case."""
    return email.strip().lower()


async def add_staff(
    session: AsyncSession,
    *,
    email: str,
    name: str,
    password_hash: str,
    roles: Mapping[str, str],
    administrator: bool,
    at: datetime,
    by: Principal | None = None,
) -> str:
    """A new member of staff with a role for each ward id; gives the id.

    `password_hash` comes from `Passwords.hash`. Raises Invalid; EmailTaken for an address in use."""
    email = clean_email(email)
    problems = []
    if not is_email(email):
        problems.append(FieldError("/email", "invalid", "must be an e-mail address"))
    if not is_name(name):
        problems.append(NOT_A_NAME)
    if any(role not in WARD_ROLES for role in roles.values()):
        problems.append(FieldError("/role", "invalid", f"on a ward, must be one of: {', '.join(WARD_ROLES)}"))
    if not roles and not administrator:
        message = "must name a role on at least one ward, unless an administrator"
        problems.append(FieldError("/roles", "missing", message))
    await _refuse(session, problems, list(roles))
    staff_id = new_id()
    row = {
        "id": staff_id,
        "email": email,
        "name": name.strip(),
        "password_hash": password_hash,
        "administrator": administrator,
        "active": True,
        "created_at": at,
    }
    await store.insert_staff(session, row, dict(roles))
    await audit.append(session, by, "staff.added", at, subject=("staff", staff_id), detail={"roles": roles})
    return staff_id


async def add_client(
    session: AsyncSession,
    *,
    name: str,
    scopes: Sequence[str],
    ward_ids: Sequence[str],
    at: datetime,
    by: Principal | None = None,
) -> tuple[str, str]:
    """A new partner system; gives its id and its secret, which is not stored and cannot be shown again.

    Raises Invalid."""
    problems = []
    if not is_name(name):
        problems.append(NOT_A_NAME)
    if not scopes or not PARTNER_SCOPES.issuperset(scopes):
        problems.append(FieldError("/scope", "invalid", f"must be of: {', '.join(sorted(PARTNER_SCOPES))}"))
    if not ward_ids:
        problems.append(FieldError("/ward", "missing", "needs at least one ward"))
    ward_ids = sorted(set(ward_ids))
    await _refuse(session, problems, ward_ids)
    client_id = new_id()
    secret, secret_hash = new_secret()
    row = {
        "id": client_id,
        "name": name.strip(),
        "secret_hash": secret_hash,
        "scopes": sorted(set(scopes)),
        "active": True,
        "created_at": at,
    }
    await store.insert_client(session, row, ward_ids)
    detail = {"wards": ward_ids, "scopes": sorted(set(scopes))}
    await audit.append(session, by, "client.added", at, subject=("client", client_id), detail=detail)
    return client_id, secret


async def find_client_by_secret(session: AsyncSession, client_id: str, secret: str) -> Principal | None:
    """The client, or None when id or secret is wrong."""
    known_id = canonical_id(client_id)
    stored = await store.list_client_secrets(session, known_id) if known_id else []
    given = hash_secret(secret)
    # Every one is compared, and one always is: the time tells nothing.
    right = [hmac.compare_digest(each, given) for each in stored or [_NO_SECRET]]
    if known_id is None or not stored or not any(right):
        return None
    return await store.find_principal(session, "client", known_id)


async def find_staff_by_password(
    session: AsyncSession, passwords: Passwords, email: str, password: str
) -> tuple[str | None, Principal | None]:
    """(id of the account, its principal): no id for an unknown address, no principal for a wrong password.

    Takes as long for an unknown address. Raises Overloaded."""
    found = await store.find_staff_by_email(session, clean_email(email))
    # The connection goes back before the hashing: sign-ins that wait must not hold up the reads of others.
    await session.close()
    right = await passwords.matches((found.password_hash or None) if found else None, password)
    if found is None:
        return None, None
    return found.id, await store.find_principal(session, "staff", found.id) if right else None


async def _refuse(session: AsyncSession, problems: list[FieldError], ward_ids: Sequence[str]) -> None:
    known = [ward_id for ward_id in ward_ids if canonical_id(ward_id) == ward_id]
    if len(known) < len(ward_ids) or await store.list_unknown_wards(session, known):
        problems.append(FieldError("/ward", "unknown", "there is no such ward"))
    if problems:
        raise Invalid(errors=problems)
