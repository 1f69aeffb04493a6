"""The escalation policy as a value."""

import pytest

from alerts.policy import DEFAULT, Notify, Policy, PolicyInvalid, Step


def test_beyond_the_last_step_the_last_one_repeats() -> None:
    assert [DEFAULT.step(number).notify for number in range(5)] == [
        "on_duty", "lead", "out_of_hours", "out_of_hours", "out_of_hours",
    ]  # fmt: skip


def test_when_nobody_is_on_duty_the_out_of_hours_step_is_taken_or_else_the_last() -> None:
    assert DEFAULT.uncovered() == 2
    assert Policy((Step(0, Notify.OUT_OF_HOURS), Step(5, Notify.LEAD))).uncovered() == 0
    assert Policy((Step(0, Notify.ON_DUTY), Step(5, Notify.LEAD))).uncovered() == 1


def test_a_particular_person_is_named_by_id() -> None:
    assert Step(0, "staff:abc").staff_id == "abc"
    assert Step(0, Notify.LEAD).staff_id is None


def test_after_a_first_step_at_once_the_second_may_take_an_hour() -> None:
    assert Policy((Step(0, Notify.ON_DUTY), Step(60, Notify.LEAD))).steps[1].after_minutes == 60


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((), [(None, "steps", "out_of_range")]),
        (tuple(Step(n, Notify.LEAD) for n in range(11)), [(None, "steps", "out_of_range")]),
        ((Step(-1, Notify.LEAD),), [(0, "after_minutes", "out_of_range")]),
        ((Step(0, Notify.LEAD), Step(1441, Notify.LEAD)), [(1, "after_minutes", "out_of_range")]),
        ((Step(9, Notify.LEAD), Step(9, Notify.LEAD)), [(1, "after_minutes", "not_ascending")]),
        ((Step(16, Notify.LEAD),), [(0, "after_minutes", "too_late")]),
        ((Step(15, Notify.LEAD), Step(76, Notify.LEAD)), [(1, "after_minutes", "too_late")]),
        ((Step(0, "staff:"), Step(1, "anybody")), [(0, "notify", "unknown"), (1, "notify", "unknown")]),
    ],
)
def test_every_field_that_cannot_be_is_named(steps: tuple[Step, ...], found: list[tuple[int | None, str, str]]) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        Policy(steps)
    assert [(each.step, each.field, each.code) for each in refused.value.problems] == found
    assert str(refused.value)
