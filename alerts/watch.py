"""What the clock over a stay has to remember between two looks: the little that neither the plan nor the readings
tell."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The watch over one stay, kept on its row.

    `slots_from`: earlier reading slots do not exist; it moves to the end of a pause and to a change of the reading
    times. `silent_from`: the clock for "nothing valid" starts here unless a later value is known; it moves to the end
    of a pause. `planned_at`: since when the plan is in force. `told`: the gaps of this plan that were raised already.
    `due_at`: everything before it has been applied and nothing is due before it, so no look is needed until then; it
    may be too early, never too late, and None is never.
    """

    admitted_at: datetime
    slots_from: datetime
    silent_from: datetime
    planned_at: datetime
    due_at: datetime | None
    told: tuple[str, ...] = ()

    def restarted(self, at: datetime) -> "Watch":
        """A pause has ended: the clock starts again, as at admission."""
        return replace(self, slots_from=max(self.slots_from, at), silent_from=max(self.silent_from, at))


_TIMES = ("admitted_at", "slots_from", "silent_from", "planned_at")


def begin_watch(admitted_at: datetime) -> Watch:
    """The watch over a stay that begins: the clock starts at admission, and it has to be looked at at once."""
    start = admitted_at
    return Watch(admitted_at=start, slots_from=start, silent_from=start, planned_at=start, due_at=start)


def dump_watch(watch: Watch) -> dict[str, Any]:
    """Only dict, list, str and None; times in ISO 8601 with their offset."""
    times = {name: getattr(watch, name).isoformat() for name in _TIMES}
    due_at = None if watch.due_at is None else watch.due_at.isoformat()
    return {**times, "due_at": due_at, "told": list(watch.told)}


def load_watch(data: dict[str, Any]) -> Watch:
    """The watch that `dump_watch` wrote. Raises KeyError or ValueError for anything else."""
    due_at = None if data["due_at"] is None else datetime.fromisoformat(data["due_at"])
    times = {name: datetime.fromisoformat(data[name]) for name in _TIMES}
    return Watch(**times, due_at=due_at, told=tuple(data["told"]))
