"""Coverage and escalation policy as the API takes and gives them."""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerts.calendar import WEEKDAYS, Span
from service.body import Schema
from service.cover.changing import Asked
from service.fields import Day, Id, Instant, SeenVersion
from service.wards.schemas import TimeZone

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day by the ward's clock, `HH:MM`."""
SPANS_A_DAY, SHIFTS_A_DAY, DATES = 8, 100, 366
_STARTS = "By the ward's clock"
_ENDS = "At or before `starts`: on the next day"


class SpanIn(Schema):
    """Hours of a day."""

    starts: Annotated[ClockTime, Field(description=_STARTS)]
    ends: Annotated[ClockTime, Field(description=_ENDS)]

    def span(self) -> Span:
        """The span of the engine."""
        return Span(time.fromisoformat(self.starts), time.fromisoformat(self.ends))


class ShiftIn(SpanIn):
    """Somebody's hours of a day."""

    staff_id: Id

    def span(self) -> Span:
        """The span of the engine."""
        return Span(time.fromisoformat(self.starts), time.fromisoformat(self.ends), self.staff_id)


Spans = Annotated[list[SpanIn], Field(max_length=SPANS_A_DAY)]
Shifts = Annotated[list[ShiftIn], Field(max_length=SHIFTS_A_DAY)]


class DateHoursIn(Schema):
    """The hours of one date, in place of its weekday's."""

    date: Day
    spans: Spans


class DateShiftsIn(Schema):
    """The shifts of one date, in place of its weekday's."""

    date: Day
    spans: Shifts


class ServiceHoursIn(Schema):
    """When the ward works. Weekdays that are left out are closed."""

    week: dict[Weekday, Spans]
    dates: Annotated[list[DateHoursIn], Field(default_factory=list, max_length=DATES)]


class OnDutyIn(Schema):
    """Who is on duty when."""

    week: Annotated[dict[Weekday, Shifts], Field(default_factory=dict)]
    dates: Annotated[list[DateShiftsIn], Field(default_factory=list, max_length=DATES)]


class CoverageIn(Schema):
    """A ward's whole coverage; it replaces the one before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service_hours": {
                        "week": {day: [{"starts": "08:00", "ends": "20:00"}] for day in WEEKDAYS},
                        "dates": [{"date": "2026-12-25", "spans": [{"starts": "10:00", "ends": "16:00"}]}],
                    },
                    "on_duty": {
                        "week": {
                            "monday": [
                                {
                                    "starts": "08:00",
                                    "ends": "20:00",
                                    "staff_id": "01936f5e-7b3a-7c21-9d4f-2a6b8c0d1e2f",
                                }
                            ]
                        },
                        "dates": [],
                    },
                    "version": 1,
                }
            ]
        }
    )

    time_zone: Annotated[TimeZone | None, Field(description="The ward's, if it is given; changed on the ward")] = None
    service_hours: ServiceHoursIn
    on_duty: Annotated[OnDutyIn, Field(default_factory=OnDutyIn)]
    version: SeenVersion = None

    def hours(self) -> Asked:
        """The service hours that are asked for."""
        return _asked("service_hours", self.service_hours)

    def duty(self) -> Asked:
        """The shifts that are asked for."""
        return _asked("on_duty", self.on_duty)


def _asked(name: str, sent: ServiceHoursIn | OnDutyIn) -> Asked:
    by_day: dict[Any, Any] = dict(sent.week)
    week = tuple(tuple(each.span() for each in by_day.get(day, ())) for day in WEEKDAYS)
    return Asked(name, week, [(day.date, tuple(each.span() for each in day.spans)) for day in sent.dates])


class SpanOut(BaseModel):
    """Hours of a day."""

    starts: str
    ends: str


class ShiftOut(SpanOut):
    """Somebody's hours of a day."""

    staff_id: str


class DateHoursOut(BaseModel):
    """The hours of one date."""

    date: date
    spans: list[SpanOut]


class DateShiftsOut(BaseModel):
    """The shifts of one date."""

    date: date
    spans: list[ShiftOut]


class ServiceHoursOut(BaseModel):
    """When the ward works."""

    week: dict[Weekday, list[SpanOut]]
    dates: list[DateHoursOut]


class OnDutyOut(BaseModel):
    """Who is on duty when."""

    week: dict[Weekday, list[ShiftOut]]
    dates: list[DateShiftsOut]


class CoverageOut(BaseModel):
    """A ward's coverage, in its time zone."""

    time_zone: str
    service_hours: ServiceHoursOut
    on_duty: OnDutyOut
    version: int


class PersonOut(BaseModel):
    """Somebody on duty, and until when without a break."""

    staff_id: str
    name: str
    until: Instant


class RingOut(BaseModel):
    """Whom a patient rings now: the ward's phone within service hours, else what the ward's own text says."""

    phone: str | None
    text: str | None


class CoverageNowOut(BaseModel):
    """How a ward is covered at an instant."""

    at: Instant
    time_zone: str
    within_service_hours: bool
    watched_now: bool
    on_duty: list[PersonOut]
    ring: RingOut
    next_change_at: Instant | None
