"""What seldom happens, and must all the same be right."""

from datetime import date, time
from typing import Any

import pytest

from alerts.calendar import Span, Timetable
from alerts.case import Placement
from alerts.evaluate import evaluate
from alerts.judge import catch_up
from alerts.plan import Plan
from alerts.receipt import receipt
from alerts.rule import Finding
from alerts.rules.absence import MISSED_RECHECK
from alerts.severity import Family, Severity
from tests.alerts.stay import COMPLETE, Stay, clock, reading


def test_new_confusion_in_a_complete_set_is_one_alert_of_symptoms() -> None:
    stay = Stay()
    values: dict[str, Any] = {**COMPLETE, "consciousness": "voice"}
    stay.reads("08:00", spo2=97, breathlessness=0, **values)
    assert stay.families == {Family.SYMPTOMS}
    assert "R9" in stay.alert(Family.SYMPTOMS).rule_ids


def test_two_late_greens_before_the_quarter_of_an_hour_leave_nothing_to_wait_for() -> None:
    stay = Stay()
    stay.reads("07:00", received="08:00", spo2=91, breathlessness=1)
    stay.reads("07:30", received="08:01", spo2=96)
    stay.reads("07:50", received="08:02", spo2=97)
    assert stay.alert().next_due_at is None
    assert stay.waits_until("09:00") == []


def test_an_evaluation_says_its_quality_and_why_each_other_rule_was_silent() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=1, quality="fair")
    assert stay.evaluation is not None
    silent = {line.rule.id for line in receipt(stay.evaluation) if line.outcome != "fired"}
    fired = {finding.rule_id for finding in stay.evaluation.findings}
    assert {finding.name for finding in stay.evaluation.findings} == {"spo2_red", "silent_hypoxia"}
    assert not silent & fired
    assert {"R2", "R14", "R15", "R23"} <= silent


def test_an_evaluation_is_as_severe_as_the_worst_it_found() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, pulse_rate=115)
    assert stay.evaluation is not None
    assert {finding.severity for finding in stay.evaluation.findings} > {Severity.CRITICAL}
    assert stay.evaluation.severity == Severity.CRITICAL


def test_a_reading_judged_by_itself_is_the_newest_there_is() -> None:
    case = evaluate((reading("08:00", spo2=97),), Plan(), clock("08:00")).case
    assert (case.placement, case.in_order) == (Placement.LIVE, True)


def test_the_alert_says_of_a_missed_recheck_what_the_rule_says() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.waits_until("09:00")
    finding = Finding(MISSED_RECHECK, Family.OXYGEN, Severity.HIGH, None, (), ())
    assert stay.alert().explanation.text.endswith(MISSED_RECHECK.says(finding))


@pytest.mark.parametrize("until", ["11:30", "12:00"])
def test_a_pause_that_is_over_by_the_row_is_none(until: str) -> None:
    stay = Stay(admitted="10:00", baseline_spo2=97)
    stay.waits_until("11:00")
    caught = catch_up(stay.record, stay.record.plan, clock(until), clock("12:00"))
    assert caught.record is stay.record


def test_a_timetable_of_some_people_has_no_shift_of_others() -> None:
    day, hers = Span(time(8), time(16), "hers"), Span(time(16), time(20), "his")
    table = Timetable(((day, hers),) * 7, {date(2026, 12, 25): (hers,)})
    only = table.only({"hers"})
    assert only.on(date(2026, 11, 23)) == (day,)
    assert only.on(date(2026, 12, 25)) == ()
