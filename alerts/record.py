"""What is known of a stay when something arrives, and what it is worth afterwards."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from alerts.change import Change, Reminder
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.limits import DAILY, HumanLimits, ServiceHours
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Family
from alerts.watch import Watch

_NONE: Mapping[Family, Episode] = MappingProxyType({})


class Record(NamedTuple):
    """What is known of a stay before something arrives.

    `window`: readings already judged, in any order, at least the 48 h before the oldest arrival.
    `newest_observed_at` and `newest_resting_at` (the newest that counts as a resting SpO2) need saying only
    if they lie outside it. `episodes`: the unresolved ones. `plan`: the one in force; one that cannot be
    read is `Plan()`. `sixteen_on`: the sixteenth birthday, None for adults. `recent_refusals`: when
    readings were refused. `rule_set`: the one that is live on the ward.

    `watch` (kept on the stay's row): without one nobody looks for readings that do not come, nor at the plan. What it
    needs besides, it finds in the plan, the zone of `service_hours` and the window, which must reach back 48 h, and
    33 h before the watch's `due_at`.
    """

    plan: Plan = Plan()
    window: tuple[Reading, ...] = ()
    newest_observed_at: datetime | None = None
    newest_resting_at: datetime | None = None
    episodes: Mapping[Family, Episode] = _NONE
    service_hours: ServiceHours = DAILY
    sixteen_on: date | None = None
    recent_refusals: tuple[datetime, ...] = ()
    watch: Watch | None = None
    rule_set: RuleSet = DEFAULT

    @property
    def human_limits(self) -> HumanLimits:
        """What the limits for people follow from."""
        return HumanLimits(self.rule_set.responses, self.service_hours)


class Judgement(NamedTuple):
    """`evaluations` in the order the arrivals were given; `changes` in the order they happened; `record` is
    what is known now, its `episodes` the unresolved ones; `reminders`: readings the person is asked for."""

    evaluations: tuple[Evaluation, ...]
    changes: tuple[Change, ...]
    record: Record
    reminders: tuple[Reminder, ...] = ()

    @property
    def episodes(self) -> Mapping[Family, Episode]:
        """The unresolved episodes afterwards."""
        return self.record.episodes

    def touched(self, before: Record) -> tuple[Family, ...]:
        """Families whose episode is not as it was, so that its machine part must be written."""
        now, then = self.record.episodes, before.episodes
        return tuple(family for family in {**then, **now} if now.get(family) is not then.get(family))
