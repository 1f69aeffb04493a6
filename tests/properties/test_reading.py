"""How any value is judged."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.reading import judged_spo2, judged_tenths


@settings(deadline=None)
@given(st.integers(300, 430))
def test_a_written_tenth_of_a_degree_is_judged_as_it_is(tenths: int) -> None:
    assert judged_tenths(tenths / 10) == tenths


@settings(deadline=None)
@given(st.floats(0, 100))
def test_spo2_is_never_judged_more_than_half_a_point_away(value: float) -> None:
    assert abs(judged_spo2(value) - value) <= 0.5
    assert abs(judged_spo2(value, scale2_on_oxygen=True) - value) <= 0.5
