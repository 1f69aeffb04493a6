"""Histories with people, plans and pauses in them, told from the beginning."""

from alerts.fold import HumanEvent, PauseEvent, PlanEvent, Verb, fold
from alerts.plan import Plan
from alerts.record import Record
from alerts.severity import Family
from alerts.watch import begin_watch
from tests.alerts.stay import clock, reading


def test_a_whole_stay_with_people_and_a_new_plan_in_it() -> None:
    readings = [
        reading("07:50", spo2=91, breathlessness=1), reading("13:00", spo2=91, breathlessness=1),
        reading("14:00", spo2=91, breathlessness=1),
    ]  # fmt: skip
    people = [
        HumanEvent(clock("08:00"), Family.OXYGEN, Verb.ACKNOWLEDGE),
        HumanEvent(clock("08:10"), Family.OXYGEN, Verb.CONTACT),
        HumanEvent(clock("13:30"), Family.OXYGEN, Verb.RESOLVE),
    ]
    plans = [PlanEvent(clock("13:40"), Plan(profile="hypercapnic"))]  # type: ignore[arg-type]
    story = fold(Record(), readings, people, plans, until=clock("20:00"))
    assert [change.kind for change in story.changes] == ["opened", "confirmed", "reopened"]
    assert story.episodes == {}
    assert story.record.plan.news2_scale == 2


def test_a_story_goes_on_until_it_is_told_to_stop() -> None:
    readings = [reading("08:00", spo2=92, breathlessness=1)]
    assert len(fold(Record(), readings, until=clock("08:14")).changes) == 1
    assert len(fold(Record(), readings, until=clock("08:15")).changes) == 2


def test_a_story_with_a_pause_in_it_asks_for_no_reading_until_the_pause_is_ended() -> None:
    start = Record(watch=begin_watch(clock("08:00")))
    pauses = [PauseEvent(clock("08:30"), clock("1 08:30")), PauseEvent(clock("15:00"), None)]
    story = fold(start, pauses=pauses, until=clock("1 00:00"))
    assert [(reminder.slot, reminder.at) for reminder in story.reminders] == [(clock("19:00"), clock("20:00"))]
