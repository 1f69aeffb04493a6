"""The simulated ward by itself: seeded, believable, and with all in it that goes wrong with readings."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from service.readings.schemas import ReadingIn
from service.sandbox.kinds import FIRST_EIGHT, Kind
from service.sandbox.measuring import AHEAD, NO_VALUE
from service.sandbox.patient import Sending, Why
from service.sandbox.ward import SimulatedWard, make_ward

BEGINS = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ONSET = timedelta(minutes=20)


def lived(ward: SimulatedWard, hours: float) -> list[tuple[datetime, Sending]]:
    """All that is sent in so many hours, by a ward that is never told anything."""
    sent = []
    while (at := ward.next_at) < BEGINS + timedelta(hours=hours):
        sent += [(at, sending) for sending in ward.act(at)]
    return sent


def of_kind(ward: SimulatedWard, kind: Kind) -> int:
    return next(patient.index for patient in ward.patients if patient.kind == kind)


@pytest.fixture(scope="module")
def ward() -> SimulatedWard:
    return make_ward(24, 1, BEGINS, ONSET)


@pytest.fixture(scope="module")
def day(ward: SimulatedWard) -> list[tuple[datetime, Sending]]:
    return lived(ward, 48)


def test_the_same_seed_makes_the_same_ward_and_another_seed_another():
    first, again, other = (lived(make_ward(12, seed, BEGINS, ONSET), 8) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_ward_of_eight_has_every_kind_once():
    assert {patient.kind for patient in make_ward(8, 5, BEGINS, ONSET).patients} == set(Kind)
    assert len(FIRST_EIGHT) == len(Kind)


def test_every_reading_but_the_faulty_devices_is_one_the_service_takes(day):
    for _, sending in day:
        if sending.body.get("spo2") != NO_VALUE:
            ReadingIn.model_validate(sending.body)


def test_measured_values_are_whole_and_the_truth_beside_them_is_not(day):
    measured = [sending for _, sending in day if "spo2" in sending.body]
    assert all(isinstance(sending.body["spo2"], int) for sending in measured)
    assert any(sending.truth.spo2 != round(sending.truth.spo2) for sending in measured)


def test_a_steady_signal_shows_the_truth_within_four_points_nearly_always(day):
    steady = [
        abs(sending.body["spo2"] - sending.truth.spo2)
        for _, sending in day
        if sending.body.get("signal_quality") == "good" and sending.body["spo2"] != NO_VALUE
    ]
    assert len(steady) > 300
    assert sum(error <= 4 for error in steady) / len(steady) > 0.98


def test_the_silent_patient_is_low_within_an_hour_and_a_half_and_hardly_breathless(ward, day):
    index = of_kind(ward, Kind.SILENT)
    low = [(at, sending) for at, sending in day if sending.patient == index and sending.body.get("spo2", 100) <= 92]
    assert low[0][0] <= BEGINS + timedelta(minutes=90)
    assert all(sending.body.get("breathlessness", 0) <= 2 for _, sending in low)


def test_a_repeated_post_is_word_for_word_the_reading_sent_before(day):
    first = {sending.body["client_reading_id"]: sending.body for _, sending in reversed(day)}
    repeats = [sending for _, sending in day if sending.why == Why.REPEAT]
    assert repeats
    assert all(first[sending.body["client_reading_id"]] == sending.body for sending in repeats)


def test_what_was_measured_offline_arrives_later_with_the_time_it_was_measured(day):
    late = [
        at - datetime.fromisoformat(sending.body["observed_at"]) for at, sending in day if sending.why == Why.UPLOAD
    ]
    assert max(late) > timedelta(hours=1)
    assert min(late) > timedelta(0)


def test_the_wrong_clock_is_always_ahead_and_only_its_own(ward, day):
    skewed = of_kind(ward, Kind.CLOCK_SKEWED)
    ahead = Counter(
        sending.patient for at, sending in day if datetime.fromisoformat(sending.body["observed_at"]) - at > AHEAD / 2
    )
    assert set(ahead) == {skewed}


def test_the_forgetful_patient_sends_far_fewer_readings_than_the_careful_one(ward, day):
    routine = Counter(s.patient for _, s in day if s.why in (Why.ROUTINE, Why.UPLOAD))
    assert routine[of_kind(ward, Kind.FORGETFUL)] < 0.75 * routine[of_kind(ward, Kind.SILENT)]


def test_exertion_is_said_and_shows_a_fall(ward, day):
    index = of_kind(ward, Kind.EXERTIONAL)
    own = [sending for _, sending in day if sending.patient == index]
    after = [s.truth.spo2 for s in own if s.why == Why.EXERTION]
    rest = [s.truth.spo2 for s in own if s.why == Why.ROUTINE]
    assert all(s.body["context"] == "post_exertion_40_steps" for s in own if s.why == Why.EXERTION)
    assert sum(rest) / len(rest) - sum(after) / len(after) > 3


def test_a_recheck_that_is_asked_for_is_taken_and_not_for_ever():
    ward = make_ward(1, 1, BEGINS, ONSET)
    patient = ward.patients[0]
    now, rechecks = BEGINS, 0
    while now < BEGINS + timedelta(hours=3):
        now = patient.next_at
        for sending in patient.act(now):
            rechecks += sending.why == Why.RECHECK
            patient.told(now, "measure_again_now", ["breathlessness"])
    assert 3 <= rechecks <= 24


def test_history_is_from_before_and_in_order_and_needs_no_answer(ward):
    for patient in make_ward(8, 2, BEGINS, ONSET).patients:
        times = [datetime.fromisoformat(each.body["observed_at"]) for each in patient.history(BEGINS, days=2)]
        assert times == sorted(times)
        assert times[-1] < BEGINS
