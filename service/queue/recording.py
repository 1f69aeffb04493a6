"""What every verb does alike: the locks in their order and the version first, and at the end the alert,
people's part, the audit trail and the feed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from alerts.episode import Episode
from alerts.transitions import TRANSITIONS, Trigger, step
from alerts.transitions import IllegalTransition as NoSuchStep
from service.access import audit
from service.access.principals import Principal
from service.errors import IllegalTransition
from service.feed.numbering import NewEvent, append_events, counts_delta
from service.fields import new_id
from service.queue import store
from service.queue.due import lock_ward_watch
from service.queue.happenings import alert_event, standing_of
from service.queue.notes import insert_note
from service.queue.store import LockedAlert
from service.queue.views import Place
from service.versions import require_version

_PERSONS_TRIGGERS = (
    Trigger.ACKNOWLEDGE,
    Trigger.UNACKNOWLEDGE,
    Trigger.CONTACT,
    Trigger.ASSIGN,
    Trigger.ESCALATE,
    Trigger.SNOOZE,
    Trigger.RESOLVE,
    Trigger.REOPEN,
)

What = tuple[str, dict[str, Any]]
"""An event's last name and what is special to it."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something to which alert, and when: `at` in clinical time, `real_at` in real time. `current`
    gives the alert as the API shows it, for whoever saw an older version."""

    session: AsyncSession
    who: Principal
    place: Place
    at: datetime
    real_at: datetime
    current: Callable[[], Awaitable[object]]


async def locked(act: Act, seen: int | None = None) -> LockedAlert:
    """The alert under its locks, in the version that was seen."""
    place = act.place
    if place.stay_id is not None:
        await store.lock_stay(act.session, place.ward_id, place.stay_id)
    else:
        await lock_ward_watch(act.session, place.ward_id)
    alert = await store.lock_alert(act.session, place.ward_id, place.alert_id)
    if seen is not None and seen != alert.episode.version:
        require_version(seen, alert.episode.version, await act.current())
    return alert


async def record(
    act: Act,
    alert: LockedAlert,
    after: Episode,
    whats: Sequence[What],
    response: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """Write what a verb did: the alert, people's part, the note, the audit trail, and last the feed."""
    session, ward_id = act.session, act.place.ward_id
    noted: dict[str, Any] = {}
    if note is not None:
        noted = {"note_id": new_id()}
        await insert_note(
            session,
            {
                "ward_id": ward_id,
                "id": noted["note_id"],
                "alert_id": alert.alert_id,
                "at": act.at,
                "author_id": act.who.id,
                "text": note,
            },
        )
    response, whats = _woken(alert.episode, after, dict(response or {}), whats)
    if response:
        await store.write_response(session, ward_id, alert.alert_id, response)
    if after is not alert.episode:
        await store.update_alerts(session, [row_of(ward_id, alert, after)])
    (first, more), *others = whats
    whats = [(first, {**more, **noted}), *others]
    for kind, more in whats:
        await audit.append(
            session, act.who, f"alert.{kind}", act.real_at,
            ward_id=ward_id, subject=("alert", alert.alert_id), detail=more,
        )  # fmt: skip
    events = [event_of(alert, after, act.at, act.who, what) for what in whats]
    counts = counts_delta(standing_of(alert.episode), standing_of(after))
    await append_events(session, ward_id, events, counts)


def _woken(
    before: Episode, after: Episode, response: dict[str, Any], whats: Sequence[What]
) -> tuple[dict[str, Any], Sequence[What]]:
    """With the end of the snooze, where the verb ended one."""
    if before.snoozed_until is None or after.snoozed_until is not None:
        return response, whats
    ended: list[What] = []
    if after.unresolved:
        ended = [("snooze_ended", {"transition": step(after.state, Trigger.SNOOZE_ENDS)[1], "reason": whats[0][0]})]
    return {**response, "snoozed_until": None}, [*whats, *ended]


def row_of(ward_id: str, alert: LockedAlert, after: Episode) -> dict[str, Any]:
    """What `store.update_alerts` takes."""
    return {"ward_id": ward_id, "id": alert.alert_id, **store.columns_of(after)}


def event_of(alert: LockedAlert, after: Episode, at: datetime, who: Principal, what: What) -> NewEvent:
    """The event of an alert that a person changed."""
    kind, more = what
    return alert_event(kind, at, alert.alert_id, alert.stay_id, alert.patient_id, after, actor_id=who.id, **more)


def transition_of(episode: Episode, trigger: Trigger) -> str:
    """The id of a step from where the alert stands; raises IllegalTransition, saying what could be done
    instead."""
    try:
        return step(episode.state, trigger)[1]
    except NoSuchStep:
        raise IllegalTransition(state=episode.state.value, allowed=verbs_of(episode)) from None


def verbs_of(episode: Episode) -> list[str]:
    """What a person can do about an alert that stands so, by the API's names."""
    return [*(each.value for each in _PERSONS_TRIGGERS if (episode.state, each) in TRANSITIONS), "note"]
