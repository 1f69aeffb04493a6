"""Apps that lost their access, told to the team: rows that access wrote become alerts of their stays (R24)."""

from datetime import datetime

from sqlalchemy import select, update

from service.access.incidents import INCIDENT
from service.clock import real_now
from service.readings.intake import Intake
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.timekeeper import Agenda, agenda

AT_A_TIME = 100


class Incidents:
    """Work of the timekeeper: incidents that nobody was told of."""

    kind = "incidents"

    def __init__(self, database: Database, intake: Intake) -> None:
        self._database = database
        self._intake = intake

    async def find_due(self, now: datetime) -> Agenda:
        """Wards with an incident that is not an alert yet."""
        query = select(INCIDENT.c.ward_id).where(INCIDENT.c.raised_at.is_(None)).distinct()
        async with self._database.reads.connect() as connection:
            return agenda([(ward_id, now) for ward_id in (await connection.execute(query)).scalars()], now)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Raise the ward's incidents. One that is raised and not marked, because the process was killed between the
        two, is raised again, into the same alert."""
        mine = (INCIDENT.c.ward_id == ward_id, INCIDENT.c.raised_at.is_(None))
        query = select(INCIDENT.c.id, INCIDENT.c.stay_id).where(*mine).order_by(INCIDENT.c.at).limit(AT_A_TIME)
        async with self._database.reads.connect() as connection:
            found = (await connection.execute(query)).all()
        for incident in found:
            await self._intake.lose_app(ward_id, incident.stay_id, now)
            raised = update(INCIDENT).where(INCIDENT.c.ward_id == ward_id, INCIDENT.c.id == incident.id)
            async with writing(self._database) as session:
                await session.execute(raised.values(raised_at=real_now()))
        return len(found) == AT_A_TIME
