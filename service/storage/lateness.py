"""Which work of the service is not being done, told from the signs of life of all replicas. Real time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from service.storage.heartbeats import Beat

LATE_AFTER = timedelta(minutes=5)
"""CLINICAL.md §11, R17 (design decision, needs CSO sign-off)."""

WATCHDOG = "watchdog"
INTAKE = "intake"
"""Each replica's own: another one's does not take its place."""


def late_work(beats: Iterable[Beat], shared: Sequence[str], since: datetime, now: datetime) -> tuple[str, ...]:
    """The kinds of work that are late, in order of their names.

    `shared` are those that any replica does for all. What gave no sign of life yet has time from `since`, when the
    watching began. A replica whose watchdog is silent too is gone, and its intake is nobody's."""
    known = list(beats)
    newest: dict[str, datetime] = {}
    for each in known:
        newest[each.kind] = max(each.at, newest.get(each.kind, each.at))
    present = {each.replica_id for each in known if each.kind == WATCHDOG and now - each.at <= LATE_AFTER}
    late = {kind for kind in shared if now - max(newest.get(kind, since), since) > LATE_AFTER}
    for each in known:
        if each.kind == INTAKE and each.replica_id in present and now - max(each.at, since) > LATE_AFTER:
            late.add(INTAKE)
    return tuple(sorted(late))


def recovered(beats: Iterable[Beat], shared: Sequence[str], now: datetime) -> bool:
    """Whether everything shared gave a sign of life lately: not only that nothing is known to be late."""
    fresh = {each.kind for each in beats if now - each.at <= LATE_AFTER}
    return fresh.issuperset(shared)
