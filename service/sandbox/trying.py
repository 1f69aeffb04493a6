"""Rule sets tried on many stays, several processors at a time; the same result whatever their number."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from alerts.figures import Lived
from alerts.limits import ServiceHours
from alerts.record import Record
from alerts.replay import Team, replay
from alerts.rule_set import RuleSet
from alerts.watch import begin_watch
from service.sandbox.home import ZONE, AtHome, Home, make_stay
from service.sandbox.kinds import Kind
from service.sandbox.stays import Recorded, Tape

TEAM = Team()
STAYS_AT_A_TIME = 8

Job = TypeVar("Job")
Made = TypeVar("Made")
Moved = Callable[[int], None]
"""Told how many stays more are done."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """One stay yet to be lived."""

    home: Home
    kind: Kind
    index: int


@dataclass(frozen=True, slots=True)
class Written:
    """A simulated stay as it was lived, with what was sent: instants of receipt and bodies."""

    stay_id: str
    plan: dict[str, Any]
    lived: Lived
    true_spo2: list[float]
    sent: list[tuple[Any, dict[str, Any]]]


def simulations(home: Home) -> list[Simulation]:
    """The stays of a ward to be lived."""
    return [Simulation(home, kind, index) for index, kind in enumerate(home.kinds())]


def try_simulated(rule_sets: Sequence[RuleSet], job: Simulation) -> tuple[Lived, ...]:
    """The stay lived anew under each rule set: the same person with the same course and the same planned
    measurements; rechecks and answers as each rule set asks for them."""
    return tuple(_live(make_stay(job.home, job.kind, job.index), rule_set) for rule_set in rule_sets)


def try_recorded(rule_sets: Sequence[RuleSet], job: Recorded) -> tuple[Lived, ...]:
    """The recorded stay as it went, judged under each rule set."""
    start = Record(
        plan=job.plan,
        service_hours=ServiceHours(zone=job.zone),
        sixteen_on=job.sixteen_on,
        watch=begin_watch(job.from_at) if job.watched else None,
    )
    made = (replay(Tape(job.arrivals), start._replace(rule_set=each), TEAM, job.until) for each in rule_sets)
    return tuple(Lived(job.stay_id, job.from_at, job.until, each, job.truth) for each in made)


def write_down(rule_set: RuleSet, job: Simulation) -> Written:
    """The stay lived under a rule set, with everything that was sent until its end."""
    made = make_stay(job.home, job.kind, job.index)
    lived = _live(made, rule_set)
    sent = [(at, dict(body)) for at, body in made.stay.sent if at <= made.until]
    return Written(made.stay_id, made.stay.patient.plan, lived, made.true_spo2(), sent)


def on_all(work: Callable[[Job], Made], jobs: Sequence[Job], processes: int, moved: Moved) -> list[Made]:
    """Do the work for every job, in the order of the jobs. `work` is a function that can be sent to a process."""
    made = []
    with _mapping(processes) as spread:
        for each in spread(work, jobs):
            made.append(each)
            moved(1)
    return made


def trial(rule_sets: Sequence[RuleSet], simulated: bool) -> Callable[[Any], tuple[Lived, ...]]:
    """What to do with each job of a replay."""
    return partial(try_simulated if simulated else try_recorded, tuple(rule_sets))


@contextmanager
def _mapping(processes: int) -> Iterator[Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]]:
    if processes == 1:
        yield map
        return
    with ProcessPoolExecutor(processes) as pool:
        yield partial(pool.map, chunksize=STAYS_AT_A_TIME)


def _live(made: AtHome, rule_set: RuleSet) -> Lived:
    start = Record(
        plan=made.stay.plan,
        service_hours=ServiceHours(zone=ZONE),
        rule_set=rule_set,
        watch=begin_watch(made.from_at),
    )
    return Lived(made.stay_id, made.from_at, made.until, replay(made.stay, start, TEAM, made.until), made.truth)
