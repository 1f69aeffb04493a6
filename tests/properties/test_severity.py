"""What holds for any low value."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.evaluate import evaluate
from alerts.plan import Plan
from tests.alerts.stay import Stay, reading


@settings(deadline=None)
@given(
    low=st.integers(50, 100), high=st.integers(50, 100), answer=st.none() | st.integers(0, 20),
    baseline=st.none() | st.integers(70, 93), profile=st.sampled_from(["standard", "hypercapnic"]),
    pulse=st.none() | st.integers(20, 250),
)  # fmt: skip
@pytest.mark.hazard("H1")
def test_off_oxygen_a_lower_value_is_never_less_severe(
    low: int, high: int, answer: int | None, baseline: int | None, profile: Any, pulse: int | None
) -> None:
    low, high = sorted((low, high))
    plan = Plan(profile=profile, baseline_spo2=baseline)
    others = {"breathlessness": answer and answer / 2, "oxygen_flow": 0, "pulse_rate": pulse}

    def severity(spo2: int) -> int:
        now = reading("08:00", spo2=spo2, **others)
        return evaluate((now,), plan, now.received_at).severity or 0

    assert severity(low) >= severity(high)


@settings(deadline=None)
@given(spo2=st.integers(0, 100), answer=st.integers(0, 20), baseline=st.none() | st.integers(70, 100))
@pytest.mark.hazard("H5")
def test_an_answer_never_lowers(spo2: int, answer: int, baseline: int | None) -> None:
    stay, asked = Stay(baseline_spo2=baseline), Stay(baseline_spo2=baseline)
    stay.reads("08:00", spo2=spo2)
    asked.reads("08:00", spo2=spo2)
    asked.reads("08:05", breathlessness=answer / 2)
    for family, episode in stay.record.episodes.items():
        assert asked.alert(family).severity >= episode.severity
