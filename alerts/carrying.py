"""A transfer: the unresolved alerts of a stay, raised again on the ward the person goes to."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.change import Change, Kind
from alerts.decide import Decisions
from alerts.episode import Episode, State
from alerts.fold import fold
from alerts.lifecycle import realarmed
from alerts.limits import HumanLimits
from alerts.reading import Reading
from alerts.record import Record
from alerts.rule import Input
from alerts.severity import Family
from alerts.transitions import Trigger, step

TRANSFERRED = "transferred"


def carry(
    start: Record,
    readings: Sequence[Reading],
    before: Mapping[Family, Episode],
    copies: Mapping[str, str],
    at: datetime,
) -> Decisions:
    """The alerts of the receiving ward from the transfer on: each episode of `before` raised anew `at` that instant,
    with that ward's limits for people, and taken by nobody.

    `start` is what was known before the copied readings, `readings` are the copies, and `copies` gives each copy's id
    by the id of the reading it was made from. The copies are judged again to find what each alert stands on. Where that
    gives a milder alert than stood on the ward left behind (an older reading counted there, or time or a person had
    raised it), the alert is carried as it stood: a transfer never lowers one."""
    folded = fold(start, readings, until=at).episodes
    episodes = {
        family: _raised_anew(_stronger(there, folded.get(family), copies), at, start.human_limits)
        for family, there in before.items()
    }
    transition = step(None, Trigger.BREACH)[1]
    changes = (
        Change(Kind.OPENED, transition, TRANSFERRED, family, at, None, episode, None)
        for family, episode in episodes.items()
    )
    return Decisions(tuple(changes), episodes)


def _stronger(there: Episode, here: Episode | None, copies: Mapping[str, str]) -> Episode:
    """The episode found again, unless the one left behind was more severe."""
    if here is not None and here.severity >= there.severity:
        return here._replace(peak_severity=max(here.peak_severity, there.peak_severity))
    waits = tuple(wait._replace(inputs=_own(wait.inputs, copies)) for wait in there.waits)
    explanation = there.explanation._replace(inputs=_own(there.explanation.inputs, copies))
    return there._replace(waits=waits, explanation=explanation)


def _own(inputs: tuple[Input, ...], copies: Mapping[str, str]) -> tuple[Input, ...]:
    """The same values, from the copies; the other ward's readings are not named here."""
    return tuple(item._replace(reading_id=copies.get(item.reading_id) if item.reading_id else None) for item in inputs)


def _raised_anew(episode: Episode, at: datetime, limits: HumanLimits) -> Episode:
    fresh = episode._replace(state=State.OPEN, opened_at=at, escalation_level=0, version=1)
    return realarmed(fresh, at, limits)
