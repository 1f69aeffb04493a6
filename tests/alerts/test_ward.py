"""Alerts about a ward itself (R17, R22): raised once, cleared when the cause is gone."""

import pytest

from alerts.episode import Episode
from alerts.limits import USUAL_LIMITS
from alerts.rule import explain
from alerts.ward import (
    DELIVERY_FAILED,
    SYSTEM_DEGRADED,
    clear_on_ward,
    degraded,
    delivery_failed,
    raise_on_ward,
    stands,
)
from tests.alerts.stay import clock


def late() -> Episode:
    return raise_on_ward(None, degraded(("intake", "limits"), clock("9:55")), clock("10:00"), USUAL_LIMITS)[0]


def test_a_late_service_is_high_technical_and_says_what_is_late() -> None:
    episode = late()
    assert (episode.title, episode.severity.word, episode.family.channel.value) == (
        "system_degraded", "high", "technical",
    )  # fmt: skip
    assert "late with: intake, limits" in episode.explanation.text
    assert episode.respond_by == clock("11:00")
    assert stands(episode, SYSTEM_DEGRADED)
    assert not stands(None, SYSTEM_DEGRADED)
    assert not stands(episode, DELIVERY_FAILED)


def test_when_it_works_again_the_alert_stays_for_a_person_to_close() -> None:
    after, change = clear_on_ward(late(), SYSTEM_DEGRADED, clock("10:20"), USUAL_LIMITS)
    assert change is not None
    assert (change.kind.value, change.reason, after.state.value) == ("recovered", "it works again", "recovered")
    assert not stands(after, SYSTEM_DEGRADED)
    again, change = raise_on_ward(after, degraded(("delivery",), clock("10:25")), clock("10:30"), USUAL_LIMITS)
    assert change is not None
    assert (change.kind.value, again.state.value, stands(again, SYSTEM_DEGRADED)) == ("reopened", "open", True)


def test_a_delivery_that_fails_closes_by_itself_when_something_arrives() -> None:
    episode, change = raise_on_ward(None, delivery_failed("e1", clock("9:55")), clock("10:00"), USUAL_LIMITS)
    assert change is not None
    assert (change.kind.value, episode.severity.word, episode.title) == ("opened", "medium", "delivery_failed")
    assert explain(delivery_failed("e1", clock("9:55"))) == "Nothing has reached e1 for more than 5 min."
    after, change = clear_on_ward(episode, DELIVERY_FAILED, clock("10:20"), USUAL_LIMITS)
    assert change is not None
    assert (change.kind.value, after.unresolved) == ("resolved", False)


def test_nothing_is_cleared_where_nothing_stands() -> None:
    with pytest.raises(ValueError, match="nothing stands"):
        clear_on_ward(None, SYSTEM_DEGRADED, clock("10:00"), USUAL_LIMITS)


@pytest.mark.parametrize("rule", [SYSTEM_DEGRADED, DELIVERY_FAILED])
def test_a_rule_about_the_ward_looks_at_no_reading(rule) -> None:
    assert rule.judge(None).reason == "decided_by_time"
    assert rule.inputs(None) == rule.limits(None) == ()
