"""Which work of the service is not being done, told from the signs of life of all replicas. Real time."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from alerts.ward import DEGRADED_AFTER
from service.storage.heartbeats import Beat

WATCHDOG = "watchdog"
INTAKE = "intake"
"""Each replica's own: another one's does not take its place."""


def late_work(beats: Iterable[Beat], shared: Sequence[str], since: datetime, now: datetime) -> tuple[str, ...]:
    """The kinds of work that are late, in order of their names.

    `shared` are those that any replica does for all. Work that gave no sign of life yet is given its time from `since`,
    when the watching began. A replica whose watchdog is silent too is gone: its intake is not late."""
    known = list(beats)
    newest: dict[str, datetime] = {}
    for each in known:
        newest[each.kind] = max(each.at, newest.get(each.kind, each.at))
    present = {each.replica_id for each in known if each.kind == WATCHDOG and now - each.at <= DEGRADED_AFTER}
    late = {kind for kind in shared if now - max(newest.get(kind, since), since) > DEGRADED_AFTER}
    for each in known:
        if each.kind == INTAKE and each.replica_id in present and now - max(each.at, since) > DEGRADED_AFTER:
            late.add(INTAKE)
    return tuple(sorted(late))


def recovered(beats: Iterable[Beat], shared: Sequence[str], now: datetime) -> bool:
    """Whether everything shared gave a sign of life lately: not only that nothing is known to be late."""
    fresh = {each.kind for each in beats if now - each.at <= DEGRADED_AFTER}
    return fresh.issuperset(shared)
