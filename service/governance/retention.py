"""What has been kept for its time goes: work of the timekeeper, and what `wardwatch retention` tells of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from service.clock import real_now
from service.fields import NIL_ID
from service.governance import due
from service.governance.due import IDEMPOTENCY, Due, old_keys
from service.governance.removing import AT_A_TIME, count_held, delete_rows, remove_some
from service.governance.terms import CHANGE_AFTER, FAMILY_AFTER
from service.logs import get_logger
from service.storage.direct import Where
from service.storage.engine import Database
from service.storage.session import reading, writing
from service.storage.tables import METADATA
from service.storage.timekeeper import Agenda

log = get_logger(__name__)

EVERY = timedelta(hours=1)
MOST_STEPS = 20
"""Transactions on a ward in one round: then everybody else has a turn, and the timekeeper says that it lives."""

FAMILY = METADATA.tables["token_family"]
CHANGE = METADATA.tables["access_change"]


@dataclass(frozen=True, slots=True)
class Going:
    """A patient whose record would go, and how many rows of each table."""

    ward_id: str
    due: Due
    rows: Mapping[str, int]


class Retention:
    """Work of the timekeeper. `years`: how long after the last discharge; 0: for ever, and only what serves the
    service itself goes. `most_steps`: transactions on a ward in one round."""

    kind = "retention"

    def __init__(
        self,
        database: Database,
        years: int,
        wake: Callable[[Sequence[str]], None],
        most_steps: int = MOST_STEPS,
    ) -> None:
        self._database = database
        self._years = years
        self._wake = wake
        self._most_steps = most_steps
        self._looked_at: datetime | None = None

    async def find_due(self, now: datetime) -> Agenda:
        """The wards where something may go, and none (`NIL_ID`) for what belongs to no ward; it looks each hour."""
        if self._looked_at is not None and abs(now - self._looked_at) < EVERY:
            return Agenda((), self._looked_at + EVERY)
        self._looked_at = now
        async with self._database.reads.connect() as connection:
            wards = set(await due.wards_with_old_keys(connection, now))
            if self._years:
                wards.update(await due.wards_with_due(connection, now, self._years))
        return Agenda((*sorted(wards), NIL_ID), now + EVERY)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Remove what is due on a ward, in small transactions and only so many: the rest at the next look."""
        if ward_id == NIL_ID:
            await self._forget_sign_ins(real_now())
            return False
        steps = await self._forget_keys(ward_id, now)
        found: Sequence[Due] = ()
        if self._years:
            async with reading(self._database) as session:
                found = await due.list_due(session, ward_id, now, self._years, self._most_steps)
        for each in found:
            gone = False
            while not gone:
                if steps >= self._most_steps:
                    self._looked_at = None  # the rest at the next look, which is soon
                    return False
                async with writing(self._database) as session:
                    gone = await remove_some(session, ward_id, each.patient_id, now, real_now(), self._years)
                steps += 1
            log.info("record_removed", ward_id=ward_id, patient_id=each.patient_id)
            self._wake([ward_id])
        if len(found) == self._most_steps:
            self._looked_at = None
        return False

    async def _forget_keys(self, ward_id: str, now: datetime) -> int:
        steps, removed = 0, AT_A_TIME
        while removed == AT_A_TIME and steps < self._most_steps:
            async with writing(self._database) as session:
                which = and_(IDEMPOTENCY.c.ward_id == ward_id, old_keys(now))
                removed = await delete_rows(session, IDEMPOTENCY, which, AT_A_TIME)
            steps += 1
        return steps

    async def _forget_sign_ins(self, real_at: datetime) -> None:
        """Sign-ins that are over, and notes of changes that every replica has heard. Real time."""
        over = ((FAMILY, FAMILY.c.ends_at < real_at - FAMILY_AFTER), (CHANGE, CHANGE.c.at < real_at - CHANGE_AFTER))
        for table, which in over:
            async with writing(self._database) as session:
                await delete_rows(session, table, which, AT_A_TIME)


async def list_going(where: Where, now: datetime, years: int) -> Sequence[Going]:
    """Whose records would go now; nothing is removed."""
    found = []
    for ward_id in await due.wards_with_due(where, now, years) if years else ():
        for each in await due.list_due(where, ward_id, now, years):
            found.append(Going(ward_id, each, await count_held(where, ward_id, each.patient_id)))
    return found


async def count_old_keys(where: Where, now: datetime) -> int:
    """How many names of readings would go."""
    query = select(func.count()).select_from(IDEMPOTENCY).where(old_keys(now))
    count: int = (await where.execute(query)).scalar_one()
    return count
