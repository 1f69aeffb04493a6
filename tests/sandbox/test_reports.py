"""What replay shows and writes: figures in words, tables a spreadsheet cannot be tricked by, a picture in black too."""

import csv
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from alerts.figures import Lived, Truth
from alerts.replay import Call, Raised, Replayed
from alerts.rule_set import DEFAULT, RuleSet
from alerts.severity import Family, Severity
from service.sandbox.comparison import LEADS, MISSED, Comparison, Trial, hours, rules_that_differ
from service.sandbox.picture import draw
from service.sandbox.report import markdown
from service.sandbox.rule_files import RuleSetFileRefused, read_rule_set
from service.sandbox.spreadsheets import harmless, write_csv, write_tables

BEGIN = datetime(2026, 3, 23, 8, tzinfo=UTC)
MILDER = RuleSet(version="<ward> & co", standard_red_at=90, standard_amber_at=92)
SVG = "{http://www.w3.org/2000/svg}"


def at(hours_later: float) -> datetime:
    return BEGIN + timedelta(hours=hours_later)


def life(stay_id: str, *opened: float, severity: Severity = Severity.HIGH, rule_id: str = "R3") -> Lived:
    raised = tuple(Raised(Family.OXYGEN, rule_id, at(each), severity, (rule_id,), 1, at(each + 1)) for each in opened)
    calls = tuple(Call(at(each), Family.OXYGEN, rule_id, severity) for each in opened)
    truth = Truth("silent", at(2), at(10))
    return Lived(stay_id, BEGIN, at(24), Replayed(raised, calls, 3, 0), truth)


@pytest.fixture
def comparison() -> Comparison:
    a = Trial("A", DEFAULT, (life("=cmd|'/c calc'!A1", 1, 5), life("s2", 3)))
    b = Trial("B", MILDER, (life("=cmd|'/c calc'!A1", 5.5, severity=Severity.CRITICAL), life("s2")))
    return Comparison("Two stays.", (a, b))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_a_spreadsheet_takes_for_a_formula_is_quoted(text):
    assert harmless(text) == f"'{text}"


def test_numbers_stay_numbers_and_harmless_texts_stay_as_they_are(tmp_path):
    write_csv(tmp_path / "t.csv", ("a", "b", "c"), [(-3, "R3", None), (0.5, "=x", 1)])
    assert list(csv.reader((tmp_path / "t.csv").read_text().splitlines())) == [
        ["a", "b", "c"],
        ["-3", "R3", ""],
        ["0.5", "'=x", "1"],
    ]


def test_the_tables_hold_every_alert_every_rate_and_every_event(comparison, tmp_path):
    files = write_tables(comparison, tmp_path / "r")
    rates, stays, alerts, events = (list(csv.DictReader(file.read_text().splitlines())) for file in files)
    assert {(row["severity"], row["alerts_A"], row["alerts_B"]) for row in rates} == {
        ("high", "3", "0"),
        ("critical", "0", "1"),
    }
    assert float(rates[1]["per_patient_day_A"]) == 1.5
    assert [(row["rule_set"], row["raised_by"]) for row in alerts] == [
        ("A", "only_a"),
        ("A", "both"),
        ("A", "only_a"),
        ("B", "both"),
    ]
    assert alerts[0]["stay"].startswith("'=")
    assert [(row["alerts"], row["by_rule"]) for row in stays[:2]] == [("2", "R3 high 2"), ("1", "R3 high 1")]
    assert [(row["found"], row["lead_minutes"]) for row in events] == [
        ("before", "300"),
        ("before", "420"),
        ("before", "270"),
        ("missed", ""),
    ]


def test_the_document_says_in_short_what_each_rule_set_asks_and_finds(comparison):
    text = markdown(comparison, "r.svg")
    assert "| clinical alerts per patient-day (budget 0.3) | 1.500 | 0.500 |" in text
    assert "| HIGH or CRITICAL before the true value reached red | 2 (100%) | 1 (50%) |" in text
    assert "| missed | 0 | 1 |" in text
    assert "| standard_red_at | 92 | 90 |" in text
    assert "A is over the budget: 1.500 clinical alerts per patient-day. Most come from R3 silent_hypoxia" in text
    assert "| R3 | silent hypoxia | 2 | 0 | 1 | 0 | 1 | 0 | 1 |" in text
    assert "](r.svg)" in text


def test_one_rule_set_alone_compares_nothing(comparison):
    alone = replace(comparison, trials=comparison.trials[:1])
    assert "What changed" not in markdown(alone, "r.svg")
    assert alone.compared == ()


def test_without_the_truth_there_is_no_lead_time(comparison):
    trials = tuple(
        replace(trial, lives=tuple(replace(each, truth=None) for each in trial.lives)) for trial in comparison.trials
    )
    text = markdown(Comparison("Recorded.", trials), "r.svg")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "In short",
        "Alerts per patient-day",
        "What changed from A to B",
    ]
    assert "true" not in text.replace("the true red value", "")


def test_the_picture_is_labelled_and_readable_without_colour(comparison):
    picture = ElementTree.fromstring(draw(comparison))
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert picture.find(f"{SVG}title").text
    assert {"A", "B", "critical", "high", "medium", "low", "budget 0.3", "R3 silent hypoxia"} <= set(words)
    assert any("<ward> & co" in word for word in words)
    assert {"1.500", "0.500"} <= set(words)
    hatched = {rect.get("fill") for rect in picture.iter(f"{SVG}rect")}
    assert {"url(#high0)", "url(#medium1)", "url(#low0)"} <= hatched


def test_no_bar_and_no_figure_leaves_the_picture(comparison):
    picture = ElementTree.fromstring(draw(comparison))
    _, _, width, height = map(float, picture.get("viewBox").split())
    for rect in picture.iter(f"{SVG}rect"):
        assert float(rect.get("x", 0)) + float(rect.get("width")) <= width
        assert float(rect.get("y", 0)) <= height
    for text in picture.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= width - 40
        assert 0 < float(text.get("y")) <= height


def test_every_lead_time_falls_into_exactly_one_class():
    for minutes in range(-2000, 2000, 30):
        lead = timedelta(minutes=minutes)
        inside = [n for n, over, up_to in LEADS if (over is None or lead > over) and (up_to is None or lead <= up_to)]
        assert len(inside) == 1
    trial = Trial("A", DEFAULT, (life("s"), life("t", 5)))
    assert dict(trial.lead_classes())[MISSED] == 1
    assert sum(count for _, count in trial.lead_classes()) == 2


@pytest.mark.parametrize(
    ("length", "said"),
    [(None, "–"), (timedelta(minutes=432), "7 h 12 min"), (-timedelta(minutes=61), "-1 h 01 min")],
)
def test_a_lead_time_is_written_in_hours_and_minutes(length, said):
    assert hours(length) == said


def test_rule_sets_come_by_name_or_from_json_and_toml(tmp_path):
    (tmp_path / "a.json").write_text('{"version": "w1", "drop": 4, "off": ["R6", "R5"]}')
    (tmp_path / "a.toml").write_text('version = "w1"\ndrop = 4\noff = ["R5", "R6"]\n')
    a, b = read_rule_set(str(tmp_path / "a.json")), read_rule_set(str(tmp_path / "a.toml"))
    assert a == b != read_rule_set("default")
    assert rules_that_differ(read_rule_set("default"), a) == [
        ("version", DEFAULT.version, "w1"),
        ("drop", "3", "4"),
        ("off", "–", "R5, R6"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"version": "w",\n"red": 1', "a.json, line 2: no JSON"),
        ("a.toml", "version = ", "a.toml: no TOML"),
        ("a.json", "[1]", "a.json holds no table"),
        ("a.json", '{"version": "w", "red_at": 91}', "/red_at: A rule set has no such number."),
        ("a.json", '{"version": "w", "standard_red_at": 99}', "/standard_red_at: 80 to 94."),
        ("a.json", '{"standard_red_at": 91}', "/version: "),
        ("a.json", '{"version": "w", "drop": "3"}', "/drop: "),
        ("a.json", '{"version": "w", "off": ["R1"]}', "/off: "),
        (
            "a.toml",
            'version = "w"\ncritical_contact_minutes = 15',
            "/critical_contact_minutes: Must be above ",
        ),
        ("a.toml", 'version = "w"\ncritical_acknowledge_minutes = 20', "/critical_acknowledge_minutes: 5 to 15."),
    ],
)
def test_a_rule_set_file_that_cannot_be_used_is_refused_with_the_field(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(RuleSetFileRefused) as problem:
        read_rule_set(str(tmp_path / name))
    assert said in problem.value.detail
    assert name in problem.value.detail


def test_a_rule_set_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RuleSetFileRefused, match=r"gone\.toml cannot be read"):
        read_rule_set(str(tmp_path / "gone.toml"))
