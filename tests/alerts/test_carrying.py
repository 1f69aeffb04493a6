"""A transfer raises again what is open, from the readings that came along, and never lowers it."""

from alerts.carrying import carry
from alerts.episode import State
from alerts.fold import Verb
from alerts.record import Record
from alerts.severity import Family, Severity
from tests.alerts.stay import Stay, clock, reading


def test_an_alert_is_raised_again_from_its_readings_with_limits_of_its_own() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.acts("08:10", Verb.ACKNOWLEDGE)
    stay.waits_until("08:15")
    copy = reading("08:00", id="copy", spo2=91, breathlessness=1)
    carried = carry(Record(), [copy], stay.record.episodes, {"08:00/08:00": "copy"}, clock("09:00"))
    (change,) = carried.changes
    alert = carried.episodes[Family.OXYGEN]
    assert (change.kind, change.transition, change.at, change.before) == ("opened", "T1", clock("09:00"), None)
    assert (alert.state, alert.confirmed, alert.first_breach_at) == (State.OPEN, True, clock("08:00"))
    assert (alert.opened_at, alert.respond_by, alert.acknowledged_at) == (clock("09:00"), clock("09:15"), None)
    assert {item.reading_id for item in alert.explanation.inputs} == {"copy"}


def test_what_the_copies_do_not_explain_is_carried_as_it_stood() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94)
    before = stay.record.episodes
    carried = carry(Record(), [], before, {"08:00/08:00": "copy"}, clock("08:30"))
    alert = carried.episodes[Family.OXYGEN]
    assert (alert.title, alert.severity) == (stay.alert().title, Severity.MEDIUM)
    assert [wait.due_at for wait in alert.waits] == [wait.due_at for wait in stay.alert().waits]
    assert {item.reading_id for item in alert.explanation.inputs} == {"copy"}


def test_a_transfer_never_lowers_an_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    milder = reading("08:00", id="copy", spo2=94, breathlessness=4)
    carried = carry(Record(), [milder], stay.record.episodes, {}, clock("08:30"))
    alert = carried.episodes[Family.OXYGEN]
    assert alert.severity == Severity.CRITICAL
    assert {item.reading_id for item in alert.explanation.inputs} == {None}


def test_what_a_person_closed_stays_closed() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1)
    stay.acts("08:10", Verb.RESOLVE)
    copy = reading("08:00", id="copy", spo2=91, breathlessness=1)
    carried = carry(Record(), [copy], stay.record.episodes, {}, clock("09:00"))
    assert (carried.changes, carried.episodes) == ((), {})
