"""Why a reading raised an alert, or did not: judged again by the function that judged it, from what was stored and
known at its receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Row, or_, select

from alerts.evaluate import Evaluation
from alerts.judge import WINDOW, judge
from alerts.limits import ServiceHours
from alerts.plan import Plan
from alerts.record import Record
from service import metrics
from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import NotFound
from service.logs import get_logger
from service.readings.plans import plan_of
from service.readings.store import plan_table, reading_table, stay_table, ward_table
from service.readings.windows import JUDGED_COLUMNS, to_reading
from service.rules.live import load_version
from service.storage.session import ReadSession

log = get_logger(__name__)

Stored = Sequence[Row[Any]]
"""Stored readings with the columns that are judged."""

NotJudged = Literal["plan_unreadable", "engine_failed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored reading with what the rules say about it. `evaluation` is None when they cannot say anything, and
    `not_judged` is why. `known`: how many readings of the stay were known before it."""

    row: Mapping[str, Any]
    evaluation: Evaluation | None
    not_judged: NotJudged | None
    known: int


async def read_receipt(session: ReadSession, who: Principal, reading_id: str | None) -> Receipt:
    """The receipt of a reading of the caller's wards; raises NotFound."""
    found = select(reading_table).where(visible(who, reading_table), reading_table.c.id == reading_id)
    stored = (await session.execute(found)).mappings().one_or_none()
    if stored is None:
        raise NotFound
    row = dict(stored)
    plan = await _plan(session, row)
    if plan is None:
        return Receipt(row, None, "plan_unreadable", 0)
    together, before = await _known(session, row)
    sixteen_on, zone = await _person_and_place(session, row)
    rule_set = await load_version(session, row["ward_id"], row["rule_set_version"])
    record = Record(plan=plan, sixteen_on=sixteen_on, service_hours=ServiceHours(zone=zone), rule_set=rule_set)
    try:
        evaluation = _again(record, together, before, row["id"])
    except Exception as problem:
        metrics.ENGINE_FAILURES.inc()
        log.error("not_evaluated", stay_id=row["stay_id"], exc_info=problem)
        return Receipt(row, None, "engine_failed", len(before))
    return Receipt(row, evaluation, None, len(before))


def _again(record: Record, together: Stored, before: Stored, reading_id: str) -> Evaluation:
    """What the rules say about one of the readings that came together."""
    record = record._replace(window=tuple(to_reading(each) for each in before))
    evaluations = judge(record, [to_reading(each) for each in together]).evaluations
    return next(each for each in evaluations if each.reading.id == reading_id)


async def _plan(session: ReadSession, row: Mapping[str, Any]) -> Plan | None:
    """The plan version under which the reading was judged; None when it cannot be read."""
    table = plan_table
    found = select(table).where(
        table.c.ward_id == row["ward_id"],
        table.c.stay_id == row["stay_id"],
        table.c.version == row["plan_version"],
    )
    stored = (await session.execute(found)).mappings().one_or_none()
    return None if stored is None else plan_of(dict(stored))


async def _person_and_place(session: ReadSession, row: Mapping[str, Any]) -> tuple[date, str]:
    """The sixteenth birthday, and the ward's time zone."""
    of_the_ward = ward_table.c.id == stay_table.c.ward_id
    found = select(stay_table.c.sixteen_on, ward_table.c.time_zone).join_from(stay_table, ward_table, of_the_ward)
    found = found.where(stay_table.c.ward_id == row["ward_id"], stay_table.c.id == row["stay_id"])
    sixteen_on, zone = (await session.execute(found)).one()
    return sixteen_on, zone


async def _known(session: ReadSession, row: Mapping[str, Any]) -> tuple[Stored, Stored]:
    """What came together with the reading, itself included, and what of its stay was known before: everything newer
    too, which decides its place. Receipts of a stay are in strict order, so one receipt is one request."""
    table, received_at = reading_table, row["received_at"]
    of_the_stay = (table.c.ward_id == row["ward_id"], table.c.stay_id == row["stay_id"])
    judged = select(*(table.c[name] for name in JUDGED_COLUMNS)).where(*of_the_stay)
    together = (await session.execute(judged.where(table.c.received_at == received_at))).all()
    since: datetime = min(min(each.observed_at, received_at) for each in together) - WINDOW
    # What was marked as an error later was known then.
    error_at = table.c.entered_in_error_at
    stood = or_(error_at.is_(None), error_at > received_at)
    known = judged.where(table.c.received_at < received_at, table.c.observed_at >= since, stood)
    return together, (await session.execute(known)).all()
