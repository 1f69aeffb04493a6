"""Snoozing: somebody has looked and wants to be left alone with it for a while. The alert stays in its place in the
queue and its limits go on; whatever is new ends the snooze.

All times are a design decision, need CSO sign-off."""

from datetime import datetime, timedelta

from alerts.episode import Episode
from alerts.severity import Severity
from alerts.transitions import Trigger, step

LONGEST = {
    Severity.HIGH: timedelta(minutes=60),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=12),
}


class SnoozeForbidden(Exception):
    """A critical alert and silent hypoxia are never snoozed."""


class SnoozeTooLong(Exception):
    """That is longer than an alert of this severity may be snoozed: `longest`."""

    def __init__(self, longest: timedelta) -> None:
        self.longest = longest
        super().__init__(f"at most {longest}")


def snooze(episode: Episode, at: datetime, until: datetime) -> Episode:
    """The episode snoozed; a new snooze replaces the one before. It changes no order and no limit.

    Raises IllegalTransition once resolved, SnoozeForbidden, SnoozeTooLong."""
    step(episode.state, Trigger.SNOOZE)
    if episode.snooze_forbidden:
        raise SnoozeForbidden
    longest = LONGEST[episode.severity]
    if until - at > longest:
        raise SnoozeTooLong(longest)
    return episode._replace(snoozed_until=until, snoozed_spo2=shown_spo2(episode), version=episode.version + 1)


def wake(episode: Episode) -> Episode:
    """The snooze is over, by its time or because something is new; one that is not snoozed stays as it is. Raises
    IllegalTransition once resolved."""
    if episode.snoozed_until is None:
        return episode
    step(episode.state, Trigger.SNOOZE_ENDS)
    return episode._replace(snoozed_until=None, snoozed_spo2=None, version=episode.version + 1)


def breaks_snooze(before: Episode, after: Episode) -> bool:
    """Is what is known now new to whoever snoozed it: worse, confirmed, another rule, or a value one point lower?"""
    if before.snoozed_until is None:
        return False
    lowest, shown = before.snoozed_spo2, shown_spo2(after)
    return (
        after.severity > before.severity
        or (after.confirmed and not before.confirmed)
        or {trace.key for trace in after.traces} != {trace.key for trace in before.traces}
        or (lowest is not None and shown is not None and shown <= lowest - 1)
    )


def shown_spo2(episode: Episode) -> int | None:
    """The judged SpO2 (percent) that the alert stands on, or None when it is about something else."""
    values = [item.value for item in episode.explanation.inputs if item.name == "spo2"]
    return int(values[0]) if values and isinstance(values[0], int | float) else None
