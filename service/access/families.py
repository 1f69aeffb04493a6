"""Token families: one for each sign-in. Its refresh token is changed for a new one at each use; an old one that turns
up again means that it, or the one after it, was stolen, and ends the family (RFC 9700, section 4.14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service.access import changes
from service.access.principals import Principal
from service.access.refresh import RefreshToken, RefreshTokens
from service.access.store import IDENTITY, NOTHING
from service.fields import new_id
from service.storage.session import WriteSession
from service.storage.tables import METADATA

FAMILY = METADATA.tables["token_family"]

ANSWERED_AGAIN_FOR = timedelta(seconds=60)
"""How long the token before the current one is answered again: the answer to it may have been lost on a bad line."""


@dataclass(frozen=True, slots=True)
class Life:
    """How long a family lives: without being refreshed, and at most. `access`: how long its access tokens do."""

    access: timedelta
    idle: timedelta
    whole: timedelta
    refreshes: bool = True


_AT_HOME = Life(timedelta(minutes=10), timedelta(days=90), timedelta(days=400))
LIVES: Mapping[str, Life] = {
    # A shift; and half an hour away from the screen (OWASP ASVS 4.0.3, 3.3.2, level 2).
    "staff": Life(timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=12)),
    # A system has its secret, and asks for another token with that.
    "client": Life(timedelta(minutes=60), timedelta(minutes=60), timedelta(minutes=60), refreshes=False),
    "patient": _AT_HOME,
    "carer": _AT_HOME,
}


@dataclass(frozen=True, slots=True)
class Family:
    """A sign-in that has not ended."""

    id: str
    subject_kind: str
    subject_id: str
    bound: Mapping[str, Any]
    scopes: frozenset[str]


class Expired(Exception):
    """A refresh token came after its family had run out, unused; `family` is which."""

    def __init__(self, family: Family) -> None:
        self.family = family


class Stolen(Exception):
    """An old refresh token was used again; `family` is whose."""

    def __init__(self, family: Family) -> None:
        self.family = family


async def open_family(
    session: WriteSession,
    making: RefreshTokens,
    who: Principal,
    scopes: frozenset[str],
    at: datetime,
    bound: Mapping[str, Any] | None = None,
) -> tuple[str, str | None]:
    """A new family for a principal who has just proven who it is: its id, and its refresh token if it has any."""
    life = LIVES[who.kind]
    await session.execute(delete(FAMILY).where(*_of(who.kind, who.id), FAMILY.c.expires_at < at))
    family_id = new_id()
    token = making.first(family_id) if life.refreshes else None
    row = {
        "id": family_id,
        "subject_kind": who.kind,
        "subject_id": who.id,
        "bound": dict(bound or {}),
        "scopes": sorted(scopes),
        "generation": 1 if token else 0,
        "current_hash": making.hash(token) if token else None,
        "created_at": at,
        "expires_at": at + life.idle,
        "ends_at": at + life.whole,
    }
    await session.execute(insert(FAMILY).values(row))
    return family_id, making.write(token) if token else None


async def find_family(session: AsyncSession, family_id: str, at: datetime) -> Family | None:
    """The family, or None when it has ended or never was."""
    row = (await session.execute(select(FAMILY).where(FAMILY.c.id == family_id))).one_or_none()
    return _family(row) if row is not None and _lives(row, at) else None


async def bound_of(session: AsyncSession, family_id: str) -> Mapping[str, Any]:
    """What a family is or was bound to, whether it has ended or not; empty for one that is not kept."""
    query = select(FAMILY.c.bound).where(FAMILY.c.id == family_id)
    return (await session.execute(query)).scalar_one_or_none() or NOTHING


async def take(session: WriteSession, making: RefreshTokens, token: RefreshToken, at: datetime) -> Family | None:
    """The family whose current token this is (or was, within the last minute), held until the transaction ends; None
    when it has ended.

    Raises Stolen for a token that was changed for another before, Expired when the family has run out."""
    row = (await session.execute(select(FAMILY).where(FAMILY.c.id == token.family_id).with_for_update())).one_or_none()
    if row is None or row.revoked_at is not None or token.generation > row.generation:
        return None
    if at >= row.expires_at:
        raise Expired(_family(row))
    if token.generation == row.generation and making.is_stored(token, row.current_hash):
        return _family(row)
    again = token.generation == row.generation - 1 and making.is_stored(token, row.previous_hash)
    if again and row.rotated_at is not None and at - row.rotated_at <= ANSWERED_AGAIN_FOR:
        return _family(row)
    raise Stolen(_family(row))


async def rotate(session: WriteSession, making: RefreshTokens, token: RefreshToken, at: datetime) -> str:
    """The refresh token after this one, which `take` has let through."""
    row = (await session.execute(select(FAMILY).where(FAMILY.c.id == token.family_id))).one()
    if row.generation > token.generation:
        # It is answered again, and nothing changes: the family has gone on with the following one.
        return making.write(making.given_after(token, row.current_hash))
    following = making.next(token)
    newer = {
        "generation": following.generation,
        "current_hash": making.hash(following),
        "previous_hash": making.hash(token),
        "rotated_at": at,
        "expires_at": min(at + LIVES[row.subject_kind].idle, row.ends_at),
    }
    await session.execute(update(FAMILY).where(FAMILY.c.id == token.family_id).values(newer))
    return making.write(following)


async def revoke_family(session: WriteSession, family_id: str, at: datetime) -> Family | None:
    """End one family; gives it, or None when it had ended already."""
    living = (FAMILY.c.id == family_id, FAMILY.c.revoked_at.is_(None))
    row = (await session.execute(update(FAMILY).where(*living).values(revoked_at=at).returning(FAMILY))).one_or_none()
    if row is None:
        return None
    await changes.note(session, row.subject_kind, row.subject_id, at)
    return _family(row)


async def revoke_all(session: WriteSession, kind: str, subject_id: str, at: datetime) -> int:
    """End every family of a principal, on all devices; gives how many there were. Tokens that an issuer elsewhere has
    made for them until now are good no more either."""
    living = (*_of(kind, subject_id), FAMILY.c.revoked_at.is_(None), FAMILY.c.expires_at >= at)
    ended = await session.execute(update(FAMILY).where(*living).values(revoked_at=at).returning(FAMILY.c.id))
    if kind == "staff":
        # No earlier than the newest token we have seen: the issuer's clock may be ahead of ours.
        now = literal(at, IDENTITY.c.claims_at.type)
        line = case((IDENTITY.c.claims_at > now, IDENTITY.c.claims_at), else_=now)
        await session.execute(update(IDENTITY).where(IDENTITY.c.staff_id == subject_id).values(signed_out_at=line))
    await changes.note(session, kind, subject_id, at)
    return len(ended.all())


def _of(kind: str, subject_id: str) -> tuple[Any, Any]:
    return FAMILY.c.subject_kind == kind, FAMILY.c.subject_id == subject_id


def _lives(row: Any, at: datetime) -> bool:
    return row.revoked_at is None and at < row.expires_at


def _family(row: Any) -> Family:
    return Family(row.id, row.subject_kind, row.subject_id, row.bound, frozenset(row.scopes))
