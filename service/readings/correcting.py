"""A reading that was entered in error: marked, never deleted, and the stay judged again without it.

What the alerts would be is folded from before the first breach that it can have touched; what people closed stays
closed, and nothing is closed by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from alerts.correct import Closing, correct, refold
from alerts.fold import PlanEvent, RuleSetEvent
from alerts.judge import WINDOW, advance
from alerts.plan import Plan
from alerts.record import Record
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Family
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
from service.readings.plans import plan_of
from service.readings.store import plan_table, reading_table, stay_table
from service.readings.windows import JUDGED_COLUMNS, to_reading
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


_BY_TIME = (Family.MISSED_READING, Family.PLAN)
"""What no reading raised, no reading that is taken back takes back."""


async def _judge_again(session: WriteSession, row: Mapping[str, Any], at: datetime) -> str:
    """Write what the stay's alerts are without the reading; gives the id of the patient."""
    ward_id, stay_id = row["ward_id"], row["stay_id"]
    query = select(stay_table.c.patient_id, stay_table.c.sixteen_on).where(
        stay_table.c.ward_id == ward_id, stay_table.c.id == stay_id
    )
    stay = (await session.execute(query)).one()
    patient_id: str = stay.patient_id
    stored: Unresolved = (await load_unresolved(session, [(ward_id, stay_id)])).get(stay_id, {})
    readable = {
        family: alert.episode
        for family, alert in stored.items()
        if alert.episode is not None and family not in _BY_TIME
    }
    hours = (await load_cover(session, ward_id)).hours
    try:
        history = await _history(session, row, at)
        start, plans = _first_plan(history.plans, history.since)
        known = tuple(to_reading(each) for each in history.readings if each.received_at < history.since)
        later = [to_reading(each) for each in history.readings if each.received_at >= history.since]
        rule_set, rule_sets = _first_rule_set(history.rule_sets, history.since)
        record = Record(plan=start, window=known, service_hours=hours, sixteen_on=stay.sixteen_on, rule_set=rule_set)
        without = refold(record, later, plans, rule_sets, history.closings, at)
        # What time alone has brought about by now is not the correction's doing.
        stood = advance(record._replace(window=(), episodes=readable), at)
        wanted = {family: each for family, each in without.items() if family in readable or family not in stored}
        decided = correct(stood.episodes, wanted, at, row["id"], hours)
    except (ValueError, KeyError, LookupError, TypeError) as problem:
        # What stands stays as it is: nothing is lowered by a judgement that failed.
        metrics.ENGINE_FAILURES.inc()
        log.error("not_judged_again", stay_id=stay_id, exc_info=problem)
        return patient_id
    changes = (*stood.changes, *decided.changes)
    await write_changes(session, [StayChanges(ward_id, stay_id, patient_id, stored, changes, decided.episodes)])
    return patient_id


@dataclass(frozen=True, slots=True)
class _History:
    since: datetime
    readings: list[Any]
    plans: list[tuple[datetime, Plan]]
    rule_sets: list[tuple[datetime, RuleSet]]
    closings: list[Closing]


async def _history(session: WriteSession, row: Mapping[str, Any], at: datetime) -> _History:
    """What the stay's alerts come from: everything received since the first breach that the reading can have touched,
    and what was known of the 48 h before."""
    ward_id, stay_id = row["ward_id"], row["stay_id"]
    alerts = select(ALERT.c.id, ALERT.c.first_breach_at, ALERT.c.resolved_at).where(
        ALERT.c.ward_id == ward_id, ALERT.c.stay_id == stay_id
    )
    all_alerts = (await session.execute(alerts)).all()
    touched = [a.first_breach_at for a in all_alerts if a.resolved_at is None or a.resolved_at >= row["received_at"]]
    since: datetime = min([row["observed_at"], row["received_at"], *touched])
    table = reading_table
    readings = (
        await session.execute(
            select(*(table.c[name] for name in JUDGED_COLUMNS)).where(
                table.c.ward_id == ward_id,
                table.c.stay_id == stay_id,
                table.c.observed_at >= since - WINDOW,
                table.c.entered_in_error_at.is_(None),
            )
        )
    ).all()
    plan_rows = select(plan_table).where(plan_table.c.ward_id == ward_id, plan_table.c.stay_id == stay_id)
    stored_plans = (await session.execute(plan_rows.order_by(plan_table.c.version))).all()
    plans = [(each.created_at, plan_of(dict(each._mapping)) or Plan()) for each in stored_plans]
    closings = await _closings(session, ward_id, [a.id for a in all_alerts if a.resolved_at is not None])
    rule_sets = await load_lives(session, ward_id)
    return _History(since, list(readings), plans, rule_sets, [each for each in closings if each.at >= since])


async def _closings(session: WriteSession, ward_id: str, alert_ids: list[str]) -> list[Closing]:
    """Which alerts people closed, and when: what is still closed by a person."""
    if not alert_ids:
        return []
    query = select(EVENT.c.subject_id, EVENT.c.at, EVENT.c.actor_id, EVENT.c.data).where(
        EVENT.c.ward_id == ward_id, EVENT.c.subject_id.in_(alert_ids), EVENT.c.type == "alert.resolved"
    )
    last = {each.subject_id: each for each in await session.execute(query.order_by(EVENT.c.number))}
    return [Closing(each.at, Family(each.data["family"])) for each in last.values() if each.actor_id is not None]


def _first_plan(plans: list[tuple[datetime, Plan]], since: datetime) -> tuple[Plan, list[PlanEvent]]:
    """The plan in force at an instant, and the versions that came after."""
    before = [plan for at, plan in plans if at < since] or [plan for _, plan in plans[:1]]
    return before[-1], [PlanEvent(at, plan) for at, plan in plans[1:] if at >= since]


def _first_rule_set(rule_sets: list[tuple[datetime, RuleSet]], since: datetime) -> tuple[RuleSet, list[RuleSetEvent]]:
    """The rule set that was live at an instant, and those that went live after."""
    before = [rule_set for at, rule_set in rule_sets if at < since] or [DEFAULT]
    return before[-1], [RuleSetEvent(at, rule_set) for at, rule_set in rule_sets if at >= since]
