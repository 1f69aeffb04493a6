"""Readings that did not come (R14): a reminder, then an alert, then an urgent one.

All times are a design decision, need CSO sign-off; no national limit was found."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.case import judged
from alerts.change import Reminder
from alerts.reading import Reading
from alerts.record import Record
from alerts.rule import Finding, Input, Limit
from alerts.rules.absence import MISSED_READING
from alerts.severity import Family, Severity
from alerts.slots import is_filled, longest_gap, slots_between
from alerts.watch import Watch, WatchLimits

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


class SlotDue(NamedTuple):
    """A slot has its first (`missed` False) or its last limit `at` an instant."""

    at: datetime
    slot: datetime
    missed: bool


class SilenceDue(NamedTuple):
    """Nothing valid has come since an instant: `at` is once, twice or more times the longest allowed `limit` after
    it."""

    at: datetime
    since: datetime
    limit: timedelta


MissedDue = SlotDue | SilenceDue


def missed_between(record: Record, watch: Watch, start: datetime, end: datetime) -> Iterator[MissedDue]:
    """Every limit of a reading slot and of the silence from `start` to `end`, both included. A slot that is filled has
    none; nor has a stay that is paused or whose plan asks for no readings."""
    times, zone = record.plan.reading_times, record.service_hours.zone
    if not times or watch.paused_until is not None:
        return
    valid, limits = _valid(record), limits_of(record, watch)
    remind_after, until = limits.remind_after, limits.until
    for slot in slots_between(times, zone, max(watch.slots_from, start - until), end - remind_after):
        if not is_filled(slot, times, zone, watch.slots_from, valid, limits):
            ends = ((slot + remind_after, False), (slot + until, True))
            yield from (SlotDue(at, slot, missed) for at, missed in ends if start <= at <= end)
    limit = _silent_after(limits.silent_at_least, limits.silent_gaps, times)
    since = _last_of(valid, record, watch)
    at = since + limit * max(1, ceil((start - since) / limit))
    while at <= end:
        yield SilenceDue(at, since, limit)
        at += limit


def overtaken(record: Record, watch: Watch, before: WatchLimits, now: datetime) -> Iterator[MissedDue]:
    """What new limits make due `now`: what by them has passed already, and by those `before` was still to come. A
    longer limit makes nothing due."""
    times, zone = record.plan.reading_times, record.service_hours.zone
    if not times or watch.paused_until is not None:
        return
    valid, limits = _valid(record), limits_of(record, watch)
    for slot in slots_between(times, zone, max(watch.slots_from, now - before.until), now):
        if not is_filled(slot, times, zone, watch.slots_from, valid, limits):
            if slot + limits.remind_after <= now < slot + before.remind_after:
                yield SlotDue(now, slot, missed=False)
            if slot + limits.until <= now < slot + before.until:
                yield SlotDue(now, slot, missed=True)
    since, limit = _last_of(valid, record, watch), _silent_after(limits.silent_at_least, limits.silent_gaps, times)
    if since + limit <= now < since + _silent_after(before.silent_at_least, before.silent_gaps, times):
        yield SilenceDue(now, since, limit)


def unreminded(without: Record, watch: Watch, wrong: Reading, at: datetime) -> tuple[Reminder, ...]:
    """The reminders the person would have got by `at` had a wrong reading never come: for slots that it alone filled,
    and that can still be filled. `without` knows everything but that reading; `watch` is the one that counted it. Slots
    that the watch has not looked at yet are left out: it will find them empty by itself."""
    times, zone, limits = without.plan.reading_times, without.service_hours.zone, limits_of(without, watch)
    known, looked_until = (*_valid(without), wrong), watch.due_at or at
    return tuple(
        Reminder(due.slot, at, due.slot + limits.until)
        for due in missed_between(without, watch, at - limits.until, at)
        if isinstance(due, SlotDue)
        and not due.missed
        and wrong.received_at < due.at < looked_until
        and at < due.slot + limits.until
        and is_filled(due.slot, times, zone, watch.slots_from, known, limits)
    )


def limits_of(record: Record, watch: Watch) -> WatchLimits:
    """The limits by which the watch goes: those of the rule set when nobody has looked yet."""
    return watch.limits or record.rule_set.watch


@lru_cache(maxsize=256)
def _silent_after(at_least: timedelta, gaps: float, times: tuple[str, ...]) -> timedelta:
    """How long nothing valid may come under a plan with these reading times, at least one."""
    return max(at_least, gaps * longest_gap(times))


def finding_of(record: Record, watch: Watch, due: MissedDue) -> Finding | None:
    """What a limit that passes with nothing valid amounts to; None when it is only time to remind."""
    if isinstance(due, SilenceDue):
        return _silent(record, due)
    if due.missed:
        return None if _counted(record, due.slot) else _missed(record, watch, due, Severity.LOW)
    worry = _worry(record)
    if worry is not None:
        return _missed(record, watch, due, Severity.HIGH, (worry,))
    before = _slot_before(record, watch, due.slot)
    if before is None or _standing(record):
        return None
    times, zone = record.plan.reading_times, record.service_hours.zone
    if is_filled(before, times, zone, watch.slots_from, _valid(record), limits_of(record, watch)):
        return None
    in_a_row = Input("in_a_row", 2, "", None, before)
    return _missed(record, watch, due, Severity.LOW, (in_a_row,))


def _silent(record: Record, due: SilenceDue) -> Finding | None:
    if _standing(record, Severity.HIGH):
        return None
    hours = (due.at - due.since) / _HOUR
    since = due.since.astimezone(ZoneInfo(record.service_hours.zone)).strftime("%H:%M on %d %B")
    inputs = (Input("silent_for", hours, "h", None, due.since), Input("since", since, "", None, due.since))
    limits = (Limit("silent_at_most", due.limit / _HOUR, "h"),)
    return _finding(record, Severity.HIGH, inputs, limits)


def _missed(record: Record, watch: Watch, due: SlotDue, severity: Severity, more: tuple[Input, ...] = ()) -> Finding:
    at = due.slot.astimezone(ZoneInfo(record.service_hours.zone)).strftime("%H:%M")
    hours = (due.at - due.slot) / _HOUR
    inputs = (Input("slot", at, "", None, due.slot), Input("empty_for", hours, "h", None, due.slot), *more)
    return _finding(record, severity, inputs, (Limit("fills_until", limits_of(record, watch).until / _HOUR, "h"),))


def _finding(record: Record, severity: Severity, inputs: tuple[Input, ...], limits: tuple[Limit, ...]) -> Finding:
    rule, version = MISSED_READING, record.rule_set.version
    return Finding(rule, rule.family, severity, None, inputs, limits, rule_set_version=version)


def _worry(record: Record) -> Input | None:
    """Why a slot that is only an hour late is urgent already, if it is: a low value nobody has seen the end of."""
    alert = record.episodes.get(Family.OXYGEN)
    if alert is not None and alert.recovered_at is None:
        return Input("open_alert", alert.title, "", None, alert.last_breach_at)
    last = max(_valid(record), key=_observed, default=None)
    if last is None:
        return None
    level = judged(last, record.plan)
    if level > record.rule_set.limits(record.plan).amber_at:
        return None
    return Input("last_spo2", level, "%", last.id, last.observed_at)


def _standing(record: Record, severity: Severity = Severity.LOW) -> bool:
    """Does R14 stand already, at least so severe, with nothing valid since?"""
    alert = record.episodes.get(Family.MISSED_READING)
    return alert is not None and alert.recovered_at is None and alert.severity >= severity


def _counted(record: Record, slot: datetime) -> bool:
    """Is this slot, or something later, already part of the alert that stands?"""
    return _standing(record) and record.episodes[Family.MISSED_READING].last_breach_at >= slot


def _slot_before(record: Record, watch: Watch, slot: datetime) -> datetime | None:
    """The slot before this one, no more than a day (and the hour of a clock change) away."""
    times, zone = record.plan.reading_times, record.service_hours.zone
    earlier = slots_between(times, zone, max(watch.slots_from, slot - _DAY - _HOUR), slot)
    return earlier[-2] if len(earlier) > 1 else None


def last_valid_at(record: Record, watch: Watch) -> datetime:
    """Since when the silence counts: the newest valid value, else the start of the clock."""
    return _last_of(_valid(record), record, watch)


def _last_of(valid: Sequence[Reading], record: Record, watch: Watch) -> datetime:
    known = [watch.silent_from, *[reading.observed_at for reading in valid]]
    return max(known) if record.newest_resting_at is None else max(*known, record.newest_resting_at)


def _valid(record: Record) -> list[Reading]:
    return [reading for reading in record.window if reading.counts_for_spo2]


def _observed(reading: Reading) -> datetime:
    return reading.observed_at
