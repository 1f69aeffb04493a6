"""Sending what waits in the outbox: claimed in one transaction, sent outside of any, recorded in another."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from service import metrics
from service.clock import real_now
from service.cover import outbox
from service.cover.inforce import Cover, load_cover
from service.cover.mail import Server, message, send
from service.cover.outbox import AGAIN_AFTER, NOBODY, NOT_CONFIGURED, Notice
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.timekeeper import Agenda, agenda

log = get_logger(__name__)

AT_A_TIME = 20
SEND_SECONDS = 40
"""One try is given up after this long, which is before the next one is due."""


class Mailing:
    """Work of the timekeeper: messages that are due. Without a server none is sent, and each says so."""

    kind = "mailing"

    def __init__(self, database: Database, server: Server | None) -> None:
        self._database = database
        self._server = server

    async def find_due(self, now: datetime) -> Agenda:
        """Wards with messages that are due."""
        async with self._database.reads.connect() as connection:
            return agenda(await outbox.first_due(connection), now)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Send the ward's messages, the oldest first."""
        async with writing(self._database) as session:
            cover = await load_cover(session, ward_id)
            await outbox.address(session, cover, now, AT_A_TIME)
            taken = await outbox.take(session, ward_id, now, AT_A_TIME)
        problems = await asyncio.gather(*(self._try(cover, notice) for notice in taken))
        await self._record(ward_id, taken, problems, now)
        return len(taken) == AT_A_TIME

    async def _try(self, cover: Cover, notice: Notice) -> str | None:
        """Why the message could not be sent; None when it was."""
        if self._server is None:
            return NOT_CONFIGURED
        async with self._database.reads.connect() as connection:
            people = await outbox.people_of(connection, cover, notice.step, notice.at)
        to = people.get(notice.recipient)
        if to is None:
            return NOBODY  # has left the ward meanwhile
        made = message(self._server, cover.ward_name, notice, to, real_now())
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await asyncio.to_thread(send, self._server, made)
        except (OSError, TimeoutError) as problem:
            return type(problem).__name__[:60]
        return None

    async def _record(
        self, ward_id: str, taken: Sequence[Notice], problems: Sequence[str | None], now: datetime
    ) -> None:
        if not taken:
            return
        async with writing(self._database) as session:
            for notice, problem in zip(taken, problems, strict=True):
                last = notice.attempts + 1 >= len(AGAIN_AFTER) or problem in (NOBODY, NOT_CONFIGURED)
                if problem is None or last:
                    await outbox.end(session, ward_id, notice.id, now, problem)
                else:
                    await outbox.note(session, ward_id, notice.id, problem)
                _tell(ward_id, notice, problem, last)


def _tell(ward_id: str, notice: Notice, problem: str | None, last: bool) -> None:
    state = "sent" if problem is None else "dead" if last else "failed"
    metrics.NOTICES.labels(state).inc()
    if problem is not None:
        write = log.error if last else log.warning
        write(f"notice_{state}", ward_id=ward_id, notice_id=notice.id, alert_id=notice.alert_id, error=problem)
