"""Pauses that run out: the stay goes on by itself, and the ward is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from service.access import audit
from service.care import store
from service.clock import real_now
from service.feed.numbering import append_events
from service.queue.happenings import stay_event
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.timekeeper import Agenda, agenda

AT_A_TIME = 100
RUN_OUT = "the pause has run out"


class Pauses:
    """Work of the timekeeper: stays whose pause is over."""

    kind = "pauses"

    def __init__(self, database: Database, wake: Callable[[Sequence[str]], None]) -> None:
        self._database = database
        self._wake = wake

    async def find_due(self, now: datetime) -> Agenda:
        """Wards with a pause that has run out."""
        async with self._database.reads.connect() as connection:
            return agenda(await store.first_pause_ends(connection), now)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """End the ward's pauses that have run out, each at its own instant."""
        async with writing(self._database) as session:
            stays = await store.lock_paused_until(session, ward_id, now, AT_A_TIME)
            events = []
            for stay in stays:
                await store.update_stay(session, stay, {"status": "active", "paused_until": None, "pause_reason": None})
                after = replace(stay, status="active", paused_until=None, pause_reason=None, version=stay.version + 1)
                events.append(
                    stay_event("stay.resumed", stay.paused_until or now, after.stands(), None, reason=RUN_OUT)
                )
                await audit.append(
                    session, None, "stay.resumed", real_now(),
                    ward_id=ward_id, subject=("stay", stay.id), detail={"reason": RUN_OUT},
                )  # fmt: skip
            if events:
                await append_events(session, ward_id, events)
        if stays:
            self._wake([ward_id])
        return len(stays) == AT_A_TIME
