"""When a reading is expected, in the ward's own time, on the days the clocks change too, and what fills a slot."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.reading import Reading
from alerts.slots import is_filled, longest_gap, slots_between
from tests.alerts.stay import clock, reading

THREE = ("09:00", "13:00", "19:00")
LONDON = "Europe/London"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of_day(day: str, *times: str, zone: str = LONDON) -> list[str]:
    start = utc(f"{day}T00:00")
    return [slot.strftime("%H:%M") for slot in slots_between(times, zone, start, start + timedelta(hours=23))]


def filled(slot: str, *readings: Reading, times: tuple[str, ...] = THREE, since: str = "-3 00:00") -> bool:
    return is_filled(clock(slot), times, "UTC", clock(since), readings)


@pytest.mark.parametrize(
    ("day", "slots"),
    [
        ("2026-11-22", ["09:00", "13:00", "19:00"]),
        ("2026-07-01", ["08:00", "12:00", "18:00"]),
        ("2026-03-28", ["09:00", "13:00", "19:00"]),
        ("2026-03-29", ["08:00", "12:00", "18:00"]),
        ("2026-10-24", ["08:00", "12:00", "18:00"]),
        ("2026-10-25", ["09:00", "13:00", "19:00"]),
    ],
)
def test_slots_follow_the_clock_on_the_wall(day: str, slots: list[str]) -> None:
    assert of_day(day, *THREE) == slots


def test_a_time_that_the_clocks_skip_is_the_instant_it_would_have_been() -> None:
    # 01:30 does not exist on 29 March 2026: 01:30 UTC is 02:30 by the new time.
    assert of_day("2026-03-29", "00:30", "01:30", "03:00") == ["00:30", "01:30", "02:00"]


def test_a_skipped_time_that_falls_on_another_slot_is_one_slot_and_stays_in_order() -> None:
    assert of_day("2026-03-29", "01:30", "02:30") == ["01:30"]
    assert of_day("2026-03-29", "01:45", "02:15") == ["01:15", "01:45"]


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    # 01:30 comes twice on 25 October 2026: at 00:30 and at 01:30 UTC.
    assert of_day("2026-10-25", "01:30") == ["00:30"]


def test_both_ends_belong_to_the_span_and_no_times_give_no_slots() -> None:
    assert slots_between(THREE, "UTC", clock("09:00"), clock("13:00")) == [clock("09:00"), clock("13:00")]
    assert slots_between((), "UTC", clock("09:00"), clock("13:00")) == []


@pytest.mark.parametrize(
    ("times", "hours"), [(THREE, 14), (("09:00",), 24), (("00:00", "23:00"), 23), (("08:00", "20:00"), 12)]
)
def test_the_longest_gap_includes_the_night(times: tuple[str, ...], hours: int) -> None:
    assert longest_gap(times) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("at", "fills"), [("06:59", False), ("07:00", True), ("09:00", True), ("13:00", True), ("13:01", False)]
)
def test_a_slot_is_filled_from_two_hours_before_until_four_hours_after(at: str, fills: bool) -> None:
    assert filled("09:00", reading(at, spo2=97)) == fills


@pytest.mark.parametrize(
    "values",
    [{"pulse_rate": 80}, {"spo2": 97, "quality": "poor"}, {"spo2": 97, "context": "unknown"}, {"spo2": 45},
     {"spo2": 97, "context": "post_exertion_40_steps"}, {"spo2": 97, "context": "sleep"}],
)  # fmt: skip
def test_only_a_usable_resting_value_on_a_good_signal_fills_a_slot(values: dict[str, Any]) -> None:
    assert not filled("09:00", reading("09:00", **values))


def test_one_reading_fills_one_slot_and_the_earliest_that_is_empty() -> None:
    once = reading("12:00", spo2=97)
    assert filled("09:00", once)
    assert not filled("13:00", once)
    again = reading("12:05", spo2=97)
    assert filled("13:00", once, again)
    assert filled("13:00", reading("09:00", spo2=97), once)


def test_readings_fill_in_the_order_in_which_they_arrive() -> None:
    late = reading("08:00", received="15:00", spo2=97)
    noon = reading("12:00", spo2=97)
    assert filled("09:00", noon, late)
    assert not filled("13:00", noon, late)


def test_slots_before_the_clock_started_take_no_reading_away() -> None:
    once = reading("12:00", spo2=97)
    assert filled("13:00", once, since="10:00")
