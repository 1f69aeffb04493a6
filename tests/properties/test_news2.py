"""NEWS2: what must hold for any set of values."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.news2 import PARAMETERS, Risk, score
from tests.alerts.test_news2 import CONSCIOUSNESS

SETS = st.fixed_dictionaries(
    {
        "scale": st.sampled_from([1, 2]),
        "respiratory_rate": st.none() | st.integers(3, 60),
        "spo2": st.none() | st.integers(0, 100),
        "on_oxygen": st.none() | st.booleans(),
        "systolic_bp": st.none() | st.integers(50, 300),
        "pulse_rate": st.none() | st.integers(20, 250),
        "consciousness": st.none() | st.sampled_from(list(CONSCIOUSNESS.values())),
        "temperature": st.none() | st.floats(30, 43),
    }
)


@settings(deadline=None)
@given(SETS, st.randoms())
def test_the_order_of_the_values_does_not_matter(values: dict[str, Any], chance: random.Random) -> None:
    names = list(values)
    chance.shuffle(names)
    assert score(**{name: values[name] for name in names}) == score(**values)


@settings(deadline=None)
@given(SETS)
def test_a_score_is_complete_exactly_when_nothing_is_missing(values: dict[str, Any]) -> None:
    result = score(**values)
    given_names = {("oxygen" if name == "on_oxygen" else name) for name, value in values.items() if value is not None}
    assert set(result.missing) >= set(PARAMETERS) - given_names
    assert set(result.missing) | set(result.scores) == set(PARAMETERS)
    assert (result.total is None) == (result.risk is None) == bool(result.missing)
    assert 0 <= result.minimum_total <= 20


@settings(deadline=None)
@given(SETS)
def test_risk_follows_from_total_and_single_threes(values: dict[str, Any]) -> None:
    result = score(**values)
    if result.total is None:
        assert result.risk is None
    elif result.total >= 5:
        assert result.risk in (Risk.MEDIUM, Risk.HIGH)
    else:
        assert result.risk == (Risk.LOW_MEDIUM if result.any_single_3 else Risk.LOW)
