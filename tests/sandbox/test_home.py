"""The simulated ward at home: seeded, with the truth beside it, and the same whatever is asked of the patients."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.figures import Found
from alerts.rule_set import DEFAULT, RuleSet
from service.sandbox.comparison import Trial
from service.sandbox.home import LEAVES_AFTER, Home, make_stay
from service.sandbox.kinds import Kind
from service.sandbox.patient import Why
from service.sandbox.rhythm import reading_times
from service.sandbox.trying import Written, on_all, simulations, trial, try_recorded, try_simulated, write_down
from service.sandbox.ward_file import FileRefused, read_ward, write_ward

BEGINS = datetime(2026, 3, 23, 8, tzinfo=UTC)
HOME = Home(patients=24, days=10, seed=3, begins_at=BEGINS)
MILDER = RuleSet(version="milder", standard_red_at=90, standard_amber_at=92)


def nothing(_done: int) -> None:
    pass


@pytest.fixture(scope="module")
def written() -> list[Written]:
    return on_all(partial(write_down, DEFAULT), simulations(HOME), 1, nothing)


@pytest.fixture(scope="module")
def file(written, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ward") / "ward.jsonl"
    with path.open("w") as out:
        write_ward(out, {"seed": HOME.seed}, written)
    return path


def test_the_same_seed_lives_the_same_life_on_any_number_of_processors(written):
    assert on_all(partial(write_down, DEFAULT), simulations(HOME), 2, nothing) == written
    other = Home(HOME.patients, HOME.days, 4, BEGINS)
    assert on_all(partial(write_down, DEFAULT), simulations(other), 1, nothing) != written


def test_every_kind_is_there_and_most_recover():
    kinds = Counter(Home(500, 14, 1, BEGINS).kinds())
    assert set(kinds) == set(Kind)
    assert kinds.most_common(1)[0][0] == Kind.RECOVERY


def test_the_silent_truly_reach_red_and_leave_for_hospital_half_a_day_later(written):
    silent = [stay.lived for stay in written if stay.lived.truth.kind == Kind.SILENT]
    assert silent
    for life in silent:
        assert life.truth.falls_from < life.truth.red_from
        assert life.until == min(BEGINS + timedelta(days=HOME.days), life.truth.red_from + LEAVES_AFTER)


def test_the_true_red_is_the_first_minute_at_which_a_perfect_oximeter_shows_it():
    index = HOME.kinds().index(Kind.SILENT)
    made = make_stay(HOME, Kind.SILENT, index)
    body, red_from = made.stay.patient.body, made.truth.red_from
    assert red_from is not None
    assert body.at(red_from).spo2 <= 92.5
    assert body.at(red_from - timedelta(minutes=1)).spo2 > 92.5


def test_nobody_without_a_deterioration_truly_reaches_red():
    for job in simulations(HOME):
        made = make_stay(HOME, job.kind, job.index)
        if made.truth.red_from is None:
            assert min(made.true_spo2()) > made.stay.plan.limits.red_at + 0.5


def test_the_true_spo2_of_every_hour_stands_beside_the_readings(written):
    for stay in written:
        assert len(stay.true_spo2) == int((stay.lived.until - stay.lived.from_at) / timedelta(hours=1)) + 1


def test_three_readings_a_day_are_planned_and_most_of_them_come(written):
    well = [stay for stay in written if stay.lived.truth.kind == Kind.RECOVERY]
    per_day = sum(len(stay.sent) for stay in well) / sum(stay.lived.days for stay in well)
    assert 2.3 < per_day < 4.5


def test_what_is_measured_as_planned_does_not_depend_on_what_the_rules_ask_for():
    def planned(rule_set: RuleSet) -> list[dict]:
        made = make_stay(HOME, Kind.FORGETFUL, HOME.kinds().index(Kind.FORGETFUL))
        kept, patient = [], made.stay.patient
        while patient.next_at < made.until:
            now = patient.next_at
            for sending in patient.act(now):
                if sending.why == Why.ROUTINE:
                    kept.append({**sending.body, "client_reading_id": ""})
                if rule_set is DEFAULT:
                    patient.told(now, "measure_again_now", [])
        return kept

    assert planned(DEFAULT) == planned(MILDER)


def test_readings_are_taken_at_the_plans_times_of_day_on_both_sides_of_the_clock_change():
    class Punctual:
        def gauss(self, *_):
            return 0.0

    follow, at, seen = reading_times(("09:00", "19:00"), "Europe/London"), datetime(2026, 3, 28, 0, tzinfo=UTC), []
    for _ in range(4):
        at = follow(at, Punctual())
        seen.append(at.astimezone(ZoneInfo("Europe/London")).strftime("%d %H:%M"))
    assert seen == ["28 09:00", "28 19:00", "29 09:00", "29 19:00"]


def test_a_written_ward_read_again_is_judged_as_it_was_lived(written, file):
    stays = read_ward(file)
    assert [stay.stay_id for stay in stays] == [stay.stay_id for stay in written]
    for stay, lived in zip(stays, (stay.lived for stay in written), strict=True):
        (again,) = try_recorded((DEFAULT,), stay)
        assert again == lived


def test_two_rule_sets_on_one_ward_see_the_same_truth_and_differ_in_what_they_raise():
    lives = on_all(trial((DEFAULT, MILDER), simulated=True), simulations(HOME), 1, nothing)
    assert all(a.truth == b.truth for a, b in lives)
    assert sum(len(a.replayed.raised) for a, _ in lives) > sum(len(b.replayed.raised) for _, b in lives)


def test_one_rule_set_tried_twice_side_by_side_is_no_different():
    for job in simulations(HOME)[:8]:
        a, b = try_simulated((DEFAULT, DEFAULT), job)
        assert a == b


STAY = '{"stay": "s1", "plan": {}}\n'
READING = (
    '{"reading": "s1", "received_at": "2026-03-23T09:00:00Z", "observed_at": "2026-03-23T09:00:00Z", "spo2": 97}\n'
)


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "ward.jsonl"
    file.write_text(text)
    with pytest.raises(FileRefused) as problem:
        read_ward(file)
    return problem.value.detail.removeprefix(str(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STAY + "{nonsense", ", line 2: no JSON."),
        (STAY + "[1]", ", line 2: no JSON object."),
        ('{"format": "other"}', ", line 1: format is not wardwatch-ward-1."),
        (STAY + '{"note": 1}', ", line 2: neither stay, reading nor truth."),
        (STAY + STAY, ", line 2: stay s1 is there twice."),
        ('{"stay": "s1", "profil": 1}', ", line 1: unknown key profil."),
        ('{"stay": "s1", "plan": {"baseline_spo2": 12}}', ", line 1: plan: baseline_spo2"),
        ('{"stay": "s1", "plan": {"red": 12}}', ", line 1: plan: unknown key red."),
        ('{"stay": "s1", "plan": [1]}', ", line 1: plan holds no fields."),
        ('{"stay": "s1", "plan": {"baseline_spo2": "high"}}', ", line 1: plan: "),
        ('{"stay": "s1", "plan": {"profile": "kind"}}', ", line 1: plan: a field holds what it cannot."),
        (READING, ", line 1: reading of a stay that no line above names."),
        (STAY + READING.replace("spo2", "spo"), ", line 2: spo: Extra inputs"),
        (STAY + READING.replace("09:00:00Z", "09:00:00"), ", line 2: received_at has no offset from UTC."),
        (STAY + READING.replace('"2026-03-23T09:00:00Z"', "9"), ", line 2: received_at is no time."),
        (STAY + '{"reading": "s1", "spo2": 97}', ", line 2: observed_at is missing."),
        (STAY + READING + READING.replace("T09", "T08"), ", line 3: received before the line above it."),
        (
            STAY + READING + READING.replace("Z", "+01:00").replace("T09", "T11"),
            ", line 3: received_at is in another time zone than line 2: write all times in UTC.",
        ),
        (STAY, " holds no readings."),
        ("", " holds no readings."),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(tmp_path, text, said):
    assert refused(tmp_path, text).startswith(said)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(FileRefused, match=r"gone\.jsonl cannot be read"):
        read_ward(tmp_path / "gone.jsonl")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileRefused, match="cannot be read"):
        read_ward(tmp_path / "bytes")


def test_a_value_the_service_would_refuse_is_counted_and_a_reading_sent_twice_is_one(tmp_path):
    file = tmp_path / "ward.jsonl"
    named = READING.replace('"spo2"', '"client_reading_id": "one", "spo2"')
    file.write_text(STAY + named + named + READING.replace("97", "127"))
    (stay,) = read_ward(file)
    assert [(len(each.readings), each.refused) for each in stay.arrivals] == [(1, 0), (0, 1)]
    assert (stay.from_at, stay.until) == (stay.arrivals[0].at, stay.arrivals[-1].at)


def test_the_share_found_in_time_is_neither_nothing_nor_everything():
    """Three readings a day cannot see everything: a simulator in which they did would be made to fit."""
    home = Home(120, 14, 1, BEGINS)
    jobs = [job for job in simulations(home) if make_stay(home, job.kind, job.index).truth.red_from]
    lives = tuple(try_simulated((DEFAULT,), job)[0] for job in jobs)
    found = Trial("A", DEFAULT, lives)
    assert 0 < found.found(Found.BEFORE) < len(jobs)
