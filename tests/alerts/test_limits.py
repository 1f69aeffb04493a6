"""How long people have, in service hours, across the clock changes of the ward's zone."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from alerts.calendar import Span, Timetable
from alerts.limits import (
    DAILY,
    USUAL_LIMITS,
    HumanLimits,
    ServiceHours,
    acknowledge_by,
    acknowledgement_expires,
    contact_by,
)
from alerts.severity import Family, Severity

OXYGEN, TECHNICAL = Family.OXYGEN, Family.TECHNICAL


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("severity", "acknowledge", "contact", "expires"),
    [
        (Severity.CRITICAL, "2026-11-22T03:15", "2026-11-22T03:30", "2026-11-22T03:30"),
        (Severity.HIGH, "2026-11-22T03:30", "2026-11-22T04:00", "2026-11-22T04:00"),
        (Severity.MEDIUM, "2026-11-22T10:00", "2026-11-22T12:00", "2026-11-22T12:00"),
        (Severity.LOW, "2026-11-22T20:00", None, "2026-11-22T20:00"),
    ],
)
@pytest.mark.hazard("H2")
def test_limits_of_an_alert_at_three_in_the_night(
    severity: Severity, acknowledge: str, contact: str | None, expires: str
) -> None:
    start = at("2026-11-22T03:00")
    assert acknowledge_by(OXYGEN, severity, start, USUAL_LIMITS) == at(acknowledge)
    assert contact_by(OXYGEN, severity, start, USUAL_LIMITS) == (None if contact is None else at(contact))
    assert acknowledgement_expires(OXYGEN, severity, start, USUAL_LIMITS) == at(expires)


@pytest.mark.parametrize("severity", list(Severity))
def test_the_technical_desk_has_an_hour_always(severity: Severity) -> None:
    start = at("2026-11-22T03:00")
    assert acknowledge_by(TECHNICAL, severity, start, USUAL_LIMITS) == at("2026-11-22T04:00")
    assert contact_by(TECHNICAL, severity, start, USUAL_LIMITS) is None
    assert acknowledgement_expires(TECHNICAL, severity, start, USUAL_LIMITS) == at("2026-11-22T07:00")


@pytest.mark.parametrize(
    ("start", "limit"),
    [
        ("2026-11-22T17:59", "2026-11-22T19:59"),
        ("2026-11-22T18:00", "2026-11-22T20:00"),
        ("2026-11-22T18:30", "2026-11-23T08:30"),
        ("2026-11-22T20:00", "2026-11-23T10:00"),
        ("2026-11-22T22:00", "2026-11-23T10:00"),
        # British summer time: eight in the morning is seven UTC.
        ("2026-07-01T03:00", "2026-07-01T09:00"),
        # The night the clocks go forward (29 March 2026) and back (25 October 2026).
        ("2026-03-28T19:30", "2026-03-29T08:30"),
        ("2026-10-24T18:30", "2026-10-25T09:30"),
    ],
)
def test_medium_counts_in_service_hours(start: str, limit: str) -> None:
    assert acknowledge_by(OXYGEN, Severity.MEDIUM, at(start), USUAL_LIMITS) == at(limit)


@pytest.mark.parametrize(
    ("start", "limit"), [("2026-03-29T00:30", "2026-03-29T02:30"), ("2026-10-25T00:30", "2026-10-25T02:30")]
)
def test_round_the_clock_two_hours_are_two_hours_on_both_clock_changes(start: str, limit: str) -> None:
    always = ServiceHours(table=Timetable(((Span(time(0), time(0)),),) * 7))
    assert acknowledge_by(OXYGEN, Severity.MEDIUM, at(start), HumanLimits(hours=always)) == at(limit)


def test_a_night_shift_runs_past_midnight() -> None:
    nights = ServiceHours("UTC", Timetable(((Span(time(20), time(2)),),) * 7))
    assert nights.add(at("2026-11-22T01:00"), at("2026-11-22T02:00") - at("2026-11-22T00:00")) == at("2026-11-22T21:00")


WEEKDAYS = ServiceHours(
    "Europe/London", Timetable(((Span(time(9), time(12)), Span(time(13), time(17))),) * 5 + ((),) * 2)
)


@pytest.mark.parametrize(
    ("hours", "start", "limit"),
    [
        # Within the day, as long as the ward still works by then.
        (DAILY, "2026-11-22T19:00", "2026-11-23T19:00"),
        (DAILY, "2026-11-22T21:00", "2026-11-23T20:00"),
        (WEEKDAYS, "2026-11-23T10:00", "2026-11-24T10:00"),
        (WEEKDAYS, "2026-11-23T12:30", "2026-11-24T12:00"),
        # The ward is closed on Saturday and Sunday: never sooner than a medium alert would be due.
        (WEEKDAYS, "2026-11-20T15:30", "2026-11-23T09:30"),
        (WEEKDAYS, "2026-11-21T10:00", "2026-11-23T11:00"),
    ],
)
def test_low_is_due_at_the_next_board_round(hours: ServiceHours, start: str, limit: str) -> None:
    assert acknowledge_by(OXYGEN, Severity.LOW, at(start), HumanLimits(hours=hours)) == at(limit)


def test_service_time_goes_on_over_a_break_and_a_closed_day() -> None:
    closed = Timetable(WEEKDAYS.table.week, {date(2026, 11, 23): ()})
    hours = ServiceHours("Europe/London", closed)
    assert hours.add(at("2026-11-20T11:30"), timedelta(hours=1)) == at("2026-11-20T13:30")
    assert hours.add(at("2026-11-20T16:30"), timedelta(hours=1)) == at("2026-11-24T09:30")
    assert not hours.open_at(at("2026-11-23T10:00"))
    assert WEEKDAYS.open_at(at("2026-11-23T10:00"))


def test_the_last_moment_of_service_is_looked_for_no_further_than_the_start() -> None:
    start = at("2026-11-20T17:00")
    assert WEEKDAYS.last_until(at("2026-11-22T23:00"), start) is None
    assert WEEKDAYS.last_until(at("2026-11-23T08:59"), start) is None
    assert WEEKDAYS.last_until(at("2026-11-23T09:00"), start) == at("2026-11-23T09:00")
    assert WEEKDAYS.last_until(at("2026-11-23T12:30"), start) == at("2026-11-23T12:00")


def test_the_last_moment_of_service_may_be_in_the_night_that_began_the_day_before() -> None:
    sunday = ServiceHours("UTC", Timetable((*[()] * 6, (Span(time(20), time(2)),))))
    assert sunday.last_until(at("2026-11-24T00:30"), at("2026-11-23T01:00")) == at("2026-11-23T02:00")
