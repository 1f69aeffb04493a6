"""Is the intake alive? A tick for a stay that does not exist goes all the way to a commit and back."""

from datetime import datetime

from service.readings.intake import Intake
from service.storage.lateness import INTAKE
from service.storage.timekeeper import Agenda


class Pulse:
    """Work of the timekeeper: nothing is ever due, but finding that out proves that readings are being kept."""

    kind = INTAKE

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def find_due(self, now: datetime) -> Agenda:
        """Nothing, after a commit."""
        await self._intake.probe(now)
        return Agenda((), None)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Nothing is left to do."""
        return False
