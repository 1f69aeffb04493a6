"""Alerts about a ward itself: raised and cleared under the ward's own lock, like those of a stay under its stay's."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from alerts.change import Change
from alerts.episode import Episode
from alerts.limits import HumanLimits
from alerts.rule import Finding, Rule
from alerts.ward import clear_on_ward, raise_on_ward, stands
from service.cover.inforce import load_cover
from service.feed.numbering import NewEvent, append_events, counts_delta
from service.fields import new_id
from service.queue import store
from service.queue.due import lock_ward_watch
from service.queue.happenings import alert_event, standing_of
from service.queue.store import ALERT, WARD
from service.queue.surroundings import limits_on
from service.storage.direct import Where
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables.alerts import UNRESOLVED


async def raise_for_ward(
    database: Database, ward_id: str, finding: Finding, at: datetime, subject: str | None = None
) -> bool:
    """Raise an alert about a ward, or about a `subject` of it ("webhook:<id>"), unless it stands already. Whether
    anything was written."""
    return await _change(database, ward_id, subject or store.subject_of_ward(ward_id), finding.rule, finding, at)


async def clear_for_ward(
    database: Database, ward_id: str, rule: Rule, at: datetime, subject: str | None = None
) -> bool:
    """The cause is gone: the alert recovers, if it stands. Whether anything was written."""
    return await _change(database, ward_id, subject or store.subject_of_ward(ward_id), rule, None, at)


async def list_wards_with(where: Where, rule: Rule) -> dict[str, bool]:
    """For every ward, by id, whether this rule's alert about the ward stands there, as far as its title tells."""
    query = select(WARD.c.id, ALERT.c.id).outerjoin(
        ALERT,
        (ALERT.c.ward_id == WARD.c.id)
        & (ALERT.c.stay_id.is_(None))
        & (ALERT.c.title == rule.name)
        & ALERT.c.recovered_at.is_(None)
        & UNRESOLVED,
    )
    return {ward_id: alert_id is not None for ward_id, alert_id in await where.execute(query)}


async def _change(
    database: Database, ward_id: str, subject: str, rule: Rule, finding: Finding | None, at: datetime
) -> bool:
    """Raise the finding, or clear the rule without one; nothing if it is so already."""
    async with writing(database) as session:
        await lock_ward_watch(session, ward_id)
        alert_id, before, limits = await _standing(session, ward_id, subject, rule)
        if (finding is not None) == stands(before, rule):
            return False
        if finding is not None:
            after, change = raise_on_ward(before, finding, at, limits)
        else:
            after, change = clear_on_ward(before, rule, at, limits)
        if before is None:
            await store.insert_alerts(session, [_row(ward_id, alert_id, subject, after)])
        else:
            row = {"ward_id": ward_id, "id": alert_id, **store.columns_of(after)}
            await store.update_alerts(session, [row])
        if change is not None:
            counts = counts_delta(None if before is None else standing_of(before), standing_of(after))
            await append_events(session, ward_id, [_event(alert_id, change)], counts)
    return True


async def _standing(where: Where, ward_id: str, subject: str, rule: Rule) -> tuple[str, Episode | None, HumanLimits]:
    """The unresolved alert (a new id and None without one) and what its limits follow from. One that cannot be read
    stands as its columns tell: it must not keep a ward from being told."""
    query = store.LOCK_ALERTS.where(ALERT.c.subject == subject, ALERT.c.family == rule.family.value, UNRESOLVED)
    row = (await where.execute(query, {"in_ward": ward_id})).one_or_none()
    if row is None:
        return new_id(), None, await limits_on(where, await load_cover(where, ward_id))
    alert = store.locked_of(row)
    return alert.alert_id, alert.episode, alert.limits


def _row(ward_id: str, alert_id: str, subject: str, episode: Episode) -> dict[str, Any]:
    return {
        "ward_id": ward_id,
        "id": alert_id,
        "subject": subject,
        "stay_id": None,
        "patient_id": None,
        "family": episode.family.value,
        "channel": episode.family.channel.value,
        "first_breach_at": episode.first_breach_at,
        "opened_at": episode.opened_at,
        "previous_alert_id": None,
        **store.columns_of(episode),
    }


def _event(alert_id: str, change: Change) -> NewEvent:
    return alert_event(
        change.kind.value,
        change.at,
        alert_id,
        None,
        None,
        change.after,
        severity_before=change.severity_before.word if change.severity_before else None,
        transition=change.transition,
        reason=change.reason,
        reading_id=None,
    )
