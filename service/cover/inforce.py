"""What is in force on a ward: its hours, who is on duty, whom an alert goes to and whom to ring."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, NamedTuple

from sqlalchemy import Row

from alerts.advice import Contact
from alerts.calendar import WEEKDAYS, Span, Timetable
from alerts.coverage import Coverage
from alerts.limits import EIGHT_TO_EIGHT, ServiceHours
from alerts.policy import DEFAULT, Policy, Step, Via
from service.cover import store
from service.errors import NotFound
from service.logs import get_logger
from service.storage.direct import Where

log = get_logger(__name__)

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)

DEFAULT_VERSION = 1
"""The version of a ward that has set nothing."""


class Hour(NamedTuple):
    """A ward at an instant, as its patients meet it: whether somebody is on duty, and whom to ring."""

    at: datetime
    watched_now: bool
    contact: Contact


@dataclass(frozen=True, slots=True)
class Cover:
    """Everything that depends on the ward and the clock. `cover_version` is the ward's when this was read."""

    ward_id: str
    ward_name: str = ""
    cover_version: int = 1
    coverage: Coverage = field(default_factory=Coverage)
    coverage_version: int = DEFAULT_VERSION
    policy: Policy = DEFAULT
    policy_version: int = DEFAULT_VERSION
    phone: str | None = None
    out_of_hours_text: str | None = None
    out_of_hours_email: str | None = None

    @property
    def hours(self) -> ServiceHours:
        """When the ward works."""
        return self.coverage.hours

    def contact(self, at: datetime) -> Contact:
        """Whom a patient rings at an instant: the ward's phone within its service hours, else what its text says."""
        here = self.hours.open_at(at)
        return Contact(self.phone if here else None, None if here else self.out_of_hours_text)

    def hour(self, at: datetime) -> Hour:
        """The ward at an instant."""
        return Hour(at, self.coverage.watched(at), self.contact(at))


async def load_cover(where: Where, ward_id: str) -> Cover:
    """What is in force on a ward; raises NotFound when there is no such ward."""
    row = await store.load(where, ward_id)
    if row is None:
        raise NotFound
    cover = _cover(row)
    if cover.coverage.shifts.empty:
        return cover
    # Somebody who has left the ward is not on duty there, whatever the calendar still says.
    members = await store.list_members(where, ward_id)
    return replace(cover, coverage=replace(cover.coverage, shifts=cover.coverage.shifts.only(members)))


class Covers:
    """The cover of each ward, kept in memory for as long as the ward's `cover_version` stays. One for each process."""

    def __init__(self) -> None:
        self._known: dict[str, Cover] = {}

    async def of(self, where: Where, wanted: Iterable[tuple[str, int]]) -> Mapping[str, Cover]:
        """The covers of these (ward_id, cover_version), by ward; each is read only when its version is another."""
        found: dict[str, Cover] = {}
        for ward_id, version in set(wanted):
            cover = self._known.get(ward_id)
            if cover is None or cover.cover_version != version:
                cover = self._known[ward_id] = await load_cover(where, ward_id)
            found[ward_id] = cover
        return found


def timetable_of(stored: Mapping[str, Any]) -> Timetable:
    """A timetable as it is stored: `{"week": {"monday": [span…]}, "dates": [{"date", "spans": [span…]}]}`."""
    week = tuple(_spans(stored["week"].get(day, ())) for day in WEEKDAYS)
    return Timetable(week, {date.fromisoformat(each["date"]): _spans(each["spans"]) for each in stored["dates"]})


def service_hours_of(zone: str, stored: Mapping[str, Any] | None) -> ServiceHours:
    """A ward's service hours; those that were never set, or cannot be read, are the default: that must stop neither
    readings nor people."""
    try:
        return ServiceHours(zone, EIGHT_TO_EIGHT if stored is None else timetable_of(stored))
    except _UNREADABLE as problem:
        log.error("service_hours_unreadable", error=type(problem).__name__)
        return ServiceHours(zone)


def policy_of(steps: Sequence[Mapping[str, Any]]) -> Policy:
    """A policy as it is stored; raises PolicyInvalid."""
    return Policy(tuple(Step(each["after_minutes"], each["notify"], Via(each["channel"])) for each in steps))


def stored_timetable(table: Timetable) -> dict[str, Any]:
    """The inverse of `timetable_of`: every weekday is named."""
    return {
        "week": {day: [_stored(span) for span in spans] for day, spans in zip(WEEKDAYS, table.week, strict=True)},
        "dates": [
            {"date": day.isoformat(), "spans": [_stored(span) for span in spans]}
            for day, spans in sorted(table.dates.items())
        ],
    }


def shown_coverage(cover: Cover) -> dict[str, Any]:
    """The coverage as `schemas.CoverageOut` shows it."""
    return {
        "time_zone": cover.hours.zone,
        "service_hours": stored_timetable(cover.hours.table),
        "on_duty": stored_timetable(cover.coverage.shifts),
        "version": cover.coverage_version,
    }


def shown_policy(cover: Cover) -> dict[str, Any]:
    """The policy as `schemas.PolicyOut` shows it."""
    return {
        "steps": stored_policy(cover.policy),
        "out_of_hours_email": cover.out_of_hours_email,
        "version": cover.policy_version,
    }


def stored_policy(policy: Policy) -> list[dict[str, Any]]:
    """The inverse of `policy_of`."""
    return [
        {"after_minutes": each.after_minutes, "notify": str(each.notify), "channel": each.channel.value}
        for each in policy.steps
    ]


def _spans(stored: Iterable[Mapping[str, Any]]) -> tuple[Span, ...]:
    return tuple(
        Span(time.fromisoformat(each["starts"]), time.fromisoformat(each["ends"]), each.get("staff_id"))
        for each in stored
    )


def _stored(span: Span) -> dict[str, Any]:
    whose = {} if span.staff_id is None else {"staff_id": span.staff_id}
    return {"starts": span.starts.isoformat("minutes"), "ends": span.ends.isoformat("minutes"), **whose}


def _cover(row: Row[Any]) -> Cover:
    return Cover(
        ward_id=row.id,
        ward_name=row.name,
        cover_version=row.cover_version,
        coverage=_coverage(row),
        coverage_version=row.coverage_version or DEFAULT_VERSION,
        policy=_policy(row),
        policy_version=row.policy_version or DEFAULT_VERSION,
        phone=row.phone,
        out_of_hours_text=row.out_of_hours_text,
        out_of_hours_email=row.out_of_hours_email,
    )


def _coverage(row: Row[Any]) -> Coverage:
    """The coverage of a row; of shifts that cannot be read, nobody is on duty."""
    hours = service_hours_of(row.time_zone, row.service_hours)
    try:
        return Coverage(hours, Timetable() if row.on_duty is None else timetable_of(row.on_duty))
    except _UNREADABLE as problem:
        log.error("shifts_unreadable", ward_id=row.id, error=type(problem).__name__)
        return Coverage(hours)


def _policy(row: Row[Any]) -> Policy:
    try:
        return DEFAULT if row.steps is None else policy_of(row.steps)
    except _UNREADABLE as problem:
        log.error("policy_unreadable", ward_id=row.id, error=type(problem).__name__)
        return DEFAULT
