"""Queries for those who look: alerts as the API shows them, and the queue in its order.

One query a page: the sorted page is cut ward by ward along the index `ix_alert_queue`, for resolved alerts along
`ix_alert_closed`, and only those rows meet what people did about them and whom they concern."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, Table, Text, TextClause, and_, bindparam, cast, or_, select, tuple_, union_all
from sqlalchemy.sql import FromClause

from alerts.ward import SYSTEM_DEGRADED
from service.access.principals import Principal
from service.access.visibility import visible
from service.queue.store import ALERT, RESPONSE, STAY, subject_of_ward
from service.storage.direct import Where
from service.storage.tables import METADATA
from service.storage.tables.alerts import RESOLVED, UNRESOLVED

PATIENT = METADATA.tables["patient"]
IDENTIFIER = METADATA.tables["patient_identifier"]

ShownAlert = Row[*tuple[Any, ...]]
"""A row of `shown_columns`, in that order."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a page's statement depends on: how many wards, which filters are set, whether it goes on after a row, and
    whether it shows what is unresolved (with the filter `states`: some of it), what is resolved, or both."""

    wards: int
    filters: frozenset[str] = frozenset()
    goes_on: bool = False
    unresolved: bool = True
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert is: what is needed to lock it, and when its stay is due (None: not looked at yet). A ward's alert
    has no stay."""

    ward_id: str
    alert_id: str
    stay_id: str | None
    stay_due_at: datetime | None = None


def shown_columns(alert: Table | FromClause) -> list[Any]:
    """The columns of an alert as it is shown, named and ordered like the API's fields; `taken` and identity
    last."""
    a, r, p = alert.c, RESPONSE.c, PATIENT.c
    number = (
        select(IDENTIFIER.c.value)
        .where(
            IDENTIFIER.c.ward_id == a.ward_id,
            IDENTIFIER.c.patient_id == a.patient_id,
            IDENTIFIER.c.system == "nhs_number",
        )
        .order_by(IDENTIFIER.c.value)
        .limit(1)
        .scalar_subquery()
    )
    return [
        a.id, a.ward_id, a.stay_id, a.patient_id.label("patient"), a.family, a.channel, a.title,
        a.severity, a.severity.label("severity_rank"), a.peak_severity, a.state, a.confirmed, a.retrospective,
        a.escalation_level, cast(a.explanation, Text).label("explanation"),
        a.first_breach_at, a.opened_at, a.last_breach_at, a.recovered_at, a.respond_by, a.contact_due_at,
        r.acknowledged_at, r.acknowledged_by, r.ack_expires_at, r.assigned_to, r.snoozed_until,
        a.resolved_at, r.resolved_by, r.outcome, a.reading_count, a.previous_alert_id, a.version,
        a.taken, p.family_name, p.given_name, p.birth_date, number.label("nhs_number"),
    ]  # fmt: skip


ALERT_FIELDS = tuple(column.name for column in shown_columns(ALERT)[:-5])
"""The API's names of the columns shown, without `taken` and the four of identity."""


def _with_people(alert: Table | FromClause) -> Select[*tuple[Any, ...]]:
    """Alerts with what people did about them and whom they concern."""
    return (
        select(*shown_columns(alert))
        .select_from(alert)
        .outerjoin(RESPONSE, and_(RESPONSE.c.ward_id == alert.c.ward_id, RESPONSE.c.alert_id == alert.c.id))
        .outerjoin(PATIENT, and_(PATIENT.c.ward_id == alert.c.ward_id, PATIENT.c.id == alert.c.patient_id))
    )


async def find_place(where: Where, who: Principal, alert_id: str) -> Place | None:
    """Where an alert of the principal's wards is, or None."""
    of_the_alert = and_(STAY.c.ward_id == ALERT.c.ward_id, STAY.c.id == ALERT.c.stay_id)
    query = select(ALERT.c.ward_id, ALERT.c.id, ALERT.c.stay_id, STAY.c.due_at).outerjoin(STAY, of_the_alert)
    row = (await where.execute(query.where(visible(who, ALERT), ALERT.c.id == alert_id))).one_or_none()
    return Place(*row) if row else None


async def find_alert(where: Where, who: Principal, alert_id: str) -> ShownAlert | None:
    """One alert of the principal's wards, or None."""
    query = _with_people(ALERT).where(visible(who, ALERT), ALERT.c.id == alert_id)
    found: ShownAlert | None = (await where.execute(query)).one_or_none()
    return found


async def get_alert(where: Where, place: Place) -> ShownAlert:
    """The alert of a place that was found before."""
    query = _with_people(ALERT).where(ALERT.c.ward_id == place.ward_id, ALERT.c.id == place.alert_id)
    found: ShownAlert = (await where.execute(query)).one()
    return found


async def list_alerts(where: Where, shape: Shape, values: dict[str, Any]) -> Sequence[ShownAlert]:
    """A page in queue order. `values`: ward_0, ward_1 …, at_most, one for each filter by its name, and, to go
    on after a row, after_severity, after_taken, after_respond_by and after_id."""
    found: Sequence[ShownAlert] = (await where.execute(_page(shape), values)).all()
    return found


async def degraded_since(where: Where, ward_ids: Sequence[str]) -> datetime | None:
    """Since when the first of these wards is told that the service is late; None when none is."""
    subjects = [subject_of_ward(ward_id) for ward_id in list(ward_ids)]
    query = (
        select(ALERT.c.opened_at)
        .where(
            ALERT.c.ward_id.in_(list(ward_ids)),
            ALERT.c.subject.in_(subjects),
            ALERT.c.title == SYSTEM_DEGRADED.name,
            ALERT.c.recovered_at.is_(None),
            UNRESOLVED,
        )
        .order_by(ALERT.c.opened_at)
        .limit(1)
    )
    found: datetime | None = (await where.execute(query)).scalar_one_or_none()
    return found


def _in_order(alert: Table | FromClause) -> tuple[Any, ...]:
    return alert.c.severity.desc(), alert.c.taken, alert.c.respond_by, alert.c.id


@lru_cache(maxsize=512)
def _page(shape: Shape) -> Select[*tuple[Any, ...]]:
    halves = [half for half, shown in ((UNRESOLVED, shape.unresolved), (RESOLVED, shape.resolved)) if shown]
    parts = [_of_ward(shape, f"ward_{n}", half) for n in range(shape.wards) for half in halves]
    if len(parts) == 1:
        page = parts[0].subquery("page")
    else:
        # Each part is a subquery of its own because SQLite sorts and limits only a whole compound.
        merged = union_all(*(select(part.subquery(f"of_ward_{n}")) for n, part in enumerate(parts))).subquery("wards")
        page = select(merged).order_by(*_in_order(merged)).limit(bindparam("at_most")).subquery("page")
    return _with_people(page).order_by(*_in_order(page))


def _of_ward(shape: Shape, ward: str, half: TextClause) -> Select[*tuple[Any, ...]]:
    # Which half is in the text, and no value: by it the database knows that the half's index has all of the rows.
    query = select(ALERT).where(ALERT.c.ward_id == bindparam(ward), half)
    if "assigned_to" in shape.filters:
        query = query.join(RESPONSE, and_(RESPONSE.c.ward_id == ALERT.c.ward_id, RESPONSE.c.alert_id == ALERT.c.id))
    wanted = shape.filters - {"states"} if half is RESOLVED else shape.filters
    query = query.where(*(condition for name, condition in _FILTERS.items() if name in wanted))
    if shape.goes_on:
        query = query.where(_AFTER)
    return query.order_by(*_in_order(ALERT)).limit(bindparam("at_most"))


_FILTERS: dict[str, Any] = {
    "stay_id": ALERT.c.stay_id == bindparam("stay_id"),
    "states": ALERT.c.state.in_(bindparam("states", expanding=True)),
    "severity_min": ALERT.c.severity >= bindparam("severity_min"),
    "family": ALERT.c.family == bindparam("family"),
    "channel": ALERT.c.channel == bindparam("channel"),
    "assigned_to": RESPONSE.c.assigned_to == bindparam("assigned_to"),
}

_SEVERITY = bindparam("after_severity", type_=ALERT.c.severity.type)
_AFTER = and_(
    ALERT.c.severity <= _SEVERITY,  # where the index scan begins
    or_(
        ALERT.c.severity < _SEVERITY,
        tuple_(ALERT.c.taken, ALERT.c.respond_by, ALERT.c.id)
        > tuple_(
            bindparam("after_taken", type_=ALERT.c.taken.type),
            bindparam("after_respond_by", type_=ALERT.c.respond_by.type),
            bindparam("after_id", type_=ALERT.c.id.type),
        ),
    ),
)
