"""The ward's calendar: who is on duty, when that changes, and the two days on which the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from alerts.calendar import DAY, KNOWN_DAYS, Span, Timetable
from alerts.coverage import Coverage, OnDuty
from alerts.limits import EIGHT_TO_EIGHT, ServiceHours

ADA, BEN = "ada", "ben"
NOBODY: tuple[Span, ...] = ()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(text: str, staff_id: str | None = None) -> Span:
    starts, ends = text.split("-")
    return Span(time.fromisoformat(starts), time.fromisoformat(ends), staff_id)


def shifts(*daily: Span, dates: dict[date, tuple[Span, ...]] | None = None, zone: str = "Europe/London") -> Coverage:
    return Coverage(ServiceHours(zone), Timetable((daily,) * 7, dates or {}))


def test_without_a_calendar_nobody_is_on_duty_and_the_ward_works_from_eight_to_eight() -> None:
    coverage = Coverage()
    assert not coverage.watched(at("2026-11-22T10:00"))
    assert coverage.on_duty(at("2026-11-22T10:00")) == ()
    assert coverage.next_change(at("2026-11-22T10:00")) == at("2026-11-22T20:00")
    assert coverage.next_change(at("2026-11-22T20:00")) == at("2026-11-23T08:00")


@pytest.mark.parametrize(
    ("now", "people"),
    [
        ("2026-11-22T07:59", [BEN]),
        ("2026-11-22T08:00", [ADA]),
        ("2026-11-22T13:30", [ADA, BEN]),
        ("2026-11-22T14:00", [BEN]),
        ("2026-11-22T20:00", []),
        ("2026-11-22T22:00", [BEN]),
        ("2026-11-23T03:00", [BEN]),
    ],
)
def test_who_is_on_duty_by_the_clock(now: str, people: list[str]) -> None:
    coverage = shifts(span("08:00-14:00", ADA), span("13:00-20:00", BEN), span("22:00-08:00", BEN))
    assert [each.staff_id for each in coverage.on_duty(at(now))] == people
    assert coverage.watched(at(now)) == bool(people)


def test_a_date_replaces_its_weekday_and_the_night_before_still_ends_on_it() -> None:
    coverage = shifts(span("20:00-08:00", ADA), dates={date(2026, 12, 25): NOBODY})
    assert coverage.watched(at("2026-12-25T07:59"))
    assert not coverage.watched(at("2026-12-25T21:00"))
    assert not coverage.watched(at("2026-12-26T03:00"))
    assert coverage.watched(at("2026-12-26T20:00"))


def test_until_goes_on_through_shifts_without_a_break_but_not_for_ever() -> None:
    now = at("2026-11-22T09:00")
    broken = shifts(span("08:00-12:00", ADA), span("12:00-16:00", ADA), span("17:00-18:00", ADA))
    assert broken.on_duty(now) == (OnDuty(ADA, at("2026-11-22T16:00")),)
    always = shifts(span("00:00-00:00", ADA)).on_duty(now)[0].until
    assert timedelta(days=59) < always - now < timedelta(days=62)


def test_a_handover_to_oneself_is_no_change_and_one_to_somebody_else_is() -> None:
    whole = Timetable(((span("00:00-00:00"),),) * 7)
    mine = Coverage(ServiceHours(table=whole), Timetable(((span("00:00-12:00", ADA), span("12:00-00:00", ADA)),) * 7))
    assert mine.next_change(at("2026-11-22T09:00")) is None
    ours = Coverage(ServiceHours(table=whole), Timetable(((span("00:00-12:00", ADA), span("12:00-00:00", BEN)),) * 7))
    assert ours.next_change(at("2026-11-22T09:00")) == at("2026-11-22T12:00")
    assert ours.next_change(at("2026-11-22T12:00")) == at("2026-11-23T00:00")


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 12), ("2026-03-29", 11), ("2026-10-24", 12), ("2026-10-25", 13)],
)
def test_a_night_shift_is_as_long_as_the_night_really_is(day: str, hours: int) -> None:
    # It ends on the morning of the 29th of March (clocks forward) or the 25th of October (back).
    before = date.fromisoformat(day) - timedelta(days=1)
    night = Timetable(dates={before: (span("20:00-08:00", ADA),)}).stretches(before, "Europe/London")[0]
    assert night.ends - night.starts == timedelta(hours=hours)


def test_round_the_clock_leaves_no_gap_on_either_clock_change() -> None:
    thirds = (span("00:00-01:30", ADA), span("01:30-02:30", BEN), span("02:30-00:00", ADA))
    coverage = shifts(*thirds)
    for day in ("2026-03-29", "2026-10-25"):
        start = at(f"{day}T00:00") - timedelta(hours=2)
        assert all(coverage.watched(start + timedelta(minutes=5 * n)) for n in range(12 * 30))


def test_a_shift_that_the_clocks_skip_is_not_there() -> None:
    skipped = Timetable(((span("01:00-02:00", ADA),),) * 7)
    assert skipped.stretches(date(2026, 3, 29), "Europe/London") == ()
    assert len(skipped.stretches(date(2026, 3, 30), "Europe/London")) == 1
    assert not Coverage(shifts=skipped).watched(at("2026-03-29T01:00"))


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-11-22"])
def test_what_holds_an_instant_is_found_wherever_the_day_of_the_ward_lies(zone: str, day: str) -> None:
    table = Timetable(((span("00:00-00:00", ADA), span("19:30-07:15"), span("23:59-23:58", BEN)),) * 7)
    start = at(f"{day}T00:00")
    begun = [each for number in range(-5, 5) for each in table.stretches(start.date() + timedelta(number), zone)]
    for number in range(-3, 27 * 4):
        now = start + timedelta(minutes=15 * number)
        assert table.around(now, zone) == [each for each in begun if each.starts <= now < each.ends]


def test_what_is_remembered_of_a_timetable_is_no_part_of_it_and_does_not_grow_without_end() -> None:
    asked, fresh = Timetable(EIGHT_TO_EIGHT.week), Timetable(EIGHT_TO_EIGHT.week)
    first, zones = date(2026, 1, 1), ("Europe/London", "UTC")
    found = {(n, zone): asked.stretches(first + n * DAY, zone) for n in range(KNOWN_DAYS + 1) for zone in zones}
    assert found == {(n, zone): fresh.stretches(first + n * DAY, zone) for n, zone in found}
    assert asked == Timetable(EIGHT_TO_EIGHT.week) and repr(asked) == repr(Timetable(EIGHT_TO_EIGHT.week))
    assert len(asked._begun) <= KNOWN_DAYS


@pytest.mark.parametrize(
    ("spans", "numbers"),
    [
        (("08:00-12:00", "12:00-14:00"), []),
        (("08:00-12:00", "11:59-14:00"), [(1, "starts")]),
        (("12:00-14:00", "08:00-12:01"), [(1, "starts")]),
        (("20:00-08:00", "08:00-20:00"), []),
        (("20:00-08:01", "08:00-20:00"), [(0, "ends")]),
        (("00:00-00:00",), []),
        (("08:00-08:00", "09:00-12:00"), [(1, "starts")]),
        (("00:01-00:00", "00:00-00:01"), []),
    ],
)
def test_what_overlaps_on_a_day_or_runs_into_the_next_is_found(
    spans: tuple[str, ...], numbers: list[tuple[int, str]]
) -> None:
    week = (tuple(span(each) for each in spans),) * 7
    found = Timetable(week).clashes()
    for day in ("monday", "wednesday", "sunday"):
        assert [(clash.number, clash.edge) for clash in found if clash.day == day] == numbers


def test_two_people_may_be_on_duty_at_once_and_one_person_only_once() -> None:
    both = Timetable(((span("08:00-20:00", ADA), span("08:00-20:00", BEN)),) * 7)
    assert both.clashes() == []
    twice = Timetable(((span("08:00-20:00", ADA), span("10:00-11:00", ADA)),) * 7)
    assert len(twice.clashes()) == 7


def test_a_date_must_fit_the_days_around_it() -> None:
    monday = date(2026, 11, 23)
    nights = ((span("20:00-08:00"),),) * 7
    early = Timetable(nights, {monday: (span("06:00-12:00"),)})
    assert [(clash.day, clash.edge) for clash in early.clashes()] == [(monday, "starts")]
    long = Timetable(((span("08:00-20:00"),),) * 7, {monday: (span("20:00-09:00"),)})
    assert [(clash.day, clash.edge) for clash in long.clashes()] == [(monday, "ends")]
    two = Timetable(((),) * 7, {monday: (span("20:00-09:00"),), monday + timedelta(days=1): (span("08:00-10:00"),)})
    assert [(clash.day, clash.edge) for clash in two.clashes()] == [(monday, "ends")]


def test_changes_follow_each_other_in_order() -> None:
    coverage = shifts(span("07:00-15:00", ADA), span("14:00-22:00", BEN), dates={date(2026, 11, 24): NOBODY})
    seen = [at("2026-11-23T00:00")]
    while len(seen) < 12:
        following = coverage.next_change(seen[-1])
        assert following is not None
        seen.append(following)
    assert all(earlier < later for earlier, later in pairwise(seen))
    assert [each.strftime("%d %H") for each in seen[1:9]] == [
        "23 07", "23 08", "23 14", "23 15", "23 20", "23 22", "24 08", "24 20",
    ]  # fmt: skip
