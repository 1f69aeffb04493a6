"""A reading that was entered in error: marked, never deleted, and the stay judged again without it.

What the alerts would be is folded from before the first breach that it can have touched; what people closed stays
closed, and nothing is closed by it. The watch over the stay is set back: a silence counts from what is left."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update

from alerts.correct import Closing, correct, refold, set_back, watched
from alerts.episode import Episode
from alerts.fold import PauseEvent, PlanEvent, RuleSetEvent
from alerts.judge import WINDOW, advance
from alerts.limits import ServiceHours
from alerts.missed import unreminded
from alerts.placement import Newest
from alerts.plan import Plan
from alerts.reading import USABLE_FROM, Context, Quality, Reading
from alerts.record import Record
from alerts.rule_set import DEFAULT
from alerts.severity import Family
from alerts.watch import begin_watch
from service import metrics
from service.access import audit
from service.access.principals import Principal
from service.access.visibility import visible
from service.cover.inforce import load_cover
from service.errors import NotAllowed, NotFound
from service.feed.numbering import EVENT, NewEvent, append_events
from service.logs import get_logger
from service.queue.raising import StayChanges, Unresolved, load_unresolved, write_changes
from service.queue.store import ALERT, lock_stay
from service.readings.due import due_of, watch_of
from service.readings.plans import plan_of
from service.readings.store import Due, LockedStay, additions, lock_stays, plan_table, reading_table
from service.readings.windows import JUDGED_AT, JUDGED_COLUMNS, reading_of, to_reading
from service.rules.live import load_lives
from service.storage.session import WriteSession

log = get_logger(__name__)

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Correction:
    """Who says so, why, and when: `at` in clinical time, `real_at` in real time."""

    who: Principal
    reason: str
    at: datetime
    real_at: datetime


async def enter_in_error(session: WriteSession, reading_id: str | None, said: Correction) -> dict[str, Any]:
    """Mark a reading of the caller's wards and judge its stay again; gives its row. Said twice it changes nothing.

    Raises NotFound, or NotAllowed for a system that did not send it."""
    table = reading_table
    found = select(table).where(visible(said.who, table), table.c.id == reading_id)
    seen = (await session.execute(found)).mappings().one_or_none()
    if seen is None:
        raise NotFound
    row = dict(seen)
    if said.who.kind != "staff" and row["sender_id"] != said.who.id:
        raise NotAllowed
    ward_id, stay_id = row["ward_id"], row["stay_id"]
    await lock_stay(session, ward_id, stay_id)
    of_this = (table.c.ward_id == ward_id, table.c.id == row["id"])
    row = dict((await session.execute(select(table).where(*of_this))).mappings().one())
    if row["entered_in_error_at"] is not None:
        return row
    newest = select(table.c.received_at).where(table.c.ward_id == ward_id, table.c.stay_id == stay_id)
    last = (await session.execute(newest.order_by(table.c.received_at.desc()).limit(1))).scalar_one()
    at = max(said.at, last + _TICK)
    marks = {
        "entered_in_error_at": at,
        "entered_in_error_by": said.who.id,
        "entered_in_error_reason": said.reason,
    }
    await session.execute(update(table).where(*of_this).values(marks))
    patient_id = await _judge_again(session, row, at)
    await audit.append(
        session, said.who, "reading.entered_in_error", said.real_at, ward_id=ward_id, subject=("reading", row["id"])
    )
    told = {"stay_id": stay_id, "patient_id": patient_id, "received_at": row["received_at"].isoformat()}
    event = NewEvent("reading.corrected", at, "reading", row["id"], told, said.who.id)
    await append_events(session, ward_id, [event])
    return {**row, **marks}


async def _judge_again(session: WriteSession, row: Mapping[str, Any], at: datetime) -> str:
    """Write what the stay's alerts and the watch over it are without the reading; gives the id of the patient."""
    key = row["ward_id"], row["stay_id"]
    stay = (await lock_stays(session, [key]))[key]  # this transaction holds it already: it is not passed over
    stored: Unresolved = (await load_unresolved(session, [key])).get(stay.id, {})
    readable = {family: alert.episode for family, alert in stored.items() if alert.episode is not None}
    cover = await load_cover(session, stay.ward_id)
    try:
        history = await _history(session, row)
        start = _start(stay, history, cover.hours)
        without = refold(
            start,
            [each for each in history.readings if each.received_at >= history.since],
            [each for each in history.plans[1:] if each.at >= history.since],
            [each for each in history.rule_sets if each.at >= history.since],
            [each for each in history.closings if each.at >= history.since],
            at,
            [each for each in history.pauses if each.at >= history.since],
        )
        # What time alone has brought about by now is not the correction's doing.
        by_now = start._replace(window=(), episodes=readable, watch=None, rule_set=without.rule_set)
        stood = advance(by_now, at)
        wanted = {f: each for f, each in without.episodes.items() if f in readable or f not in stored}
        decided = correct(stood.episodes, wanted, at, row["id"], without.human_limits)
        due = _due(stay, decided.episodes, without, at)
        wrong = reading_of(row)
        reminders = () if without.watch is None else unreminded(without, watch_of(stay, at), wrong, at)
    except (ValueError, KeyError, LookupError, TypeError) as problem:
        # What stands stays as it is: nothing is lowered by a judgement that failed.
        metrics.ENGINE_FAILURES.inc()
        log.error("not_judged_again", stay_id=stay.id, exc_info=problem)
        return stay.patient_id
    changes = (*stood.changes, *decided.changes)
    told = StayChanges(
        stay.ward_id, stay.id, stay.patient_id, stored, changes, decided.episodes, cover, reminders=reminders
    )
    await write_changes(session, [told], additions((), (), (), () if due is None else (due,)))
    return stay.patient_id


def _due(stay: LockedStay, episodes: Mapping[Family, Episode], without: Record, at: datetime) -> Due | None:
    """When the stay is to be looked at from now on: at once, if it was to be."""
    watch = watch_of(stay, at)
    due = due_of(stay, watch, Record(episodes=episodes, watch=set_back(watch, without)), None)
    return replace(due, at=at) if due is not None and stay.due_at is None else due


@dataclass(frozen=True, slots=True)
class _History:
    """What a stay's alerts come from since an instant. Also of before: the readings of 48 h, the `newest` that were
    known, and what was done to the stay."""

    since: datetime
    readings: list[Reading]
    newest: Newest
    plans: list[PlanEvent]
    rule_sets: list[RuleSetEvent]
    pauses: list[PauseEvent]
    closings: list[Closing]


def _start(stay: LockedStay, history: _History, hours: ServiceHours) -> Record:
    """What was known of a stay before its history. Nobody watches over one that has ended."""
    before = [each.rule_set for each in history.rule_sets if each.at < history.since]
    start = Record(
        plan=history.plans[0].plan,
        window=tuple(each for each in history.readings if each.received_at < history.since),
        newest_observed_at=history.newest.any_at,
        newest_resting_at=history.newest.resting_at,
        service_hours=hours,
        sixteen_on=stay.sixteen_on,
        rule_set=before[-1] if before else DEFAULT,
        watch=None if stay.status == "discharged" else begin_watch(stay.admitted_at),
    )
    return watched(start, history.plans[1:], history.pauses, history.since)


async def _history(session: WriteSession, row: Mapping[str, Any]) -> _History:
    """What the stay's alerts come from: everything received since the first breach that the reading can have touched,
    and what was known before."""
    ward_id, stay_id = row["ward_id"], row["stay_id"]
    alerts = select(ALERT.c.id, ALERT.c.first_breach_at, ALERT.c.resolved_at).where(
        ALERT.c.ward_id == ward_id, ALERT.c.stay_id == stay_id
    )
    all_alerts = (await session.execute(alerts)).all()
    touched = [a.first_breach_at for a in all_alerts if a.resolved_at is None or a.resolved_at >= row["received_at"]]
    since: datetime = min([row["observed_at"], row["received_at"], *touched])
    table = reading_table.c
    of_the_stay = and_(table.ward_id == ward_id, table.stay_id == stay_id, table.entered_in_error_at.is_(None))
    judged = select(*(table[name] for name in JUDGED_COLUMNS)).where(of_the_stay, table.observed_at >= since - WINDOW)
    readings = [to_reading(each) for each in await session.execute(judged)]
    plan_rows = select(plan_table).where(plan_table.c.ward_id == ward_id, plan_table.c.stay_id == stay_id)
    stored_plans = (await session.execute(plan_rows.order_by(plan_table.c.version))).all()
    plans = [PlanEvent(each.created_at, plan_of(dict(each._mapping)) or Plan()) for each in stored_plans]
    return _History(
        since=since,
        readings=readings,
        newest=await _newest(session, of_the_stay, since),
        plans=plans,
        rule_sets=[RuleSetEvent(*each) for each in await load_lives(session, ward_id)],
        pauses=await _pauses(session, ward_id, stay_id),
        closings=await _closings(session, ward_id, [a.id for a in all_alerts if a.resolved_at is not None]),
    )


async def _newest(session: WriteSession, of_the_stay: ColumnElement[bool], since: datetime) -> Newest:
    """The newest readings that were known at an instant, however long before."""
    table = reading_table.c
    earlier = (of_the_stay, table.received_at < since)
    resting = (table.spo2 > USABLE_FROM - 0.5, table.context == Context.REST, table.quality != Quality.POOR)
    newest = select(func.max(JUDGED_AT)).where(*earlier)
    return Newest(
        (await session.execute(newest)).scalar_one(), (await session.execute(newest.where(*resting))).scalar_one()
    )


async def _pauses(session: WriteSession, ward_id: str, stay_id: str) -> list[PauseEvent]:
    """When the stay was paused, and when the pauses ended."""
    query = select(EVENT.c.at, EVENT.c.type, EVENT.c.data).where(
        EVENT.c.ward_id == ward_id, EVENT.c.subject_id == stay_id, EVENT.c.type.in_(("stay.paused", "stay.resumed"))
    )
    return [
        PauseEvent(each.at, datetime.fromisoformat(each.data["paused_until"]) if each.type == "stay.paused" else None)
        for each in await session.execute(query.order_by(EVENT.c.number))
    ]


async def _closings(session: WriteSession, ward_id: str, alert_ids: list[str]) -> list[Closing]:
    """Which alerts people closed, and when: what is still closed by a person."""
    if not alert_ids:
        return []
    query = select(EVENT.c.subject_id, EVENT.c.at, EVENT.c.actor_id, EVENT.c.data).where(
        EVENT.c.ward_id == ward_id, EVENT.c.subject_id.in_(alert_ids), EVENT.c.type == "alert.resolved"
    )
    last = {each.subject_id: each for each in await session.execute(query.order_by(EVENT.c.number))}
    return [Closing(each.at, Family(each.data["family"])) for each in last.values() if each.actor_id is not None]
