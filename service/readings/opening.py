"""The case of a stay before anything arrived."""

from collections.abc import Sequence
from datetime import datetime

from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from alerts.watch import Watch
from service.cover.inforce import Cover
from service.queue.raising import Unresolved
from service.readings.judging import StayCase
from service.readings.store import LockedStay
from service.rules.live import DEFAULT_RULES, WardRules


def open_case(
    stay: LockedStay,
    plan: Plan | None,
    cover: Cover,
    watched: tuple[Watch, Plan | None],
    window: Sequence[Reading],
    stored: Unresolved,
    refusals: Sequence[datetime],
    rules: WardRules = DEFAULT_RULES,
) -> StayCase:
    """The case of a stay before anything arrived. `watched`: the watch over it, and the plan it knew last."""
    watch, known = watched
    record = Record(
        plan=known or plan or Plan(),
        watch=watch,
        window=tuple(window),
        episodes={family: alert.episode for family, alert in stored.items() if alert.episode is not None},
        service_hours=cover.hours,
        sixteen_on=stay.sixteen_on,
        recent_refusals=tuple(refusals),
        rule_set=rules.live,
    )
    last = max([reading.received_at for reading in window], default=None)
    return StayCase(stay, plan, cover, record, watch, stored, last, rules)
