"""What happens when nobody keeps the limits set for people: each thing once, in order, whoever is on duty."""

from collections.abc import Callable
from datetime import datetime

import pytest

from alerts import lifecycle
from alerts.checkpoint import load
from alerts.episode import Episode, Escalation
from alerts.escalation import Passed, Ward, limit_at, pass_limits
from alerts.limits import USUAL_LIMITS
from alerts.policy import DEFAULT, Notify, Policy, Step
from alerts.severity import Severity
from alerts.snoozing import snooze
from tests.alerts.stay import Stay, clock, stored

ON_DUTY, LEAD, OUT_OF_HOURS = range(3)


def ward(watched: Callable[[datetime], bool] | bool = True, policy: Policy = DEFAULT) -> Ward:
    return Ward(USUAL_LIMITS, policy, watched if callable(watched) else lambda _at: watched)


def critical(at: str) -> Episode:
    stay = Stay()
    stay.reads(at, spo2=91, breathlessness=1)
    return stay.alert()


def medium(at: str) -> Episode:
    stay = Stay()
    stay.reads(at, spo2=94)
    return stay.alert()


def told(happened: tuple[Passed, ...]) -> list[tuple[str, str, int | None, int]]:
    """What, when, which step, and the level then."""
    return [(each.what.value, f"{each.at:%H:%M}", each.step, each.after.escalation_level) for each in happened]


def test_critical_at_three_in_the_night_with_nobody_on_duty() -> None:
    episode, happened = pass_limits(critical("3:00"), clock("3:00"), ward(watched=False))
    assert told(happened) == [("uncovered", "03:00", OUT_OF_HOURS, 0)]
    assert limit_at(episode) == clock("3:15")
    episode, happened = pass_limits(episode, clock("3:15"), ward(watched=False))
    assert told(happened) == [("escalated", "03:15", OUT_OF_HOURS, 1)]
    assert happened[0].transition == "T33"


@pytest.mark.parametrize(("spo2", "said"), [(93, ["uncovered"]), (94, [])])
def test_that_nobody_is_there_is_said_at_once_from_high_on(spo2: int, said: list[str]) -> None:
    stay = Stay()
    stay.reads("10:00", spo2=spo2, breathlessness=4 if said else 0)
    assert stay.alert().severity == (Severity.HIGH if said else Severity.MEDIUM)
    assert [each.what.value for each in pass_limits(stay.alert(), clock("10:00"), ward(watched=False))[1]] == said


def test_whoever_first_looks_at_the_limit_itself_sends_one_message() -> None:
    _, happened = pass_limits(critical("10:00"), clock("10:15"), ward(watched=False))
    assert told(happened) == [("uncovered", "10:15", None, 1), ("escalated", "10:15", OUT_OF_HOURS, 1)]


def test_the_steps_of_the_policy_are_taken_one_after_the_other_and_the_last_one_repeats() -> None:
    episode, happened = critical("10:00"), list[Passed]()
    for minute in range(80):
        now = clock(f"{10 + minute // 60}:{minute % 60}")
        episode, passed = pass_limits(episode, now, ward())
        happened += passed
    assert told(tuple(happened)) == [
        ("escalated", "10:15", ON_DUTY, 1),
        ("escalated", "10:30", LEAD, 2),
        ("escalated", "10:45", OUT_OF_HOURS, 3),
        ("escalated", "11:00", OUT_OF_HOURS, 3),
        ("escalated", "11:15", OUT_OF_HOURS, 3),
    ]
    assert happened[-1].after.version == happened[2].after.version, "a repeat is nothing new to whoever saw the alert"


def test_after_hours_in_which_nobody_looked_each_step_is_taken_once_and_its_repeats_are_one() -> None:
    episode, happened = pass_limits(critical("10:00"), clock("16:07"), ward())
    assert told(happened) == [
        ("escalated", "10:15", ON_DUTY, 1),
        ("escalated", "10:30", LEAD, 2),
        ("escalated", "10:45", OUT_OF_HOURS, 3),
        ("escalated", "16:00", OUT_OF_HOURS, 3),
    ]
    assert limit_at(episode) == clock("16:15")
    assert pass_limits(episode, clock("16:14"), ward()) == (episode, ())


def test_who_goes_home_after_the_alert_came_leaves_it_uncovered_at_its_limit() -> None:
    until_ten = ward(lambda at: at < clock("10:10"))
    episode, happened = pass_limits(critical("10:00"), clock("10:00"), until_ten)
    assert happened == ()
    episode, happened = pass_limits(episode, clock("10:30"), until_ten)
    assert told(happened) == [
        ("uncovered", "10:15", None, 1),
        ("escalated", "10:15", OUT_OF_HOURS, 1),
        ("escalated", "10:30", OUT_OF_HOURS, 2),
    ]
    mild, _ = pass_limits(medium("10:00"), clock("10:00"), until_ten)
    assert mild == medium("10:00"), "whether anybody is there is asked at once for what is urgent alone"
    _, happened = pass_limits(mild, clock("12:00"), until_ten)
    assert told(happened) == [("uncovered", "12:00", None, 1), ("escalated", "12:00", OUT_OF_HOURS, 1)]


def test_limits_of_what_is_not_urgent_go_on_in_service_hours() -> None:
    episode, happened = medium("17:50"), list[Passed]()
    for now in ("19:50", "20:30", "1 7:59", "1 8:04", "1 8:05", "1 8:20"):
        episode, passed = pass_limits(episode, clock(now), ward())
        happened += passed
    assert told(tuple(happened)) == [
        ("escalated", "19:50", ON_DUTY, 1),
        ("escalated", "08:05", LEAD, 2),
        ("escalated", "08:20", OUT_OF_HOURS, 3),
    ]


def test_contact_that_is_not_made_escalates_and_the_acknowledgement_ends() -> None:
    episode, _ = pass_limits(critical("10:00"), clock("10:00"), ward())
    taken = lifecycle.acknowledge(episode, clock("10:05"), USUAL_LIMITS)
    assert limit_at(taken) == clock("10:30")
    _, happened = pass_limits(taken, clock("10:35"), ward())
    assert told(happened) == [("escalated", "10:30", ON_DUTY, 1), ("ack_expired", "10:35", None, 2)]
    assert [(each.transition, each.reason) for each in happened] == [
        ("T34", "no contact in time"),
        ("T21", "no contact was recorded in time"),
    ]
    after = happened[-1].after
    assert (after.state, after.respond_by, limit_at(after)) == ("open", clock("10:50"), after.opened_at)


def test_an_acknowledgement_that_ends_with_nobody_there_is_uncovered() -> None:
    episode, _ = pass_limits(critical("10:00"), clock("10:00"), ward())
    taken = lifecycle.acknowledge(episode, clock("10:05"), USUAL_LIMITS)
    _, happened = pass_limits(taken, clock("10:36"), ward(lambda at: at < clock("10:33")))
    assert told(happened)[-2:] == [("ack_expired", "10:35", None, 2), ("uncovered", "10:35", OUT_OF_HOURS, 2)]


def test_contact_meets_every_limit() -> None:
    episode, _ = pass_limits(critical("10:00"), clock("10:00"), ward())
    taken = lifecycle.contact(
        lifecycle.acknowledge(episode, clock("10:05"), USUAL_LIMITS), clock("10:10"), reached=True
    )
    assert limit_at(taken) is None
    assert pass_limits(taken, clock("1 10:00"), ward()) == (taken, ())


def test_a_resolved_alert_waits_for_nobody() -> None:
    closed = lifecycle.resolve(critical("10:00"), clock("10:05"))
    assert limit_at(closed) is None
    assert pass_limits(closed, clock("11:00"), ward()) == (closed, ())


def test_a_snooze_ends_by_its_time_and_holds_up_no_limit() -> None:
    snoozed = snooze(medium("10:00"), clock("10:10"), clock("10:40"))
    assert limit_at(snoozed) == clock("10:40")
    after, happened = pass_limits(snoozed, clock("12:00"), ward())
    assert told(happened) == [("snooze_ended", "10:40", None, 0), ("escalated", "12:00", ON_DUTY, 1)]
    assert (happened[0].transition, after.snoozed_until) == ("T42", None)


def test_a_new_limit_begins_with_the_first_step_and_asks_anew_who_is_there() -> None:
    stay = Stay()
    stay.reads("10:00", spo2=94)
    escalated, _ = pass_limits(stay.alert(), clock("12:00"), ward())
    again = lifecycle.unacknowledge(
        lifecycle.acknowledge(escalated, clock("12:05"), USUAL_LIMITS), clock("12:06"), USUAL_LIMITS
    )
    _, happened = pass_limits(again, clock("14:06"), ward())
    assert told(happened) == [("escalated", "14:06", ON_DUTY, 2)]
    stay.reads("10:30", spo2=91, breathlessness=0)
    _, happened = pass_limits(stay.alert(), clock("10:30"), ward(watched=False))
    assert told(happened) == [("uncovered", "10:30", OUT_OF_HOURS, 0)]


def test_a_first_step_may_come_later_than_the_limit_and_a_single_one_repeats() -> None:
    late = ward(policy=Policy((Step(10, Notify.LEAD),)))
    episode, happened = pass_limits(critical("10:00"), clock("10:24"), late)
    assert (told(happened), limit_at(episode)) == ([], clock("10:25"))
    _, happened = pass_limits(episode, clock("10:40"), late)
    assert told(happened) == [("escalated", "10:25", 0, 1), ("escalated", "10:40", 0, 1)]


@pytest.mark.parametrize("when", ["10:00", "10:15", "10:50"])
def test_how_far_the_steps_have_gone_survives_being_stored(when: str) -> None:
    episode, _ = pass_limits(critical("10:00"), clock(when), ward())
    assert load(stored(episode)) == episode


def test_a_checkpoint_of_the_release_before_has_taken_no_step() -> None:
    checkpoint = stored(critical("10:00"))
    del checkpoint["escalation"]
    assert load(checkpoint).escalation == Escalation()


def test_what_is_technical_repeats_every_hour_round_the_clock() -> None:
    stay = Stay()
    stay.reads("22:00", spo2=40)
    technical = next(each for each in stay.record.episodes.values() if each.family == "technical")
    episode, happened = pass_limits(technical, clock("1 0:31"), ward())
    assert told(happened)[-2:] == [("escalated", "23:30", OUT_OF_HOURS, 3), ("escalated", "00:30", OUT_OF_HOURS, 3)]
    assert limit_at(episode) == clock("1 1:30")
