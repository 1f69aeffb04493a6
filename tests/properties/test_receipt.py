"""The receipt of any value: its margin is zero where the rule begins."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.receipt import Outcome
from tests.alerts.test_receipt import lines


@given(spo2=st.integers(50, 100), profile=st.sampled_from(["standard", "hypercapnic"]))
def test_red_fires_exactly_where_its_margin_ends(spo2: int, profile: Any) -> None:
    line = lines({"spo2": spo2}, profile=profile)["R1"]
    assert line.margin is not None
    assert (line.outcome == Outcome.FIRED) == (line.margin.distance <= 0)
