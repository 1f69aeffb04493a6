"""Slots of any day, and any readings to fill them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.reading import Reading
from alerts.slots import is_filled, slots_between
from alerts.watch import USUAL
from tests.alerts.stay import clock
from tests.alerts.test_slots import LONDON, THREE


@pytest.mark.parametrize("zone", [LONDON, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"])
@given(day=st.dates(date(2009, 1, 1), date(2027, 1, 1)))
def test_every_day_has_its_slots_in_order_whatever_the_zone(zone: str, day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    slots = slots_between(THREE, zone, start, start + timedelta(days=7))
    assert slots == sorted(set(slots))
    assert 18 <= len(slots) <= 22
    assert {slot.tzinfo for slot in slots} == {UTC}


@given(
    st.lists(st.integers(-1600, 2000), max_size=12), st.sampled_from([THREE, ("09:00",), ("08:00", "10:00", "11:00")])
)
def test_never_more_slots_are_filled_than_there_are_readings_in_reach(minutes: list[int], times: Any) -> None:
    readings = [
        Reading(id=str(n), observed_at=clock("00:00") + timedelta(minutes=m), received_at=clock("2 12:00"), spo2=97)
        for n, m in enumerate(minutes)
    ]
    slots = slots_between(times, "UTC", clock("00:00"), clock("23:59"))
    taken = [slot for slot in slots if is_filled(slot, times, "UTC", clock("00:00"), readings)]
    for slot in taken:
        assert any(slot - USUAL.before <= one.observed_at <= slot + USUAL.until for one in readings)
    assert len(taken) <= len(readings)
