"""What the limits set for people bring about when nobody keeps them: the next step of the ward's policy, an
acknowledgement that ends, a snooze that ends, and the warning that nobody is on duty.

Each thing happens once and in order, however long nobody looked. All times are a design decision, need CSO sign-off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.episode import Episode, Escalation, State
from alerts.lifecycle import escalate, expire
from alerts.limits import HumanLimits, after_limit, repeat_after
from alerts.policy import Policy
from alerts.severity import Severity
from alerts.snoozing import wake
from alerts.transitions import Trigger, step

COVER_FROM = Severity.HIGH
"""From this severity on somebody has to be on duty when the alert comes, not only when its limit passes."""


class What(StrEnum):
    """What a limit brought about."""

    ESCALATED = "escalated"
    UNCOVERED = "uncovered"
    ACK_EXPIRED = "ack_expired"
    SNOOZE_ENDED = "snooze_ended"


@dataclass(frozen=True, slots=True)
class Passed:
    """One thing that happened `at` an instant; `after` is the episode then. `step`: the number of the policy's step
    that is taken by it, None when nobody is told."""

    what: What
    at: datetime
    transition: str | None
    reason: str
    step: int | None
    after: Episode


@dataclass(frozen=True, slots=True)
class Ward:
    """What the ward says about its people: how long they have, whom it tells, and whether anybody is on duty at an
    instant."""

    limits: HumanLimits
    policy: Policy
    watched: Callable[[datetime], bool]


def limit_at(episode: Episode) -> datetime | None:
    """When the next limit for people passes, which may be in the past; None when there is no limit."""
    if not episode.unresolved:
        return None
    if _cover_unknown(episode):
        return episode.opened_at
    ends = (_next_step_at(episode), episode.ack_expires_at, episode.snoozed_until)
    return min([at for at in ends if at is not None], default=None)


def pass_limits(episode: Episode, now: datetime, ward: Ward) -> tuple[Episode, tuple[Passed, ...]]:
    """The episode after everything that its limits brought about up to and including `now`."""
    happened: list[Passed] = []
    while episode.unresolved:
        if _cover_unknown(episode):
            episode, passed = _ask_for_cover(episode, happened[-1].at if happened else now, ward)
            happened += passed
        due = limit_at(episode)
        if due is None or due > now:
            break
        episode, passed = _pass_one(episode, due, now, ward)
        happened += passed
    return episode, tuple(happened)


def _cover_unknown(episode: Episode) -> bool:
    """A new limit runs for something urgent, and nobody has looked whether anybody is there to keep it."""
    limit = episode.respond_by
    waits = episode.state == State.OPEN and episode.severity >= COVER_FROM
    return waits and limit is not None and episode.escalation.cover_for != limit


def _ask_for_cover(episode: Episode, at: datetime, ward: Ward) -> tuple[Episode, list[Passed]]:
    """Look whether anybody is on duty, now that the alert has come. If its limit has passed already nothing is told
    here: the first step of the policy tells it."""
    limit = episode.respond_by
    missing = limit is not None and at < limit and not ward.watched(at)
    after = episode._replace(escalation=episode.escalation._replace(cover_for=limit, uncovered=missing))
    return after, [_uncovered(after, at, ward.policy.uncovered())] if missing else []


def _uncovered(episode: Episode, at: datetime, number: int | None) -> Passed:
    return Passed(What.UNCOVERED, at, None, "nobody is on duty", number, episode)


def _next_step_at(episode: Episode) -> datetime | None:
    """When the next step is taken: the limit itself until that has been looked at."""
    begun = episode.escalation.limit == episode.respond_by
    return episode.escalation.next_at if begun else episode.respond_by


def _pass_one(episode: Episode, due: datetime, now: datetime, ward: Ward) -> tuple[Episode, list[Passed]]:
    if episode.snoozed_until == due:
        _, transition = step(episode.state, Trigger.SNOOZE_ENDS)
        after = wake(episode)
        return after, [Passed(What.SNOOZE_ENDED, due, transition, "its time is over", None, after)]
    if episode.ack_expires_at == due:
        _, transition = step(episode.state, Trigger.ACK_EXPIRES)
        after = expire(episode, due, ward.limits)
        return after, [Passed(What.ACK_EXPIRED, due, transition, "no contact was recorded in time", None, after)]
    begun = episode.escalation.limit == episode.respond_by
    if not begun:
        first = _step_at(episode, due, due, 0, ward)
        steps = episode.escalation._replace(limit=due, steps=0, next_at=first)
        return episode._replace(escalation=steps), []
    return _take_step(episode, due, now, ward)


def _take_step(episode: Episode, due: datetime, now: datetime, ward: Ward) -> tuple[Episode, list[Passed]]:
    """Take the next step of the policy, one level up; with nobody on duty, the out-of-hours step. The last step repeats
    without raising the level, and repeats that fell due while nothing looked are taken as one."""
    taken, limit = episode.escalation.steps, episode.escalation.limit or due
    later = _step_at(episode, limit, due, taken + 1, ward)
    last = len(ward.policy.steps) - 1
    while taken > last and later <= now:
        taken, due = taken + 1, later
        later = _step_at(episode, limit, due, taken + 1, ward)
    watched = ward.watched(due)
    number = min(taken, last) if watched else ward.policy.uncovered()
    _, transition = step(episode.state, Trigger.ESCALATE)
    reason = "no contact in time" if episode.state == State.ACKNOWLEDGED else "not acknowledged in time"
    told = episode.escalation.uncovered and episode.escalation.cover_for == limit
    steps = Escalation(limit=limit, steps=taken + 1, next_at=later, cover_for=limit, uncovered=not watched)
    after = (escalate(episode) if taken <= last else episode)._replace(escalation=steps)
    passed = [Passed(What.ESCALATED, due, transition, reason, number, after)]
    if not watched and not told:
        passed.insert(0, _uncovered(after, due, None))
    return after, passed


def _step_at(episode: Episode, limit: datetime, before: datetime, number: int, ward: Ward) -> datetime:
    """When step `number` is taken. Beyond the last one the steps repeat, each a fixed time after the one taken at
    `before`."""
    steps, hours = ward.policy.steps, ward.limits.hours
    if number < len(steps):
        within = timedelta(minutes=steps[number].after_minutes)
        return after_limit(episode.family, episode.severity, limit, within, hours)
    again = repeat_after(episode.family, episode.severity, ward.limits)
    return after_limit(episode.family, episode.severity, before, again, hours)
