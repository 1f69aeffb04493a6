"""What the clock over a stay has to remember between two looks: the little that neither the plan nor the readings
tell."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from alerts.limits import USUAL_RESPONSES, Response, Responses


class WatchLimits(NamedTuple):
    """How long a watch waits; a rule set may say otherwise (design decisions, need CSO sign-off).

    A reading slot can be filled so long `before` its time and `until` so long after it; `remind_after` its time the
    person is reminded, and it counts for whoever has something to worry about. Nothing valid for `silent_at_least`, and
    for `silent_gaps` times the plan's longest gap, is urgent. `baseline_within`: how long after admission the usual
    SpO2 may be unknown."""

    before: timedelta = timedelta(hours=2)
    remind_after: timedelta = timedelta(hours=1)
    until: timedelta = timedelta(hours=4)
    silent_at_least: timedelta = timedelta(hours=24)
    silent_gaps: float = 1.5
    baseline_within: timedelta = timedelta(hours=48)


USUAL = WatchLimits()


class Watch(NamedTuple):
    """The watch over one stay, kept on its row.

    `slots_from`: earlier reading slots do not exist; it moves to the end of a pause and to a change of the reading
    times. `silent_from`: the clock for "nothing valid" starts here unless a later value is known; it moves to the end
    of a pause, and to the last valid value that was known at a look. `planned_at`: since when the plan is in force.
    `told`: the gaps of this plan that were raised already. `due_at`: everything before it has been applied and nothing
    is due before it, so no look is needed until then; it may be too early, never too late, and None is never.
    `paused_until` and `plan_version`: the pause and the plan it last knew of. `limits`: those it last went by, None
    before the first look. `responses`: how long people had when it last looked.
    """

    admitted_at: datetime
    slots_from: datetime
    silent_from: datetime
    planned_at: datetime
    due_at: datetime | None
    told: tuple[str, ...] = ()
    paused_until: datetime | None = None
    plan_version: int = 1
    limits: WatchLimits | None = None
    responses: Responses = USUAL_RESPONSES

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
    limits = None if watch.limits is None else [_plain(each) for each in watch.limits]
    usual = watch.responses == USUAL_RESPONSES
    own = None if usual else [[each and _plain(each) for each in one] for one in watch.responses]
    more = {"told": list(watch.told), "plan_version": watch.plan_version, "limits": limits, "responses": own}
    return {**written, **more}


def load_watch(data: dict[str, Any]) -> Watch:
    """The watch that `dump_watch` wrote. Raises KeyError or ValueError for anything else."""
    times: dict[str, Any] = {name: datetime.fromisoformat(data[name]) for name in _TIMES}
    perhaps: dict[str, Any] = {name: datetime.fromisoformat(data[name]) if data[name] else None for name in _PERHAPS}
    watch = Watch(**times, **perhaps, told=tuple(data["told"]), plan_version=data["plan_version"])
    if data.get("limits"):
        watch = watch._replace(limits=_limits(data["limits"]))
    return watch._replace(responses=_responses(data["responses"])) if data.get("responses") else watch


_MINUTE = timedelta(minutes=1)


def _plain(limit: timedelta | float) -> float:
    return limit // _MINUTE if isinstance(limit, timedelta) else limit


def _limits(data: list[float]) -> WatchLimits:
    before, remind_after, until, silent, gaps, baseline = data
    limits = WatchLimits(
        before * _MINUTE, remind_after * _MINUTE, until * _MINUTE, silent * _MINUTE, gaps, baseline * _MINUTE
    )
    # The one object that most stays share compares in no time.
    return USUAL if limits == USUAL else limits


def _responses(data: list[tuple[int, int | None, int]]) -> Responses:
    return Responses(*(_response(*one) for one in data))


def _response(acknowledge: int, contact: int | None, expires: int) -> Response:
    return Response(acknowledge * _MINUTE, None if contact is None else contact * _MINUTE, expires * _MINUTE)
