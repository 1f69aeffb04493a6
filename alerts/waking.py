"""What ends every snooze of a stay at once, whatever the families: a reading that did not come."""

from collections.abc import Mapping
from datetime import datetime

from alerts.change import Change, Kind
from alerts.decide import Decisions
from alerts.episode import Episode
from alerts.severity import Family
from alerts.snoozing import wake
from alerts.transitions import Trigger, step


def wake_all(episodes: Mapping[Family, Episode], at: datetime, reason: str) -> Decisions:
    """The unresolved episodes of a stay with no snooze left, and a change for each that was snoozed."""
    after, changes = dict(episodes), list[Change]()
    for family, before in episodes.items():
        if before.snoozed_until is None:
            continue
        after[family] = wake(before)
        transition = step(before.state, Trigger.SNOOZE_ENDS)[1]
        changes.append(Change(Kind.SNOOZE_ENDED, transition, reason, family, at, before, after[family], None))
    return Decisions(tuple(changes), after)
