"""The chain of the audit trail. Entries are appended plainly; soon after, the sealer gives each of a ward's a number
and a seal: a keyed hash (HMAC-SHA-256) of the entry and of the seal before it. Whoever changes, removes, puts in or
swaps sealed entries without the key breaks the chain at that place.

What no chain can show: an end that was cut off or unsealed and written anew (compare with a head that was kept
elsewhere), and a new entry written by somebody who can write to the database, which is sealed like any other. A sealer
remembers its last heads: while it runs, it puts into the trail that one of them is gone."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from service.access import audit
from service.access.keys import derive
from service.clock import real_now
from service.fields import NIL_ID
from service.logs import get_logger
from service.storage.direct import Where, update_rows
from service.storage.engine import Database
from service.storage.session import WriteSession, writing
from service.storage.tables import METADATA
from service.storage.timekeeper import Agenda

log = get_logger(__name__)

AUDIT = METADATA.tables["audit"]
AT_A_TIME = 500
EVERY = timedelta(seconds=1)
SEALED = tuple(column.name for column in AUDIT.columns if column.name != "seal")


class Seals:
    """The seals of one secret key. Each begins with the name of the key, which tells nothing of the key."""

    def __init__(self, secret_key: str) -> None:
        self.name = derive(secret_key, b"wardwatch audit seal name", 4).hex()
        self._key = derive(secret_key, b"wardwatch audit seal", 32)

    def seal(self, entry: Mapping[str, Any], before: str) -> str:
        """The seal of an entry that has its number, after the seal before it (empty for the first)."""
        text = json.dumps([before, *(_plain(entry[name]) for name in SEALED)], sort_keys=True, separators=(",", ":"))
        return f"{self.name}:{hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()}"


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


class Sealing:
    """Work of the timekeeper: entries of the trail that have no seal."""

    kind = "seal"

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._heads: dict[str, tuple[int, str]] = {}

    async def find_due(self, now: datetime) -> Agenda:
        """The wards with unsealed entries; it looks every second."""
        query = select(AUDIT.c.ward_id).where(AUDIT.c.number.is_(None)).distinct()
        async with self._database.reads.connect() as connection:
            return Agenda(list((await connection.execute(query)).scalars()), now + EVERY)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Seal some of a ward's entries. Two replicas at once cannot give a number twice: it is unique."""
        async with writing(self._database) as session:
            await self._look_back(session, ward_id)
            last = await _entry(session, ward_id, AUDIT.c.number.is_not(None))
            unsealed = (
                select(AUDIT)
                .where(AUDIT.c.ward_id == ward_id, AUDIT.c.number.is_(None))
                .order_by(AUDIT.c.id)
                .limit(AT_A_TIME)
            )
            number, before = last or (0, "")
            sealed = []
            for entry in (await session.execute(unsealed)).mappings():
                number += 1
                before = self._seals.seal({**entry, "number": number}, before)
                sealed.append({"ward_id": ward_id, "id": entry["id"], "number": number, "seal": before})
            await update_rows(session, AUDIT, sealed)
        self._heads[ward_id] = number, before
        return len(sealed) == AT_A_TIME

    async def _look_back(self, session: WriteSession, ward_id: str) -> None:
        """Add an entry when the last one sealed here is no longer what it was: somebody has cut the trail off, or
        unsealed it, or the database has lost its last moments."""
        head = self._heads.get(ward_id)
        if head is not None and await _entry(session, ward_id, AUDIT.c.number == head[0]) != head:
            log.error("audit_trail_changed", ward_id=ward_id, number=head[0])
            detail = {"number": head[0]}
            await audit.append(session, None, "audit.changed", real_now(), ward_id=ward_id, detail=detail)


async def _entry(session: WriteSession, ward_id: str, which: ColumnElement[bool]) -> tuple[int, str] | None:
    """Number and seal of the last of these entries of a ward."""
    query = select(AUDIT.c.number, AUDIT.c.seal).where(AUDIT.c.ward_id == ward_id, which)
    found = (await session.execute(query.order_by(AUDIT.c.number.desc()).limit(1))).one_or_none()
    return None if found is None else (found.number, found.seal)


@dataclass(frozen=True, slots=True)
class Chain:
    """A ward's chain as it was found: its head, and the first broken link, if any. NIL_ID: the whole service's."""

    ward_id: str
    number: int
    seal: str
    unsealed: int
    broken: str | None = None

    @property
    def name(self) -> str:
        """Whose chain it is, to read."""
        return "the service" if self.ward_id == NIL_ID else f"ward {self.ward_id}"


async def verify(where: Where, seals: Sequence[Seals], heads: Mapping[str, Sequence[Any]]) -> list[Chain]:
    """Every ward's chain, followed from its beginning. `heads`: (number, seal) of earlier heads by ward id, through
    which the chain has to pass."""
    wards = set((await where.execute(select(AUDIT.c.ward_id).distinct())).scalars()) | set(heads)
    return [await _follow(where, ward_id, seals, heads.get(ward_id)) for ward_id in sorted(wards)]


async def _follow(where: Where, ward_id: str, seals: Sequence[Seals], head: Sequence[Any] | None) -> Chain:
    known = {each.name: each for each in seals}
    number, before, broken = 0, "", None
    passed = head is None
    while broken is None:
        rows = (
            (
                await where.execute(
                    select(AUDIT)
                    .where(AUDIT.c.ward_id == ward_id, AUDIT.c.number > number)
                    .order_by(AUDIT.c.number)
                    .limit(AT_A_TIME)
                )
            )
            .mappings()
            .all()
        )
        for entry in rows:
            broken = _fault(entry, number, before, known)
            if broken is not None:
                break
            number, before = entry["number"], entry["seal"]
            passed = passed or [number, before] == list(head or ())
        if not rows:
            break
    if broken is None and not passed:
        broken = f"entry {head[0] if head else 0} is not the one that was the head before"
    counted = select(func.count()).where(AUDIT.c.ward_id == ward_id, AUDIT.c.number.is_(None))
    return Chain(ward_id, number, before, (await where.execute(counted)).scalar_one(), broken)


def _fault(entry: Mapping[str, Any], number: int, before: str, known: Mapping[str, Seals]) -> str | None:
    if entry["number"] != number + 1:
        return f"entry {number + 1} is missing"
    seals = known.get((entry["seal"] or "").partition(":")[0])
    if seals is None:
        return f"entry {number + 1} ({entry['id']}) was sealed with a key that is not given"
    if not hmac.compare_digest(seals.seal(entry, before), entry["seal"]):
        return f"entry {number + 1} ({entry['id']}) or the one before it is not what was sealed"
    return None
