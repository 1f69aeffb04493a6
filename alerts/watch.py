"""What the clock over a stay has to remember between two looks: the little that neither the plan nor the readings
tell."""

from datetime import datetime
from typing import Any, NamedTuple


class Watch(NamedTuple):
    """The watch over one stay, kept on its row.

    `slots_from`: earlier reading slots do not exist; it moves to the end of a pause and to a change of the reading
    times. `silent_from`: the clock for "nothing valid" starts here unless a later value is known; it moves to the end
    of a pause, and to the last valid value that was known at a look. `planned_at`: since when the plan is in force.
    `told`: the gaps of this plan that were raised already. `due_at`: everything before it has been applied and nothing
    is due before it, so no look is needed until then; it may be too early, never too late, and None is never.
    `paused_until` and `plan_version`: the pause and the plan it last knew of.
    """

    admitted_at: datetime
    slots_from: datetime
    silent_from: datetime
    planned_at: datetime
    due_at: datetime | None
    told: tuple[str, ...] = ()
    paused_until: datetime | None = None
    plan_version: int = 1

    def restarted(self, at: datetime) -> "Watch":
        """A pause has ended: the clock starts again, as at admission."""
        slots_from, silent_from = max(self.slots_from, at), max(self.silent_from, at)
        return self._replace(slots_from=slots_from, silent_from=silent_from, paused_until=None)


_TIMES = ("admitted_at", "slots_from", "silent_from", "planned_at")
_PERHAPS = ("due_at", "paused_until")


def begin_watch(admitted_at: datetime, since: datetime | None = None) -> Watch:
    """The watch over a stay that begins: the clock starts at admission, or `since` an instant after it (a stay that was
    not watched before), and it has to be looked at at once."""
    start = since or admitted_at
    return Watch(admitted_at=admitted_at, slots_from=start, silent_from=start, planned_at=start, due_at=start)


def dump_watch(watch: Watch) -> dict[str, Any]:
    """Only dict, list, str, int and None; times in ISO 8601 with their offset."""
    times = {name: getattr(watch, name) for name in (*_TIMES, *_PERHAPS)}
    written = {name: None if at is None else at.isoformat() for name, at in times.items()}
    return {**written, "told": list(watch.told), "plan_version": watch.plan_version}


def load_watch(data: dict[str, Any]) -> Watch:
    """The watch that `dump_watch` wrote. Raises KeyError or ValueError for anything else."""
    times = {name: datetime.fromisoformat(data[name]) for name in _TIMES}
    perhaps: dict[str, Any] = {name: datetime.fromisoformat(data[name]) if data[name] else None for name in _PERHAPS}
    return Watch(**times, **perhaps, told=tuple(data["told"]), plan_version=data["plan_version"])
