"""A lead changes the ward's coverage or its escalation policy: a new version, checked, audited and told in the feed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from alerts.calendar import WEEKDAYS, Span, Timetable
from alerts.policy import Notify, Policy, PolicyInvalid, PolicyProblem, Step, Via
from service.access import audit
from service.access.principals import Principal
from service.cover import store
from service.cover.inforce import Cover, load_cover, shown_coverage, shown_policy, stored_policy, stored_timetable
from service.errors import FieldError, Invalid
from service.feed.numbering import NewEvent, append_events
from service.problems import pointer
from service.versions import require_version
from service.wards.store import get_ward

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Who changes what is in force on which ward, having seen which version: `at` clinical, `real_at` real time."""

    session: AsyncSession
    who: Principal
    ward_id: str
    seen: int
    at: datetime
    real_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A timetable as it was asked for in the field `name`: the week, and the dates in the order they were given."""

    name: str
    week: tuple[tuple[Span, ...], ...]
    dates: Sequence[tuple[date, tuple[Span, ...]]]

    @property
    def table(self) -> Timetable:
        """The timetable."""
        return Timetable(self.week, dict(self.dates))

    def problems(self) -> Iterator[FieldError]:
        """Dates that are named twice, and spans that overlap."""
        places: dict[date | str, Place] = {day: (self.name, "week", day) for day in WEEKDAYS}
        for number, (day, _) in enumerate(self.dates):
            if day in places:
                at = pointer((self.name, "dates", number, "date"))
                yield FieldError(at, "duplicate", "names a date a second time")
            places.setdefault(day, (self.name, "dates", number, "spans"))
        for clash in self.table.clashes():
            at = pointer((*places[clash.day], clash.number, clash.edge))
            yield FieldError(at, "overlap", clash.message)

    def strangers(self, members: Mapping[str, Any]) -> Iterator[FieldError]:
        """Shifts of people who do not treat patients on the ward."""
        week = (((self.name, "week", day), spans) for day, spans in zip(WEEKDAYS, self.week, strict=True))
        dates = (((self.name, "dates", n, "spans"), spans) for n, (_, spans) in enumerate(self.dates))
        for place, spans in (*week, *dates):
            for number, span in enumerate(spans):
                if span.staff_id not in members:
                    message = "is nobody who treats patients on this ward"
                    yield FieldError(pointer((*place, number, "staff_id")), "unknown_staff", message)


async def change_coverage(act: Act, time_zone: str | None, hours: Asked, duty: Asked) -> Cover:
    """The ward's cover with new service hours and shifts. Raises NotFound, Invalid, StaleVersion."""
    ward = await get_ward(act.session, act.who, act.ward_id, lock=True)
    members = await store.list_members(act.session, act.ward_id)
    problems = [*hours.problems(), *duty.problems(), *duty.strangers(members)]
    if not any(hours.week):
        message = "has an hour on one day at least: limits in service hours would never fall due"
        problems.append(FieldError(pointer((hours.name, "week")), "missing", message))
    if time_zone not in (None, ward.time_zone):
        problems.append(FieldError("/time_zone", "not_the_wards", "is the ward's: change it there"))
    if problems:
        raise Invalid(errors=problems)
    before = await load_cover(act.session, act.ward_id)
    require_version(act.seen, before.coverage_version, shown_coverage(before))
    row = {"service_hours": stored_timetable(hours.table), "on_duty": stored_timetable(duty.table)}
    return await _record(act, "coverage", before.coverage_version + 1, row)


async def change_policy(act: Act, steps: Sequence[Step], out_of_hours_email: str | None) -> Cover:
    """The ward's cover with a new escalation policy. Raises NotFound, Invalid, StaleVersion."""
    await get_ward(act.session, act.who, act.ward_id, lock=True)
    problems = [*_invalid(steps), *await _strangers(act, steps)]
    asks_for_address = [n for n, each in enumerate(steps) if each.notify == Notify.OUT_OF_HOURS]
    if out_of_hours_email is None and any(steps[n].channel == Via.EMAIL for n in asks_for_address):
        message = "is needed for an e-mail to the out-of-hours service"
        problems.append(FieldError("/out_of_hours_email", "missing", message))
    if problems:
        raise Invalid(errors=problems)
    before = await load_cover(act.session, act.ward_id)
    require_version(act.seen, before.policy_version, shown_policy(before))
    row = {"steps": stored_policy(Policy(tuple(steps))), "out_of_hours_email": out_of_hours_email}
    return await _record(act, "escalation_policy", before.policy_version + 1, row)


def _invalid(steps: Sequence[Step]) -> list[FieldError]:
    try:
        Policy(tuple(steps))
    except PolicyInvalid as invalid:
        return [FieldError(_place(each), each.code, each.message) for each in invalid.problems]
    return []


def _place(problem: PolicyProblem) -> str:
    return pointer(("steps",) if problem.step is None else ("steps", problem.step, problem.field))


async def _strangers(act: Act, steps: Sequence[Step]) -> list[FieldError]:
    members = await store.list_members(act.session, act.ward_id)
    message = "is nobody who treats patients on this ward"
    return [
        FieldError(pointer(("steps", number, "notify")), "unknown_staff", message)
        for number, step in enumerate(steps)
        if step.staff_id and step.staff_id not in members
    ]


async def _record(act: Act, table: str, version: int, values: Mapping[str, Any]) -> Cover:
    """The new version, its audit entry and, last, its event."""
    row = {"ward_id": act.ward_id, "version": version, "author_id": act.who.id, "created_at": act.real_at, **values}
    await store.insert_version(act.session, table, row)
    kind, subject = f"{table}.changed", ("ward", act.ward_id)
    detail = {"version": version}
    await audit.append(
        act.session, act.who, kind, act.real_at, ward_id=act.ward_id, subject=subject, detail=detail
    )  # fmt: skip
    cover = await load_cover(act.session, act.ward_id)
    await append_events(act.session, act.ward_id, [NewEvent(kind, act.at, *subject, detail, act.who.id)])
    return cover
