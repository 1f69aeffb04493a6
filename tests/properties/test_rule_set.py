"""What holds under any rule set."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerts.evaluate import evaluate
from alerts.plan import Plan
from tests.alerts.stay import reading
from tests.alerts.test_rule_set import ward


@given(
    values=st.tuples(st.integers(50, 100), st.integers(50, 100)).map(sorted),
    limits=st.integers(80, 94).flatmap(lambda red: st.tuples(st.just(red), st.integers(red + 1, 96))),
    rise=st.sampled_from([1, 2, 3]),
    answer=st.none() | st.integers(0, 10),
    usual=st.none() | st.integers(0, 5),
    feeling=st.sampled_from([None, "worse", "same"]),
)
def test_under_every_rule_set_a_lower_value_is_never_less_severe(
    values: list[int], limits: tuple[int, int], rise: int, answer: int | None, usual: int | None, feeling: Any
) -> None:
    red, amber = limits
    rules = ward(standard_red_at=red, standard_amber_at=amber, worse_rise=rise)
    plan = Plan(usual_breathlessness=usual)

    def severity(spo2: int) -> int:
        now = reading("08:00", spo2=spo2, breathlessness=answer, feeling=feeling, oxygen_flow=0)
        return evaluate((now,), plan, now.received_at, rule_set=rules).severity or 0

    assert severity(values[0]) >= severity(values[1])
