"""A stay drawn as a curve: each stretch of time in three numbers, where nothing came, the limits that held, the alerts.

Only readings that count (at rest, a good enough signal) make the curve; the others are counted beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import or_, select

from alerts.plan import Plan
from alerts.reading import Context, Quality
from alerts.rule_set import DEFAULT, RuleSet
from alerts.slots import longest_gap
from service.access.principals import Principal
from service.access.visibility import visible
from service.errors import FieldError, Invalid, NotFound
from service.readings.plans import plan_of
from service.readings.store import plan_table, reading_table, stay_table
from service.rules.live import load_lives
from service.storage.session import ReadSession
from service.storage.tables import METADATA

ALERT = METADATA.tables["alert"]

LONGEST = timedelta(days=366)
DRAWN = ("spo2", "pulse_rate", "respiratory_rate")
GAP_AFTER = 1.5
"""Times the longest planned pause between readings: longer without one is a gap (as for a missed reading)."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, `from <= t < to`, drawn in this many points."""

    start: datetime
    end: datetime
    points: int

    @property
    def width(self) -> timedelta:
        """Of one point."""
        return (self.end - self.start) / self.points


@dataclass(frozen=True, slots=True)
class Trend:
    """`buckets` of equal width, in order, empty ones too; `gaps` as (from, to); `alerts` None: not for the caller."""

    ward_id: str
    stay_id: str
    span: Span
    buckets: Sequence[dict[str, Any]]
    gaps: Sequence[tuple[datetime, datetime]]
    limits: Sequence[dict[str, Any]]
    alerts: Sequence[dict[str, Any]] | None


def span_of(start: datetime | None, end: datetime | None, points: int, now: datetime) -> Span:
    """What was asked for; unless said, the week up to now. Raises Invalid."""
    until = end or now
    begin = start or until - timedelta(days=7)
    if not begin < until:
        raise Invalid(errors=[FieldError("/from", "out_of_range", "must be before `to`")])
    if until - begin > LONGEST:
        raise Invalid(errors=[FieldError("/from", "out_of_range", "at most 366 days before `to`")])
    return Span(begin, until, points)


async def read_trend(session: ReadSession, who: Principal, stay_id: str | None, span: Span, now: datetime) -> Trend:
    """The trend of a stay of the caller's wards; raises NotFound. Alerts only for who may read them."""
    table = stay_table
    found = select(table.c.ward_id, table.c.admitted_at, table.c.discharged_at)
    stay = (await session.execute(found.where(visible(who, table), table.c.id == stay_id))).one_or_none()
    if stay is None or stay_id is None:
        raise NotFound
    ward_id, admitted_at, discharged_at = stay
    readings = await _readings(session, ward_id, stay_id, span)
    plans = await _plans(session, ward_id, stay_id)
    counting = [row for row in readings if _counts(row)]
    seen_to = min(span.end, now, discharged_at or now)
    return Trend(
        ward_id=ward_id,
        stay_id=stay_id,
        span=span,
        buckets=_buckets(span, readings),
        gaps=_gaps(max(span.start, admitted_at), seen_to, counting, plans),
        limits=_limits(span, plans, await load_lives(session, ward_id)),
        alerts=await _alerts(session, ward_id, stay_id, span) if "alerts:read" in who.scopes else None,
    )


async def _readings(session: ReadSession, ward_id: str, stay_id: str, span: Span) -> list[dict[str, Any]]:
    table = reading_table
    columns = (table.c[name] for name in ("observed_at", "context", "quality", *DRAWN))
    query = select(*columns).where(
        table.c.ward_id == ward_id,
        table.c.stay_id == stay_id,
        table.c.observed_at >= span.start,
        table.c.observed_at < span.end,
        table.c.entered_in_error_at.is_(None),
    )
    found = await session.execute(query.order_by(table.c.observed_at))
    return [dict(row._mapping) for row in found]


def _counts(row: Mapping[str, Any]) -> bool:
    return bool(row["context"] == Context.REST and row["quality"] != Quality.POOR)


def _buckets(span: Span, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    placed: list[list[Mapping[str, Any]]] = [[] for _ in range(span.points)]
    for row in rows:
        place = int((row["observed_at"] - span.start) / span.width)
        placed[min(place, span.points - 1)].append(row)
    return [_bucket(span.start + n * span.width, span.width, each) for n, each in enumerate(placed)]


def _bucket(start: datetime, width: timedelta, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counting = [row for row in rows if _counts(row)]
    drawn = {name: _three([row[name] for row in counting if row[name] is not None]) for name in DRAWN}
    return {"from": start, "to": start + width, "count": len(counting), "others": len(rows) - len(counting), **drawn}


def _three(values: Sequence[float]) -> dict[str, float] | None:
    return {"min": min(values), "median": median(values), "max": max(values)} if values else None


def _gaps(
    start: datetime, end: datetime, rows: Sequence[Mapping[str, Any]], plans: Sequence[Mapping[str, Any]]
) -> list[tuple[datetime, datetime]]:
    """Where no SpO2 that counts came for longer than the plan of that time leaves room for."""
    times = [row["observed_at"] for row in rows if row["spo2"] is not None]
    edges = [start, *(at for at in times if start < at < end), end]
    return [(a, b) for a, b in pairwise(edges) if b - a > _longest_pause(plans, a)]


def _longest_pause(plans: Sequence[Mapping[str, Any]], at: datetime) -> timedelta:
    plan: Plan | None = next((each["plan"] for each in reversed(plans) if each["from"] <= at), None)
    times = (plan or Plan()).reading_times
    return (longest_gap(times) if times else timedelta(days=1)) * GAP_AFTER


async def _plans(session: ReadSession, ward_id: str, stay_id: str) -> list[dict[str, Any]]:
    table = plan_table
    query = select(table).where(table.c.ward_id == ward_id, table.c.stay_id == stay_id).order_by(table.c.version)
    return [
        {"from": row.created_at, "plan_version": row.version, "plan": plan_of(dict(row._mapping))}
        for row in await session.execute(query)
    ]


def _limits(
    span: Span, plans: Sequence[Mapping[str, Any]], lives: Sequence[tuple[datetime, RuleSet]]
) -> list[dict[str, Any]]:
    """The limits in force, from when to when: they change with the plan and with the rules of the ward. The first
    plan holds from the beginning."""
    changes = {span.start, *(each["from"] for each in plans[1:]), *(at for at, _ in lives)}
    starts = sorted(at for at in changes if span.start <= at < span.end)
    shown = []
    for start, end in pairwise([*starts, span.end]):
        plan = next((each for each in reversed(plans[1:]) if each["from"] <= start), plans[0])
        rules = next((rule_set for at, rule_set in reversed(lives) if at <= start), DEFAULT)
        limits = {"plan_version": plan["plan_version"], **_numbers(plan["plan"], rules)}
        shown.append({"from": start, "to": end, **limits})
    return shown


def _numbers(plan: Plan | None, rules: RuleSet) -> dict[str, int | None]:
    """Nothing where the plan cannot be read."""
    if plan is None:
        return dict.fromkeys(("red_at", "amber_at", "target_low", "baseline_spo2"))
    limits = rules.limits(plan)
    return {
        "red_at": limits.red_at,
        "amber_at": limits.amber_at,
        "target_low": limits.target_low,
        "baseline_spo2": plan.baseline_spo2,
    }


_ALERT_SHOWN = (
    "id", "family", "channel", "title", "severity", "peak_severity", "state",
    "first_breach_at", "opened_at", "recovered_at", "resolved_at",
)  # fmt: skip


async def _alerts(session: ReadSession, ward_id: str, stay_id: str, span: Span) -> list[dict[str, Any]]:
    """Alerts that stood at some time of the span, from their first breach on."""
    query = (
        select(*(ALERT.c[name] for name in _ALERT_SHOWN))
        .where(
            ALERT.c.ward_id == ward_id,
            ALERT.c.stay_id == stay_id,
            ALERT.c.first_breach_at < span.end,
            or_(ALERT.c.resolved_at.is_(None), ALERT.c.resolved_at >= span.start),
        )
        .order_by(ALERT.c.first_breach_at, ALERT.c.id)
    )
    return [dict(row._mapping) for row in await session.execute(query)]
