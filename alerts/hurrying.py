"""What a ward's shorter limits for people do to alerts that stand: those that nobody has taken are due sooner. None is
put off, and what somebody has taken keeps the limits that were shown."""

from datetime import datetime

from alerts.change import Change, Kind
from alerts.episode import Episode, State
from alerts.lifecycle import hurried
from alerts.limits import HumanLimits
from alerts.record import Judgement
from alerts.transitions import Trigger, step
from alerts.watch import Watch

REASON = "the ward gives people less time"
_UNTAKEN = (State.OPEN, State.RECOVERED)


def hurry(passed: Judgement, watch: Watch, now: datetime) -> Judgement:
    """The ward's limits for people have changed since the watch last looked: the judgement with a change for each alert
    that is due sooner now."""
    record, changes = passed.record, list(passed.changes)
    episodes = dict(record.episodes)
    for family, before in record.episodes.items():
        after = episodes[family] = _sooner(before, now, record.human_limits)
        if after is not before:
            transition = step(before.state, Trigger.HURRY)[1]
            changes.append(Change(Kind.UPDATED, transition, REASON, family, now, before, after, None))
    watch = (record.watch or watch)._replace(responses=record.rule_set.responses)
    return passed._replace(changes=tuple(changes), record=record._replace(watch=watch, episodes=episodes))


def _sooner(before: Episode, at: datetime, limits: HumanLimits) -> Episode:
    """The episode with the new limits where they are sooner; the same object where none is. Whether anybody is on duty
    is not asked a second time."""
    after = hurried(before, at, limits) if before.state in _UNTAKEN else before
    if (after.respond_by, after.contact_due_at) == (before.respond_by, before.contact_due_at):
        return before
    if before.escalation.cover_for != before.respond_by:
        return after
    return after._replace(escalation=before.escalation._replace(cover_for=after.respond_by))
