"""Queries on alerts for those who write them: Core only, several stays at a time, ward first.

`machine` is the engine's checkpoint and the only source of an episode; the other columns of an alert are
written from it in the same statement, for lists, indexes and limits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, insert, select, update

from alerts.checkpoint import dump
from alerts.episode import Episode
from alerts.escalation import limit_at
from alerts.limits import HumanLimits
from service.cover.inforce import service_hours_of
from service.cover.store import hours_in_force
from service.fields import END_OF_TIME
from service.queue import checkpoints
from service.rules.live import in_force, rules_in_force
from service.storage.direct import Statement, Where, fetch, insert_rows, update_rows
from service.storage.portable import Given, IdType, dialect_of, for_each
from service.storage.tables import METADATA
from service.storage.tables.alerts import UNRESOLVED

ALERT = METADATA.tables["alert"]
RESPONSE = METADATA.tables["alert_response"]
STAY = METADATA.tables["stay"]
WARD = METADATA.tables["ward"]


def subject_of(stay_id: str) -> str:
    """The `subject` of an alert about a stay."""
    return f"stay:{stay_id}"


def subject_of_ward(ward_id: str) -> str:
    """The `subject` of an alert about a ward itself."""
    return f"ward:{ward_id}"


def columns_of(episode: Episode) -> dict[str, Any]:
    """The columns of an alert that change with its episode."""
    state = str(episode.state)
    return {
        "title": episode.title,
        "state": state,
        "taken": state == "acknowledged",
        "severity": int(episode.severity),
        "peak_severity": int(episode.peak_severity),
        "confirmed": episode.confirmed,
        "retrospective": episode.retrospective,
        "escalation_level": episode.escalation_level,
        "last_breach_at": episode.last_breach_at,
        "recovered_at": episode.recovered_at,
        "resolved_at": episode.resolved_at,
        "respond_by": episode.respond_by or END_OF_TIME,
        "contact_due_at": episode.contact_due_at,
        "next_due_at": episode.next_due_at,
        "limit_at": limit_at(episode) or END_OF_TIME,
        "reading_count": episode.reading_count,
        "explanation": checkpoints.explained(episode),
        "machine": dump(episode),
        "version": episode.version,
    }


SUBJECTS = Given(ward_id=IdType, subject=String)


def unresolved_of(dialect: str, given: Any, *columns: ColumnElement[Any]) -> Select[Any]:
    """These columns of every unresolved alert about what is given (`ward_id`, `subject`)."""
    of_the_subject = and_(ALERT.c.ward_id == given.c.ward_id, ALERT.c.subject == given.c.subject, UNRESOLVED)
    return for_each(dialect, given, select(*columns).where(of_the_subject), ALERT.c.family)


def _find_unresolved(dialect: str) -> Select[Any]:
    alert = ALERT.c
    return unresolved_of(dialect, SUBJECTS.table(dialect), alert.stay_id, alert.family, alert.id, alert.machine)


FIND_UNRESOLVED = Statement(_find_unresolved)


async def find_unresolved(where: Where, keys: Iterable[tuple[str, str]]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(stay_id, family, alert_id, machine) of every unresolved alert of these (ward_id, stay_id)."""
    subjects = [(ward_id, subject_of(stay_id)) for ward_id, stay_id in keys]
    if not subjects:
        return []
    found = await fetch(where, FIND_UNRESOLVED, SUBJECTS.params(dialect_of(where), subjects))
    return [(row[0], row[1], row[2], row[3]) for row in found]


FAMILIES = Given(ward_id=IdType, stay_id=IdType, family=String)


def _find_last_resolved(dialect: str) -> Select[Any]:
    given = FAMILIES.table(dialect)
    of_the_family = and_(
        ALERT.c.ward_id == given.c.ward_id,
        ALERT.c.stay_id == given.c.stay_id,
        ALERT.c.family == given.c.family,
        ALERT.c.state == "resolved",
    )
    found = select(ALERT.c.stay_id, ALERT.c.family, ALERT.c.id).where(of_the_family)
    return for_each(dialect, given, found, ALERT.c.opened_at.desc(), ALERT.c.id.desc(), newest=1)


FIND_LAST_RESOLVED = Statement(_find_last_resolved)


async def find_last_resolved(where: Where, keys: Collection[tuple[str, str, str]]) -> Mapping[tuple[str, str], str]:
    """The latest resolved alert for each (ward_id, stay_id, family) that has one, by (stay_id, family)."""
    found = await fetch(where, FIND_LAST_RESOLVED, FAMILIES.params(dialect_of(where), sorted(keys)))
    return {(row[0], row[1]): row[2] for row in found}


async def insert_alerts(where: Where, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new alerts; each row has every column."""
    await insert_rows(where, ALERT, rows)


async def update_alerts(where: Where, rows: Sequence[dict[str, Any]]) -> None:
    """Write changed alerts: rows of `columns_of` with `ward_id` and `id`."""
    await update_rows(where, ALERT, rows)


async def clear_snoozes(where: Where, alerts: Sequence[tuple[str, str]]) -> None:
    """Take the snooze off these (ward_id, alert_id): the machine found something new. Nothing else of people's part
    is the machine's to write."""
    for ward_id, alert_id in sorted(alerts):
        here = and_(RESPONSE.c.ward_id == ward_id, RESPONSE.c.alert_id == alert_id)
        await where.execute(update(RESPONSE).where(here).values(snoozed_until=None))


# One alert, for a person's verb -----------------------------------------------------------------------------

_LOCK_STAY = (
    select(STAY.c.id)
    .where(STAY.c.ward_id == bindparam("in_ward"), STAY.c.id == bindparam("stay"))
    .with_for_update(key_share=True)
)
LOCK_ALERTS = (
    select(
        ALERT.c.id,
        ALERT.c.stay_id,
        ALERT.c.patient_id,
        ALERT.c.machine,
        WARD.c.time_zone,
        hours_in_force(),
        RESPONSE.c.acknowledged_by,
        ALERT.c.ward_id,
        *rules_in_force(),
        *checkpoints.COLUMNS,
    )
    .join(WARD, WARD.c.id == ALERT.c.ward_id)
    .outerjoin(RESPONSE, and_(RESPONSE.c.ward_id == ALERT.c.ward_id, RESPONSE.c.alert_id == ALERT.c.id))
    .where(ALERT.c.ward_id == bindparam("in_ward"))
    .order_by(ALERT.c.id)
    .with_for_update(key_share=True, of=ALERT)
)
_LOCK_ONE = LOCK_ALERTS.where(ALERT.c.id == bindparam("alert_id"))
_LOCK_UNRESOLVED = LOCK_ALERTS.where(ALERT.c.subject == bindparam("subject"), UNRESOLVED)


@dataclass(frozen=True, slots=True)
class LockedAlert:
    """An alert whose row this transaction holds, what its limits for people follow from now, and who acknowledged it
    last."""

    alert_id: str
    stay_id: str | None
    patient_id: str | None
    episode: Episode
    limits: HumanLimits
    acknowledged_by: str | None


def locked_of(row: Any) -> LockedAlert:
    """A row of LOCK_ALERTS."""
    episode = checkpoints.readable(row[0], row[3]) or checkpoints.as_told(row._mapping, END_OF_TIME)
    limits = HumanLimits(in_force(row[7], row[8], row[9]).responses, service_hours_of(row[4], row[5]))
    return LockedAlert(row[0], row[1], row[2], episode, limits, row[6])


async def lock_stay(where: Where, ward_id: str, stay_id: str) -> None:
    """Lock a stay's row: the first lock of whoever changes its alerts."""
    await where.execute(_LOCK_STAY, {"in_ward": ward_id, "stay": stay_id})


async def lock_alert(where: Where, ward_id: str, alert_id: str) -> LockedAlert:
    """Lock an alert that is known to exist; its stay is locked already."""
    found = await where.execute(_LOCK_ONE, {"in_ward": ward_id, "alert_id": alert_id})
    return locked_of(found.one())


async def lock_unresolved(where: Where, ward_id: str, stay_id: str) -> list[LockedAlert]:
    """Lock all unresolved alerts of a stay, which is locked already."""
    found = await where.execute(_LOCK_UNRESOLVED, {"in_ward": ward_id, "subject": subject_of(stay_id)})
    return [locked_of(row) for row in found]


async def write_response(where: Where, ward_id: str, alert_id: str, values: dict[str, Any]) -> None:
    """Set what people did about an alert; the fields not named stay."""
    if not values:
        return
    changed = await where.execute(
        update(RESPONSE)
        .where(RESPONSE.c.ward_id == ward_id, RESPONSE.c.alert_id == alert_id)
        .values(values)
        .returning(RESPONSE.c.alert_id)
    )
    # The stay is locked, so nobody inserts between the two.
    if changed.one_or_none() is None:
        await where.execute(insert(RESPONSE).values(ward_id=ward_id, alert_id=alert_id, **values))
