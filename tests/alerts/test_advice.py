"""What the person reads: never reassurance that is not earned, never against their wishes."""

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from alerts.advice import (
    NO_CONTACT,
    Advice,
    AdviceCode,
    Contact,
    advise,
    advise_not_assessed,
    must_not_say,
    safety_text,
)
from alerts.plan import Plan
from alerts.severity import Channel, Family
from tests.alerts.stay import Stay

WISHES: dict[str, Any] = {
    "treatment_escalation": "limited",
    "patient_text": "Ring the hospice team, 01234 567.",
}
NEVER = (
    "normal", "safe", "no need to call", "alerted", "is watching", "are watching", "watched", "monitor",
    "litre", "l/min", "turn up", "turn down", "increase", "reduce", "oxygen",
)  # fmt: skip


PHONE = "0113 496 0000"
CONTACTS = (
    NO_CONTACT,
    Contact(phone=PHONE),
    Contact(text="Ring the night desk, 0113 496 0001."),
    Contact(text="All is normal and safe: your team is watching. Ring 999 only if you must."),
)


def advised(stay: Stay, *, plan: Plan | None = None, watched_now: bool = True, contact: Contact = NO_CONTACT) -> Advice:
    assert stay.evaluation is not None
    episodes = stay.record.episodes.values()
    return advise(stay.evaluation, episodes, plan or stay.record.plan, watched_now=watched_now, contact=contact)


READINGS: tuple[dict[str, Any], ...] = (
    {"spo2": 97, "breathlessness": 0},
    {"spo2": 97, "quality": "poor"},
    {"spo2": 97, "context": "unknown"},
    {"spo2": 97, "context": "sleep"},
    {"spo2": 98, "context": "post_exertion_40_steps"},
    {"pulse_rate": 70},
    {"breathlessness": 0},
    {"spo2": 94},
    {"spo2": 94, "breathlessness": 5},
    {"spo2": 93, "breathlessness": 0},
    {"spo2": 91, "breathlessness": 0},
    {"spo2": 91, "quality": "poor"},
    {"spo2": 45},
    {"spo2": 97, "oxygen_flow": 6},
    {"spo2": 97, "symptoms": ("chest_pain",)},
    {"spo2": 97, "respiratory_rate": 28},
    {"spo2": 97, "temperature": 39.4},
    {"spo2": 97, "time_corrected": True},
)


@cache
def stories() -> tuple[tuple[Stay, dict[str, Any], bool], ...]:
    """Every pair of readings, fresh and late, for both kinds of patient."""
    profiles = ({"profile": "standard", "baseline_spo2": 98}, {"profile": "hypercapnic"})
    told = []
    for first, profile in itertools.product(READINGS, profiles):
        begun = Stay(prescribed_oxygen_flow=1, **profile)
        begun.reads("08:00", **first)
        for second, late in itertools.product(READINGS, (None, "12:00")):
            stay = Stay()
            stay.record = begun.record
            stay.reads("08:20", received=late, **second)
            told.append((stay, second, late is not None))
    return tuple(told)


@pytest.mark.hazard("H5")
def test_no_text_that_must_never_be_written_is_ever_written() -> None:
    written = set()
    for stay, last, late in stories():
        clinical = any(family.channel == Channel.CLINICAL for family in stay.families)
        weak = late or "spo2" not in last or last.get("quality") == "poor" or last.get("context", "rest") != "rest"
        plans = (stay.record.plan, replace(stay.record.plan, **WISHES))
        for plan, watched, contact in itertools.product(plans, (True, False), CONTACTS):
            advice = advised(stay, plan=plan, watched_now=watched, contact=contact)
            written.add((advice, plan is not plans[0], watched, clinical or weak))
    assert len(written) > 50
    for advice, limited, watched, carries_on_never in written:
        text = advice.text.lower()
        assert not [phrase for phrase in NEVER if phrase in text], text
        assert not (limited and ("999" in text or "a&e" in text)), text
        assert watched or limited or "111" in text or "999" in text, text
        if carries_on_never:
            assert advice.code != AdviceCode.CARRY_ON, text
            assert "carry on" not in text


def test_every_code_but_not_assessed_is_reached() -> None:
    codes = {advised(stay).code for stay, _, _ in stories()}
    assert codes == set(AdviceCode) - {AdviceCode.NOT_ASSESSED}


def test_a_fresh_good_value_with_nothing_open_may_carry_on() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97)
    assert advised(stay).code == AdviceCode.CARRY_ON


def test_advice_is_the_worst_of_the_reading_and_every_unresolved_alert() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=97, symptoms=("chest_pain",))
    stay.reads("12:00", spo2=97, breathlessness=0)
    assert advised(stay).code == AdviceCode.EMERGENCY


def test_an_unconfirmed_red_is_measured_again_and_a_confirmed_one_is_an_emergency() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=0)
    again = advised(stay)
    assert again.code == AdviceCode.MEASURE_AGAIN_NOW
    assert "You may feel well; the number still matters." in again.text
    assert "If it is low again, ring 999" in again.text
    stay.reads("08:03", spo2=91, breathlessness=0)
    assert advised(stay).code == AdviceCode.EMERGENCY


def test_amber_that_a_recheck_did_not_settle_rings_the_team() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    assert advised(stay).code == AdviceCode.RECHECK_WITHIN_1_HOUR
    stay.reads("08:30", spo2=94, breathlessness=0)
    assert advised(stay).text.startswith("Ring your ward team now.")
    assert advised(stay, watched_now=False).text.startswith("Ring 111 now")


def test_a_good_recheck_is_not_more_urgent_than_the_amber_before_it() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=1)
    assert advised(stay).code == AdviceCode.RECHECK_WITHIN_1_HOUR
    for at in ("08:20", "08:40"):
        stay.reads(at, spo2=96, breathlessness=1)
        assert stay.families == {Family.OXYGEN}
        assert advised(stay).code == AdviceCode.RECHECK_WITHIN_1_HOUR
        assert "Ring" not in advised(stay, watched_now=False).text


def test_a_recheck_that_did_not_come_rings_the_team_whatever_comes_later() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=1)
    stay.waits_until("09:05")
    for at in ("09:10", "09:30"):
        stay.reads(at, spo2=96, breathlessness=1)
        assert advised(stay).code == AdviceCode.CALL_THE_TEAM


def test_a_retrospective_alert_has_no_text_for_the_patient_but_forbids_carrying_on() -> None:
    stay = Stay()
    stay.reads("08:30", spo2=97)
    stay.reads("08:00", received="08:40", spo2=88, breathlessness=0)
    stay.reads("09:00", spo2=97)
    advice = advised(stay)
    assert advice.code == AdviceCode.RECHECK_WITHIN_1_HOUR
    assert "number" not in advice.text


@pytest.mark.hazard("H13")
def test_too_much_oxygen_rings_the_team_and_says_nothing_of_a_change() -> None:
    stay = Stay(profile="hypercapnic")
    stay.reads("08:00", spo2=94, oxygen_flow=1)
    stay.reads("08:20", spo2=94, oxygen_flow=1)
    assert stay.families == {Family.OVER_OXYGENATION}
    assert advised(stay).code == AdviceCode.CALL_THE_TEAM


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.hazard("H13")
def test_who_has_recorded_wishes_reads_their_own_text(watched: bool) -> None:
    stay = Stay(**WISHES)
    stay.reads("08:00", spo2=97, symptoms=("chest_pain",))
    assert WISHES["patient_text"] in advised(stay, watched_now=watched).text
    assert "999" not in advise_not_assessed(stay.record.plan, watched_now=watched).text
    assert "999" not in safety_text(stay.record.plan, watched_now=watched)


def test_a_reading_kept_but_not_assessed_says_so_and_whom_to_ring() -> None:
    advice = advise_not_assessed(Plan(), watched_now=False)
    assert advice.code == AdviceCode.NOT_ASSESSED
    assert "not assessed" in advice.text
    assert "111" in advice.text
    assert "not recorded" in safety_text(Plan(), watched_now=False)


def test_asking_again_about_an_old_good_value_gives_the_advice_of_now() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=96)
    of_eight = stay.evaluation
    stay.reads("11:00", spo2=90, breathlessness=0)
    assert of_eight is not None
    advice = advise(of_eight, stay.record.episodes.values(), stay.record.plan, watched_now=True)
    assert advice.code == AdviceCode.MEASURE_AGAIN_NOW


def test_a_recovered_alert_rings_the_team_and_is_no_emergency() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=91, breathlessness=0)
    stay.reads("08:05", spo2=91, breathlessness=0)
    stay.reads("08:30", spo2=97)
    assert advised(stay).code == AdviceCode.EMERGENCY
    stay.reads("08:50", spo2=97)
    assert advised(stay).code == AdviceCode.CALL_THE_TEAM


def test_a_value_too_low_to_use_is_measured_again_until_two_good_ones_came() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45)
    stay.reads("08:05", spo2=97)
    assert advised(stay).code == AdviceCode.MEASURE_AGAIN_NOW
    stay.reads("08:25", spo2=97)
    assert advised(stay).code == AdviceCode.RECHECK_WITHIN_1_HOUR


@pytest.mark.hazard("H5")
def test_a_poor_or_unusable_value_never_carries_on() -> None:
    for weak in ({"quality": "poor"}, {"context": "unknown"}, {"spo2": None, "pulse_rate": 80}):
        stay = Stay()
        stay.reads("08:00", **{"spo2": 97, **weak})
        assert stay.families == set()
        assert advised(stay).code == AdviceCode.RECHECK_WITHIN_1_HOUR


def test_whom_to_ring_goes_by_the_clock() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    stay.reads("08:30", spo2=94, breathlessness=0)
    team, night = Contact(phone=PHONE), Contact(text="The night desk is 0113 496 0001.")
    assert advised(stay, contact=team).text.startswith(f"Ring your ward team on {PHONE} now.")
    alone = advised(stay, watched_now=False, contact=team).text
    assert alone.startswith(f"Ring 111, or your ward team on {PHONE}, now.")
    assert "not there" not in alone
    asleep = advised(stay, watched_now=False, contact=night).text
    assert asleep.startswith("Ring 111 now; your team may not be there.")
    assert "The night desk is 0113 496 0001." in asleep
    assert "night desk" not in advised(stay, watched_now=True, contact=night).text


@pytest.mark.hazard("H13")
def test_who_has_recorded_wishes_is_not_sent_elsewhere_by_the_ward() -> None:
    stay = Stay(**WISHES)
    stay.reads("08:00", spo2=93, breathlessness=0)
    text = advised(stay, watched_now=False, contact=Contact(text="Ring 999.")).text
    assert "999" not in text
    assert WISHES["patient_text"] in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ring 111, or 999 if you are very unwell.", None),
        ("The abnormal hours are 20:00 to 08:00.", None),
        ("Everything is Normal.", "Normal"),
        ("Your team is watching.", "is watching"),
        ("Your team has been alerted.", "been alerted"),
        ("You are safe", "safe"),
        ("There is no need to ring.", "no need to ring"),
        ("Turn up your oxygen.", "Turn up"),
        ("Take more oxygen.", "more oxygen"),
    ],
)
@pytest.mark.hazard("H5")
def test_a_wards_own_text_is_looked_through(text: str, found: str | None) -> None:
    assert must_not_say(text) == found


def test_a_second_value_below_fifty_is_an_emergency_and_not_measured_a_third_time() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=45, breathlessness=1)
    assert advised(stay).code == AdviceCode.MEASURE_AGAIN_NOW
    stay.reads("08:10", spo2=47, breathlessness=1)
    assert stay.record.episodes[Family.OXYGEN].confirmed
    assert advised(stay).code == AdviceCode.EMERGENCY


def test_whoever_says_that_they_feel_it_is_not_told_that_they_may_feel_well() -> None:
    for borg, told in ((1, True), (7, False)):
        stay = Stay()
        stay.reads("08:00", spo2=93, breathlessness=borg)
        assert ("You may feel well" in advised(stay).text) is told


def test_a_recheck_that_is_waited_for_is_asked_for() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=93, breathlessness=4)
    assert stay.evaluation is not None
    assert stay.evaluation.recheck_by is not None
    assert advised(stay).code == AdviceCode.CALL_THE_TEAM
    assert advised(stay).text.endswith("measure again.")
    stay.reads("08:05", spo2=97, breathlessness=4)
    assert stay.evaluation.recheck_by is None
    assert advised(stay).code == AdviceCode.CALL_THE_TEAM
    assert "measure again" not in advised(stay).text


def test_a_recheck_that_is_asked_for_already_is_asked_for_once() -> None:
    stay = Stay()
    stay.reads("08:00", spo2=94, breathlessness=0)
    assert stay.evaluation is not None
    assert stay.evaluation.recheck_by is not None
    assert advised(stay).text == (
        "Sit and rest, then take another reading within the hour. You may feel well; the number still matters. "
        "If you feel worse, ring your ward team; if you feel very unwell, ring 999 or go to A&E."
    )


def test_who_has_recorded_wishes_reads_them_wherever_others_are_sent_elsewhere() -> None:
    stay, theirs = Stay(**WISHES), WISHES["patient_text"]
    stay.reads("08:00", spo2=91, breathlessness=3)
    again = f"Sit and rest, warm your hand, and measure again now. If it is low again: {theirs}"
    assert advised(stay).text == f"{again} If you feel worse: {theirs}"
    stay = Stay(**WISHES)
    stay.reads("08:00", spo2=93, breathlessness=4)
    called = advised(stay, watched_now=False).text
    assert called == f"{theirs} If you feel worse: {theirs} Then sit and rest, and measure again."


def test_wishes_that_no_patient_may_read_are_left_out() -> None:
    stay = Stay(treatment_escalation="limited", patient_text="You are safe, carry on")
    stay.reads("08:00", spo2=85, breathlessness=8)
    text = advised(stay).text
    assert "safe" not in text
    assert "999" not in text
    assert "Do what was agreed with your team." in text
