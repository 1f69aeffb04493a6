"""A reading entered in error: the alerts become what they would be without it, and nothing is closed by it."""

from typing import Any

import pytest

from alerts.change import Change, Kind
from alerts.correct import Closing, correct, refold
from alerts.decide import Decisions
from alerts.episode import State
from alerts.fold import PlanEvent, RuleSetEvent, Verb
from alerts.limits import USUAL_LIMITS
from alerts.plan import Plan
from alerts.reading import Reading
from alerts.record import Record
from alerts.rule_set import RuleSet
from alerts.severity import Family, Severity
from alerts.transitions import Trigger, step
from tests.alerts.stay import Stay, clock, reading

OXYGEN = Family.OXYGEN


def without(
    stay: Stay, sent: list[Reading], wrong: Reading, at: str, closings: list[Closing] | None = None
) -> Decisions:
    left = [each for each in sent if each is not wrong]
    folded = refold(Record(), left, [], [], closings or [], clock(at)).episodes
    return correct(stay.record.episodes, folded, clock(at), wrong.id, USUAL_LIMITS)


def told(*sent: tuple[str, dict[str, Any]]) -> tuple[Stay, list[Reading]]:
    stay = Stay()
    readings = [reading(at, **values) for at, values in sent]
    for each in readings:
        stay.receives(each)
    return stay, readings


def only(decisions: Decisions) -> Change:
    (change,) = decisions.changes
    return change


def test_an_alert_without_evidence_is_recovered_and_waits_for_a_person() -> None:
    stay, sent = told(("08:00", {"spo2": 88, "breathlessness": 1}))
    decided = without(stay, sent, sent[0], "08:05")
    change, after = only(decided), decided.episodes[OXYGEN]
    assert (change.kind, change.transition, change.reason) == (Kind.RECOVERED, "T9", "a reading was entered in error")
    assert (after.state, after.recovered_at, after.waits) == (State.RECOVERED, clock("08:05"), ())
    assert (after.severity, after.peak_severity) == (Severity.CRITICAL, Severity.CRITICAL)
    assert "entered in error" in after.explanation.text


def test_a_mild_alert_without_evidence_is_not_closed_in_silence_either() -> None:
    stay, sent = told(("08:00", {"spo2": 94, "breathlessness": 0}))
    assert without(stay, sent, sent[0], "08:05").episodes[OXYGEN].state == State.RECOVERED


def test_what_somebody_took_stays_taken() -> None:
    stay, sent = told(("08:00", {"spo2": 88, "breathlessness": 1}))
    stay.acts("08:02", Verb.ACKNOWLEDGE)
    after = without(stay, sent, sent[0], "08:05").episodes[OXYGEN]
    assert (after.state, after.acknowledged_at) == (State.ACKNOWLEDGED, clock("08:02"))
    assert after.recovered_at == clock("08:05")


def test_said_again_nothing_happens_again() -> None:
    stay, sent = told(("08:00", {"spo2": 88, "breathlessness": 1}))
    first = without(stay, sent, sent[0], "08:05")
    again = correct(first.episodes, {}, clock("08:06"), "other", USUAL_LIMITS)
    assert again.changes == ()
    assert again.episodes[OXYGEN].explanation.text.count("entered in error") == 1


def test_other_evidence_keeps_the_alert_at_its_own_severity() -> None:
    stay, sent = told(("08:00", {"spo2": 88, "breathlessness": 1}), ("08:10", {"spo2": 93, "breathlessness": 1}))
    decided = without(stay, sent, sent[0], "08:12")
    after = decided.episodes[OXYGEN]
    assert only(decided).kind == Kind.DOWNGRADED
    assert (after.severity, after.peak_severity, after.state) == (Severity.HIGH, Severity.CRITICAL, State.OPEN)
    assert after.opened_at == clock("08:00")
    assert [trace.key for trace in after.traces] == ["R2", "R3"]


def test_a_reading_that_changed_nothing_leaves_everything_as_it_is() -> None:
    stay, sent = told(("08:00", {"spo2": 88, "breathlessness": 1}), ("08:01", {"pulse_rate": 80}))
    decided = without(stay, sent, sent[1], "08:02")
    assert decided.changes == ()
    assert decided.episodes[OXYGEN] is stay.alert()


def test_what_an_error_had_cleared_stands_again() -> None:
    stay, sent = told(("08:00", {"spo2": 94, "breathlessness": 0}), ("08:20", {"spo2": 97}), ("08:40", {"spo2": 98}))
    assert stay.families == set()
    change = only(without(stay, sent, sent[2], "08:45"))
    assert (change.kind, change.before, change.after.opened_at) == (Kind.OPENED, None, clock("08:45"))
    assert change.after.respond_by is not None
    assert change.after.respond_by > clock("08:45")


def test_what_an_error_had_made_recovered_is_open_again() -> None:
    stay, sent = told(
        ("08:00", {"spo2": 91, "breathlessness": 1}),
        ("08:05", {"spo2": 90, "breathlessness": 1}),
        ("08:20", {"spo2": 96}),
        ("08:40", {"spo2": 97}),
    )
    assert stay.alert().state == State.RECOVERED
    decided = without(stay, sent, sent[3], "08:50")
    assert (only(decided).kind, decided.episodes[OXYGEN].state) == (Kind.REOPENED, State.OPEN)
    assert decided.episodes[OXYGEN].recovered_at is None


def test_what_a_person_closed_stays_closed() -> None:
    stay, sent = told(("08:00", {"spo2": 94, "breathlessness": 0}), ("08:20", {"spo2": 97}))
    stay.acts("08:30", Verb.RESOLVE)
    decided = without(stay, sent, sent[1], "08:45", [Closing(clock("08:30"), OXYGEN)])
    assert decided.changes == ()
    assert decided.episodes == {}


@pytest.mark.parametrize("wrong", [0, 1])
def test_what_no_reading_is_the_evidence_of_stays(wrong: int) -> None:
    stay, sent = told(("08:00", {"spo2": 40}), ("08:01", {"spo2": 97, "time_corrected": True}))
    technical = stay.alert(Family.TECHNICAL)
    refused = technical.traces[0].__class__(
        key="R20", rule_id="R20", name="refused", rank=15, severity=Severity.MEDIUM, confirmed=True, active=True,
        first_breach_at=clock("08:00"), last_breach_at=clock("08:00"),
    )  # fmt: skip
    episodes = {Family.TECHNICAL: technical._replace(traces=(*technical.traces, refused))}
    after = correct(episodes, {}, clock("08:10"), sent[wrong].id, USUAL_LIMITS).episodes[Family.TECHNICAL]
    assert [trace.key for trace in after.traces] == ["R20"]
    assert after.state == State.OPEN


def test_each_reading_is_judged_by_the_plan_of_its_receipt() -> None:
    first, second = reading("08:00", spo2=91, breathlessness=1), reading("09:00", spo2=91, breathlessness=1)
    plans = [PlanEvent(clock("08:00"), Plan(profile="hypercapnic")), PlanEvent(clock("08:30"), Plan())]
    folded = refold(Record(), [second, first], plans, [], [], clock("09:01")).episodes
    assert folded[OXYGEN].first_breach_at == clock("09:00")


def test_a_cleared_episode_that_nobody_sees_any_more_is_not_raised_again() -> None:
    stay, _ = told(("08:00", {"spo2": 91, "breathlessness": 1}), ("08:20", {"spo2": 96}), ("08:40", {"spo2": 97}))
    assert correct({}, stay.record.episodes, clock("08:50"), "wrong", USUAL_LIMITS).changes == ()


def test_each_reading_is_judged_again_by_the_rule_set_of_its_time() -> None:
    """What was red by the ward's own rules stays red when something before them is taken back."""
    stricter = RuleSet(version="own", standard_red_at=93)
    values = {"spo2": 93, "breathlessness": 3}
    before, at_once, after = (reading(at, **values) for at in ("08:00", "08:30", "09:00"))
    lives = [RuleSetEvent(clock("08:30"), stricter)]
    for left, severity in (([before], Severity.HIGH), ([at_once], Severity.CRITICAL), ([after], Severity.CRITICAL)):
        folded = refold(Record(), left, [], lives, [], clock("09:01")).episodes
        assert folded[OXYGEN].severity == severity


def test_people_close_after_what_arrived_and_before_what_comes_later() -> None:
    first, second = reading("08:00", spo2=91, breathlessness=1), reading("09:00", spo2=91, breathlessness=1)
    closed = refold(Record(), [first, second], [], [], [Closing(clock("08:30"), OXYGEN)], clock("09:01"))
    assert closed.episodes[OXYGEN].first_breach_at == clock("09:00")
    together = refold(Record(), [first, second], [], [], [Closing(clock("09:00"), OXYGEN)], clock("09:01"))
    assert together.episodes == {}


def test_what_is_left_without_evidence_keeps_its_rules_quiet_and_is_new_to_whoever_saw_it() -> None:
    stay, sent = told(("08:00", {"spo2": 88, "breathlessness": 1}))
    after = without(stay, sent, sent[0], "08:05").episodes[OXYGEN]
    assert [(trace.key, trace.active) for trace in after.traces] == [("R1", False), ("R3", False)]
    assert after.version == stay.alert().version + 1


def test_the_machines_part_is_that_of_the_fold() -> None:
    stay, _ = told(("08:00", {"spo2": 88, "breathlessness": 1}), ("08:10", {"spo2": 93, "breathlessness": 1}))
    other, _ = told(("08:10", {"spo2": 93, "breathlessness": 1}))
    red, silent = other.alert().traces
    folded = other.alert()._replace(
        traces=(red, silent._replace(severity=Severity.MEDIUM)), reading_count=7, retrospective=True
    )
    assert folded.waits
    after = correct(stay.record.episodes, {OXYGEN: folded}, clock("08:12"), "wrong", USUAL_LIMITS).episodes[OXYGEN]
    assert (after.severity, after.waits, after.reading_count) == (Severity.HIGH, folded.waits, 7)
    assert (after.retrospective, after.last_breach_at) == (True, clock("08:10"))


def test_one_rule_that_still_speaks_is_enough_to_stand_again() -> None:
    other, _ = told(("08:10", {"spo2": 88, "breathlessness": 1}))
    red, silent = other.alert().traces
    folded = other.alert()._replace(traces=(red, silent._replace(active=False)))
    assert only(correct({}, {OXYGEN: folded}, clock("08:12"), "wrong", USUAL_LIMITS)).kind == Kind.OPENED


def test_what_is_open_again_has_the_transition_of_a_breach() -> None:
    stay, sent = told(
        ("08:00", {"spo2": 91, "breathlessness": 1}), ("08:05", {"spo2": 90, "breathlessness": 1}),
        ("08:20", {"spo2": 96}), ("08:40", {"spo2": 97}),
    )  # fmt: skip
    change = only(without(stay, sent, sent[3], "08:50"))
    assert change.transition == step(State.RECOVERED, Trigger.BREACH)[1]
