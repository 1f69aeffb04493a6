"""What the engine decided becomes rows and events: for all stays of a group at once, inside the caller's
transaction.

Whoever calls this holds the stays' rows. The order of locks goes on from there: alerts, then the wards'
feeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alerts.change import Change, Kind, Reminder
from alerts.episode import Episode
from alerts.severity import Family, Severity
from alerts.transitions import Trigger, step
from service.cover.inforce import Cover
from service.cover.outbox import Told, notify, tells_at_once
from service.feed.numbering import NewEvent, Standing, WardEvents, append_for_wards, counts_delta
from service.fields import new_id
from service.queue import store
from service.queue.checkpoints import readable
from service.queue.happenings import alert_event, reminder_event, standing_of
from service.storage.direct import Insert, Update, Where, write


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An unresolved alert as it is stored; `episode` is None when its checkpoint cannot be read."""

    alert_id: str
    episode: Episode | None


_ALARMS = frozenset({Kind.OPENED, Kind.REOPENED, Kind.WORSENED})
"""What people out of sight are told of at once, from high severity on, where the ward's policy says so."""

Unresolved = Mapping[Family, StoredAlert]


class StayChanges(NamedTuple):
    """What was decided for one stay, in order, and the unresolved alerts it was decided on.

    `after` holds the unresolved ones as they stand at the end. One that moved without a change (a clearing
    was counted, a wait began) is stored without an event. `event`: what happened to the stay itself, told last.
    `reminders`: readings the person is asked for."""

    ward_id: str
    stay_id: str
    patient_id: str
    stored: Unresolved
    changes: Sequence[Change]
    after: Mapping[Family, Episode]
    cover: Cover | None = None
    event: NewEvent | None = None
    reminders: Sequence[Reminder] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a group: for each stay the alert id of each change in the order given, and the last
    event number of each ward that had events."""

    alert_ids: Mapping[str, Sequence[str]]
    numbers: Mapping[str, int]


@dataclass(slots=True)
class _Touched:
    """An alert this group writes: how it stood before (None: it is new) and how it stands after the last
    change."""

    stay: StayChanges
    alert_id: str
    before: Standing | None
    episode: Episode
    previous_alert_id: str | None = None
    was_snoozed: bool = False


@dataclass(slots=True)
class _Group:
    touched: list[_Touched] = field(default_factory=list)
    wards: dict[str, WardEvents] = field(default_factory=dict)
    alert_ids: dict[str, list[str]] = field(default_factory=dict)
    told: list[tuple[Cover, Told]] = field(default_factory=list)

    def tell(self, cover: Cover, told: Told) -> None:
        """Tell people out of sight, where the ward does so at once."""
        if tells_at_once(cover):
            self.told.append((cover, told))


async def load_unresolved(where: Where, keys: Iterable[tuple[str, str]]) -> dict[str, dict[Family, StoredAlert]]:
    """The unresolved alerts of these (ward_id, stay_id), by stay and family, in one query.

    Stays without any are left out."""
    found: dict[str, dict[Family, StoredAlert]] = {}
    for stay_id, family, alert_id, machine in await store.find_unresolved(where, keys):
        found.setdefault(stay_id, {})[Family(family)] = StoredAlert(alert_id, readable(alert_id, machine))
    return found


async def write_changes(where: Where, writes: Iterable[StayChanges], also: Sequence[Insert | Update] = ()) -> Written:
    """Store the changes of several stays and number their events, ward by ward in key order.

    An alert may be opened, changed and resolved within one group. `also`: what else there is to write, which saves a
    statement. Call it last in the transaction: it locks the feeds. After the commit, ring
    `Wakeups.wake(written.numbers)`."""
    group = _Group()
    for stay in writes:
        _fold(group, stay)
    # Changed ones first: one that this group resolves makes room for the one it opens.
    changed = Update(store.ALERT, [_update_of(each) for each in group.touched if each.before is not None])
    await write(where, *also, changed)
    if not group.touched and not any(ward.events for ward in group.wards.values()):
        return Written({}, {})
    await _link_to_previous(where, group.touched)
    woken = [each for each in group.touched if each.was_snoozed and each.episode.snoozed_until is None]
    await store.clear_snoozes(where, [(each.stay.ward_id, each.alert_id) for each in woken])
    await store.insert_alerts(where, [_row_of(each) for each in group.touched if each.before is None])
    for cover, told in group.told:
        await notify(where, cover, [told])
    numbers = await append_for_wards(where, group.wards)
    return Written(group.alert_ids, numbers)


def _fold(group: _Group, stay: StayChanges) -> None:
    """Bring one stay's changes into the group: which alert each is about, its event, and how the alert ends
    up."""
    ward = group.wards.setdefault(stay.ward_id, WardEvents())
    ids = group.alert_ids.setdefault(stay.stay_id, [])
    touched: list[_Touched] = []
    current: dict[Family, _Touched] = {}
    last_resolved: dict[Family, str] = {}
    for change in stay.changes:
        family, after = change.family, change.after
        alert = current.get(family)
        if alert is None:
            alert = current[family] = _touch(stay, after, last_resolved.get(family))
            touched.append(alert)
        alert.episode = after
        ids.append(alert.alert_id)
        if stay.cover is not None and change.kind in _ALARMS and after.severity >= Severity.HIGH:
            group.tell(stay.cover, Told(alert.alert_id, int(after.severity), 0, change.at))
        ward.events += _events_of(stay, alert.alert_id, change)
        if not after.unresolved:
            last_resolved[family] = alert.alert_id
            del current[family]
    if stay.event is not None:
        ward.events.append(stay.event)
    ward.events += [reminder_event(stay.stay_id, stay.patient_id, each) for each in stay.reminders]
    for family, episode in stay.after.items():
        if family in current:
            current[family].episode = episode
        elif family in stay.stored and stay.stored[family].episode is not episode:
            touched.append(_touch(stay, episode, None))
    for alert in touched:
        ward.counts += counts_delta(alert.before, standing_of(alert.episode))
    group.touched += touched


def _touch(stay: StayChanges, after: Episode, resolved_here: str | None) -> _Touched:
    stored = None if resolved_here else stay.stored.get(after.family)
    if stored is None or stored.episode is None:
        return _Touched(stay, new_id(), None, after, resolved_here)
    snoozed = stored.episode.snoozed_until is not None
    return _Touched(stay, stored.alert_id, standing_of(stored.episode), after, was_snoozed=snoozed)


def _events_of(stay: StayChanges, alert_id: str, change: Change) -> list[NewEvent]:
    """What is told of a change; the end of a snooze besides, if something else ended it."""
    kinds = [(change.kind, change.transition)]
    if change.ended_snooze and change.kind != Kind.SNOOZE_ENDED:
        kinds.append((Kind.SNOOZE_ENDED, step(change.after.state, Trigger.SNOOZE_ENDS)[1]))
    return [_event_of(stay, alert_id, change, kind, transition) for kind, transition in kinds]


def _event_of(stay: StayChanges, alert_id: str, change: Change, kind: Kind, transition: str) -> NewEvent:
    return alert_event(
        kind.value,
        change.at,
        alert_id,
        stay.stay_id,
        stay.patient_id,
        change.after,
        severity_before=change.severity_before.word if change.severity_before else None,
        transition=transition,
        reason=change.reason,
        reading_id=change.reading_id,
    )


async def _link_to_previous(where: Where, touched: Iterable[_Touched]) -> None:
    """Give each new alert the latest resolved one of its stay and family; a query only when something
    opened."""
    new = [each for each in touched if each.before is None and each.previous_alert_id is None]
    if not new:
        return
    previous = await store.find_last_resolved(
        where, {(each.stay.ward_id, each.stay.stay_id, each.episode.family.value) for each in new}
    )
    for each in new:
        each.previous_alert_id = previous.get((each.stay.stay_id, each.episode.family.value))


def _update_of(alert: _Touched) -> dict[str, Any]:
    return {"ward_id": alert.stay.ward_id, "id": alert.alert_id, **store.columns_of(alert.episode)}


def _row_of(alert: _Touched) -> dict[str, Any]:
    stay, episode = alert.stay, alert.episode
    return {
        "ward_id": stay.ward_id,
        "id": alert.alert_id,
        "subject": store.subject_of(stay.stay_id),
        "stay_id": stay.stay_id,
        "patient_id": stay.patient_id,
        "family": episode.family.value,
        "channel": episode.family.channel.value,
        "first_breach_at": episode.first_breach_at,
        "opened_at": episode.opened_at,
        "previous_alert_id": alert.previous_alert_id,
        **store.columns_of(episode),
    }
