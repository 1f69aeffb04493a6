"""What the change of an alert or of a stay looks like in the feed: as it stood then, without identity, notes, limits or
values."""

from datetime import datetime
from typing import Any, NamedTuple

from alerts.change import Reminder
from alerts.episode import Episode
from service.feed.numbering import NewEvent, Standing
from service.fields import utc_text


def alert_event(
    what: str,
    at: datetime,
    alert_id: str,
    stay_id: str | None,
    patient_id: str | None,
    episode: Episode,
    *,
    actor_id: str | None = None,
    **more: Any,
) -> NewEvent:
    """The event `alert.<what>` of an alert that now stands as `episode`; `more` says what is special to
    it."""
    data = {
        "stay_id": stay_id,
        "patient_id": patient_id,
        "family": episode.family.value,
        "channel": episode.family.channel.value,
        "title": episode.title,
        "severity": episode.severity.word,
        "peak_severity": episode.peak_severity.word,
        "state": episode.state.value,
        "confirmed": episode.confirmed,
        "retrospective": episode.retrospective,
        "escalation_level": episode.escalation_level,
        "rule_ids": list(episode.rule_ids),
        "reading_count": episode.reading_count,
        "respond_by": utc_text(episode.respond_by) if episode.respond_by else None,
        "version": episode.version,
        **more,
    }
    return NewEvent(f"alert.{what}", at, "alert", alert_id, data, actor_id)


class StayStands(NamedTuple):
    """A stay as its events tell of it."""

    id: str
    patient_id: str
    status: str
    paused_until: datetime | None
    plan_version: int
    version: int


def stay_event(kind: str, at: datetime, stay: StayStands, actor_id: str | None, **more: Any) -> NewEvent:
    """The event of a stay that now stands as `stay`; `more` says what is special to it, `actor_id` is None when nobody
    changed it: time, or the machine."""
    data = {
        "stay_id": stay.id,
        "patient_id": stay.patient_id,
        "status": stay.status,
        "paused_until": utc_text(stay.paused_until) if stay.paused_until else None,
        "plan_version": stay.plan_version,
        "version": stay.version,
        **more,
    }
    return NewEvent(kind, at, "stay", stay.id, data, actor_id)


def reminder_event(stay_id: str, patient_id: str, reminder: Reminder) -> NewEvent:
    """The event `stay.reading_due`: the reading of a slot has not come, and can still be sent `until` an instant."""
    data = {
        "stay_id": stay_id,
        "patient_id": patient_id,
        "slot": utc_text(reminder.slot),
        "until": utc_text(reminder.until),
    }
    return NewEvent("stay.reading_due", reminder.at, "stay", stay_id, data)


def standing_of(episode: Episode) -> Standing:
    """What the ward's counts need of an alert."""
    return Standing(episode.state.value, int(episode.severity))
