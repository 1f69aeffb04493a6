"""The figures kept in docs/ are those of this rule set. `make figures` writes them anew."""

import csv
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from alerts.rule_set import DEFAULT
from service.sandbox.comparison import Comparison, Trial
from service.sandbox.recorded import find_recordings, read_recording
from service.sandbox.recorded_stays import recorded_stay
from service.sandbox.spreadsheets import STAYS_HEAD, stays, write_csv
from service.sandbox.trying import try_recorded
from tests.conftest import ROOT

DOCS = ROOT / "docs"
EVERY_NTH = 25
FIGURE = r"\d+\.\d{3}"


@pytest.mark.parametrize("name", ["replay", "icu-regression"])
def test_a_kept_document_is_of_this_rule_set_and_its_picture_is_one(name):
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert f"* A: rule set `{DEFAULT.version}`" in text
    assert re.search(r"\| clinical alerts per patient-day \(budget 0\.3\) \| " + FIGURE, text)
    assert re.search(rf"A is (within|over) the budget: {FIGURE}", text)
    ElementTree.parse(DOCS / f"{name}.svg")


def test_the_kept_replay_shows_two_rule_sets_side_by_side_with_what_they_found_in_time():
    text = (DOCS / "replay.md").read_text(encoding="utf-8")
    assert "200 simulated patients for 14 days" in text
    assert re.search(r"\| HIGH or CRITICAL before the true value reached red \| \d+ \(\d+%\) \| \d+ \(\d+%\) \|", text)
    assert re.search(r"\| median lead time of those before \| \d+ h \d\d min \| \d+ h \d\d min \|", text)
    assert re.search(r"\| missed \| \d+ \| \d+ \|", text)
    assert "## What changed from A to B" in text


def test_recordings_raise_what_they_raised_when_the_regression_was_written(test_data, tmp_path: Path):
    folder = None if test_data is None else test_data / "icu-vitals"
    if folder is None or not folder.is_dir():
        pytest.skip("recorded vitals are not here (WARDWATCH_TEST_DATA)")
    found = [recorded_stay(read_recording(file)) for file in find_recordings(folder)[::EVERY_NTH]]
    lives = tuple(try_recorded((DEFAULT,), stay)[0] for stay in found)
    assert len(lives) > 20
    write_csv(tmp_path / "now.csv", STAYS_HEAD, stays(Comparison("", (Trial("A", DEFAULT, lives),))))
    kept = {row["stay"]: row for row in _rows(DOCS / "icu-regression-stays.csv")}
    now = _rows(tmp_path / "now.csv")
    differs = [row["stay"] for row in now if kept[row["stay"]] != row]
    assert not differs, "a rule has changed: write the figures anew (make figures) and look at what they say"


def _rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
