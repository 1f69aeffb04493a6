"""Limits for people, kept by the clock: nobody took an alert, nobody made contact, a snooze is over, nobody is there.

What follows is decided by the engine (`alerts.escalation`); here it is found, written and told, once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from alerts.episode import Episode
from alerts.escalation import Passed, Ward, What, pass_limits
from service.access import audit
from service.clock import real_now
from service.cover.inforce import load_cover
from service.cover.outbox import Told, notify
from service.feed.numbering import NewEvent, WardEvents, append_events, counts_delta
from service.queue import due, store
from service.queue.handing_on import NOT_TAKEN
from service.queue.happenings import alert_event, standing_of
from service.queue.recording import row_of
from service.queue.store import LockedAlert
from service.queue.surroundings import limits_on
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.timekeeper import Agenda, agenda

AT_A_TIME = 100


class Limits:
    """Work of the timekeeper: alerts whose limits for people have passed."""

    kind = "limits"

    def __init__(self, database: Database, wake: Callable[[Sequence[str]], None]) -> None:
        self._database = database
        self._wake = wake

    async def find_due(self, now: datetime) -> Agenda:
        """Wards with limits that have passed, or alerts that nobody has looked at yet."""
        async with self._database.reads.connect() as connection:
            return agenda(await due.first_limits(connection, now), now)

    async def carry_out(self, ward_id: str, now: datetime) -> bool:
        """Bring about what follows from the ward's limits."""
        async with self._database.reads.connect() as connection:
            found = await due.list_due(connection, ward_id, now, AT_A_TIME)
        if not found:
            return False
        async with writing(self._database) as session:
            held = await due.hold(session, ward_id, found)
            unreadable = {alert.alert_id for alert in found} - {alert.alert_id for alert in held}
            if unreadable:
                await due.put_off(session, ward_id, sorted(unreadable), now + due.TRY_AGAIN)
            await _pass(session, ward_id, held, now)
        self._wake([ward_id])
        return len(found) == AT_A_TIME


async def _pass(session: AsyncSession, ward_id: str, held: Sequence[LockedAlert], now: datetime) -> None:
    """Write what became of the alerts, people's part, the audit trail, and last the feed."""
    if not held:
        return
    cover = await load_cover(session, ward_id)
    ward = Ward(await limits_on(session, cover), cover.policy, cover.coverage.watched)
    rows, told, messages = list[dict[str, Any]](), WardEvents(), list[Told]()
    for alert in held:
        if not alert.episode.unresolved:
            continue
        after, happened = pass_limits(alert.episode, now, ward)
        rows.append(row_of(ward_id, alert, after))
        await store.write_response(session, ward_id, alert.alert_id, _response(happened))
        messages += [
            Told(alert.alert_id, int(each.after.severity), each.step, each.at)
            for each in happened
            if each.step is not None
        ]
        told.events += [_event(alert, each, ward) for each in happened]
        told.counts += counts_delta(standing_of(alert.episode), standing_of(after))
    await store.update_alerts(session, rows)
    await notify(session, cover, messages)
    for event in told.events:
        detail: dict[str, Any] = {
            name: event.data[name] for name in ("escalation_level", "step", "reason") if name in event.data
        }
        subject = ("alert", event.subject_id)
        await audit.append(session, None, event.type, real_now(), ward_id=ward_id, subject=subject, detail=detail)
    if told.events:
        await append_events(session, ward_id, told.events, told.counts)


def _response(happened: Sequence[Passed]) -> dict[str, Any]:
    """What is no longer so in people's part of the alert."""
    values: dict[str, Any] = {}
    for each in happened:
        if each.what == What.ACK_EXPIRED:
            values |= {**NOT_TAKEN, "snoozed_until": None}
        elif each.what == What.SNOOZE_ENDED:
            values |= {"snoozed_until": None}
    return values


def _event(alert: LockedAlert, passed: Passed, ward: Ward) -> NewEvent:
    episode: Episode = passed.after
    more: dict[str, Any] = {"reason": passed.reason}
    if passed.transition is not None:
        more["transition"] = passed.transition
    if passed.step is not None:
        more |= {"step": passed.step, "notify": str(ward.policy.step(passed.step).notify)}
    return alert_event(passed.what.value, passed.at, alert.alert_id, alert.stay_id, alert.patient_id, episode, **more)
