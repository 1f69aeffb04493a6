"""Setting a password with a token that is good once: for new accounts, and after a reset."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, update

from service.access import audit, families
from service.access.attempts import Attempts
from service.access.opaque import hash_secret, new_secret
from service.access.refusals import PasswordTokenRefused
from service.access.store import STAFF
from service.storage.session import ReadSession, WriteSession

GOOD_FOR = timedelta(hours=72)


async def issue(session: WriteSession, staff_id: str, at: datetime) -> tuple[str, datetime]:
    """A token, which is not stored, and until when it is good. The account has no password until it is used."""
    (token, token_hash), until = new_secret(), at + GOOD_FOR
    changed = {"password_hash": "", "set_password_hash": token_hash, "set_password_until": until}
    await session.execute(update(STAFF).where(STAFF.c.id == staff_id).values(changed))
    return token, until


async def end(session: WriteSession, staff_id: str) -> None:
    """The account has no password and no token to set one with."""
    changed = {"password_hash": "", "set_password_hash": None, "set_password_until": None}
    await session.execute(update(STAFF).where(STAFF.c.id == staff_id).values(changed))


async def require_good(session: ReadSession, token: str, at: datetime) -> str:
    """Whose password the token sets, by the e-mail address. Raises PasswordTokenRefused for one that sets none: asked
    before the costly hashing."""
    email: str | None = (await session.execute(select(STAFF.c.email).where(_good(token, at)))).scalar_one_or_none()
    if email is None:
        raise PasswordTokenRefused
    return email


async def use(session: WriteSession, attempts: Attempts, token: str, password_hash: str, at: datetime) -> None:
    """Give the token's account this password; the token ends. Raises PasswordTokenRefused."""
    changed = {"password_hash": password_hash, "set_password_hash": None, "set_password_until": None}
    found = await session.execute(
        update(STAFF).where(_good(token, at)).values(changed).returning(STAFF.c.id, STAFF.c.email)
    )
    row = found.one_or_none()
    if row is None:
        raise PasswordTokenRefused
    await attempts.begin_anew(session, row.email, at)
    await families.revoke_all(session, "staff", row.id, at)
    await audit.append(session, None, "staff.password_set", at, subject=("staff", row.id))


async def replace(session: WriteSession, staff_id: str, password_hash: str, at: datetime) -> None:
    """Give the account another password and end all its sessions."""
    await session.execute(update(STAFF).where(STAFF.c.id == staff_id).values(password_hash=password_hash))
    await families.revoke_all(session, "staff", staff_id, at)
    await audit.append(session, None, "staff.password_set", at, subject=("staff", staff_id))


def _good(token: str, at: datetime) -> ColumnElement[bool]:
    """The account whose password the token sets."""
    return and_(STAFF.c.set_password_hash == hash_secret(token), STAFF.c.set_password_until > at, STAFF.c.active)
