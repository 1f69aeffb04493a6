"""Every step of the life cycle happens, and no other: one story for each transition."""

import pytest

from alerts.episode import State
from alerts.transitions import TRANSITIONS, IllegalTransition, Trigger, step
from tests.alerts.stories import STORIES, told

AFTER = {number: state for state, number in TRANSITIONS.values()}


def test_there_is_a_story_for_every_transition() -> None:
    assert set(STORIES) == set(AFTER)


@pytest.mark.parametrize("number", STORIES)
def test_the_story_ends_with_its_transition(number: str) -> None:
    assert told(number) == (number, AFTER[number])


@pytest.mark.parametrize("state", [None, *State])
def test_whatever_is_not_in_the_table_is_refused_with_what_is(state: State | None) -> None:
    legal = {trigger for before, trigger in TRANSITIONS if before == state}
    for trigger in set(Trigger) - legal:
        with pytest.raises(IllegalTransition) as refused:
            step(state, trigger)
        assert set(refused.value.legal) == legal
