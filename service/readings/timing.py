"""What time alone decides about a stay: rechecks, answers and readings that did not come.

Each due stay goes through the intake like a reading, so there is one path of locks, judgement and events."""

import asyncio
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from service.readings.intake import Intake
from service.readings.store import stay_table, ward_table
from service.storage.engine import Database
from service.storage.tables.patients import GOES_ON
from service.storage.timekeeper import Agenda, agenda

AT_A_TIME = 256


class Judging:
    """Work of the timekeeper: stays that are due."""

    kind = "judging"

    def __init__(self, database: Database, intake: Intake) -> None:
        self._database = database
        self._intake = intake

    async def find_due(self, now: datetime) -> Agenda:
        """Wards with stays that are due, or that nobody has looked at yet."""
        of_the_ward = and_(stay_table.c.ward_id == ward_table.c.id, GOES_ON)
        first = select(func.min(stay_table.c.due_at)).where(of_the_ward).scalar_subquery()
        new = select(stay_table.c.id).where(of_the_ward, stay_table.c.due_at.is_(None)).exists()
        async with self._database.reads.connect() as connection:
            found = await connection.execute(select(ward_table.c.id, first, new))
            return agenda(((ward_id, now if unseen else due_at) for ward_id, due_at, unseen in found), now)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Look at the ward's due stays, longest overdue first."""
        due = or_(stay_table.c.due_at.is_(None), stay_table.c.due_at <= now)
        query = select(stay_table.c.id).where(stay_table.c.ward_id == ward_id, GOES_ON, due)
        async with self._database.reads.connect() as connection:
            found = (await connection.execute(query.order_by(stay_table.c.due_at).limit(AT_A_TIME))).scalars().all()
        await asyncio.gather(*(self._intake.look_at(ward_id, stay_id, now) for stay_id in found))
        return len(found) == AT_A_TIME
