"""Readings that did not come (R14): a reminder, then an alert, then an urgent one.

All times are a design decision, need CSO sign-off; no national limit was found."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.case import judged
from alerts.reading import Reading
from alerts.record import Record
from alerts.rule import Finding, Input, Limit
from alerts.rules.absence import MISSED_READING
from alerts.severity import Family, Severity
from alerts.slots import FILLED_UNTIL, is_filled, longest_gap, slots_between
from alerts.watch import Watch

REMIND_AFTER = timedelta(hours=1)
"""From here a slot counts as missed for whoever has something to worry about, and the person is reminded."""

MISSED_AFTER = FILLED_UNTIL

SILENT_AT_LEAST = timedelta(hours=24)
SILENT_GAPS = 1.5
"""Nothing valid for the longer of a day and one and a half times the plan's longest gap is urgent."""

_DAY = timedelta(days=1)


class SlotDue(NamedTuple):
    """A slot has its first (`missed` False) or its last limit `at` an instant."""

    at: datetime
    slot: datetime
    missed: bool


class SilenceDue(NamedTuple):
    """Nothing valid has come since an instant, for one or more times the longest that is allowed."""

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
    valid = _valid(record)
    for slot in slots_between(times, zone, max(watch.slots_from, start - MISSED_AFTER), end - REMIND_AFTER):
        if not is_filled(slot, times, zone, watch.slots_from, valid):
            limits = ((slot + REMIND_AFTER, False), (slot + MISSED_AFTER, True))
            yield from (SlotDue(at, slot, missed) for at, missed in limits if start <= at <= end)
    limit = max(SILENT_AT_LEAST, SILENT_GAPS * longest_gap(times))
    since = _last_of(valid, record, watch)
    at = since + limit * max(1, ceil((start - since) / limit))
    while at <= end:
        yield SilenceDue(at, since, limit)
        at += limit


def finding_of(record: Record, watch: Watch, due: MissedDue) -> Finding | None:
    """What a limit that passes with nothing valid amounts to; None when it is only time to remind."""
    if isinstance(due, SilenceDue):
        return _silent(record, due)
    if due.missed:
        return None if _counted(record, due.slot) else _missed(record, due, Severity.LOW)
    worry = _worry(record)
    if worry is not None:
        return _missed(record, due, Severity.HIGH, (worry,))
    before = _slot_before(record, watch, due.slot)
    if before is None or _standing(record):
        return None
    times, zone = record.plan.reading_times, record.service_hours.zone
    if is_filled(before, times, zone, watch.slots_from, _valid(record)):
        return None
    in_a_row = Input("in_a_row", 2, "", None, before)
    return _missed(record, due, Severity.LOW, (in_a_row,))


def _silent(record: Record, due: SilenceDue) -> Finding | None:
    if _standing(record, Severity.HIGH):
        return None
    hours = (due.at - due.since) / timedelta(hours=1)
    since = due.since.astimezone(ZoneInfo(record.service_hours.zone)).strftime("%H:%M on %d %B")
    inputs = (Input("silent_for", hours, "h", None, due.since), Input("since", since, "", None, due.since))
    limits = (Limit("silent_at_most", due.limit / timedelta(hours=1), "h"),)
    return _finding(record, Severity.HIGH, inputs, limits)


def _missed(record: Record, due: SlotDue, severity: Severity, more: tuple[Input, ...] = ()) -> Finding:
    at = due.slot.astimezone(ZoneInfo(record.service_hours.zone)).strftime("%H:%M")
    hours = (due.at - due.slot) / timedelta(hours=1)
    inputs = (Input("slot", at, "", None, due.slot), Input("empty_for", hours, "h", None, due.slot), *more)
    return _finding(record, severity, inputs, (Limit("fills_until", MISSED_AFTER / timedelta(hours=1), "h"),))


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
    """Has what stands been told of this slot, or of something later?"""
    return _standing(record) and record.episodes[Family.MISSED_READING].last_breach_at >= slot


def _slot_before(record: Record, watch: Watch, slot: datetime) -> datetime | None:
    """The slot before this one, no more than a day (and the hour of a clock change) away."""
    times, zone = record.plan.reading_times, record.service_hours.zone
    earlier = slots_between(times, zone, max(watch.slots_from, slot - _DAY - REMIND_AFTER), slot)
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
