"""The hazard log and the tests hold each other: no hazard without a control and a test, no test that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOG = (ROOT / "docs" / "safety" / "hazards.md").read_text(encoding="utf-8")
IDS = tuple(f"H{number}" for number in range(1, 14))
SEVERITIES = ("minor", "significant", "considerable", "major", "catastrophic")
MATRIX = {
    "very low": (1, 1, 2, 2, 3),
    "low": (1, 2, 2, 3, 4),
    "medium": (2, 2, 3, 3, 4),
    "high": (2, 3, 3, 4, 5),
    "very high": (3, 4, 4, 5, 5),
}
"""As the project's clinical rules give it, section 8."""
ACCEPTED = 3
"""No hazard may be rated higher than this with its controls."""

Marks = dict[str, set[str]]
"""The hazards that each marked test carries, by `file::test`."""


def marks_of(root: Path) -> Marks:
    """Every test that carries a hazard's id."""
    found: Marks = {}
    for file in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.hazard":
                    ids = {ast.literal_eval(each) for each in mark.args}
                    found.setdefault(f"{file.relative_to(root).as_posix()}::{node.name}", set()).update(ids)
    return found


def sections(log: str) -> dict[str, str]:
    """What the log says of each hazard."""
    parts = re.split(r"^### (H\d+)\. .+$", log, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def part(section: str, name: str) -> list[str]:
    """The points under a heading of a hazard."""
    found = re.search(rf"\*\*{name}\*\*\n\n((?:- .+\n)+)", section)
    return re.findall(r"^- (.+)$", found.group(1), re.MULTILINE) if found else []


def offences(log: str, marks: Marks) -> Iterator[str]:
    """What is wrong with the log, or with the tests that carry its ids."""
    hazards = sections(log)
    if tuple(hazards) != IDS:
        yield f"the hazards are {', '.join(hazards)}"
    named: dict[str, set[str]] = {}
    for hazard, section in hazards.items():
        for name in ("Cause", "Control", "Tests"):
            if not part(section, name):
                yield f"{hazard} has no {name.lower()}"
        for test in (each.strip("`") for each in part(section, "Tests")):
            named.setdefault(test, set()).add(hazard)
            if hazard not in marks.get(test, set()):
                yield f"{hazard} names {test}, which is not there or does not carry its id"
        yield from _ratings(hazard, section)
    for test, carried in marks.items():
        for hazard in sorted(carried - named.get(test, set())):
            yield f"{test} carries {hazard}, which does not name it"


def _ratings(hazard: str, section: str) -> Iterator[str]:
    rated = re.findall(r"(?:before|controls): ([a-z ]+), ([a-z]+), (\d)", section)
    if len(rated) != 2:
        yield f"{hazard} is not rated before and with its controls"
    for likelihood, severity, number in rated:
        if MATRIX[likelihood][SEVERITIES.index(severity)] != int(number):
            yield f"{hazard}: {likelihood} and {severity} are not {number}"
    if rated and int(rated[-1][2]) > ACCEPTED:
        yield f"{hazard} is unacceptable"


def test_every_hazard_has_a_cause_a_control_and_tests_that_carry_its_id() -> None:
    marks = marks_of(ROOT)
    assert len(marks) > 40
    assert list(offences(LOG, marks)) == []


def test_the_matrix_is_that_of_the_clinical_rules() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| (\d) \| (\d) \| (\d) \| (\d) \| (\d) \|$", LOG, re.MULTILINE)
    assert {row[0]: tuple(int(number) for number in row[1:]) for row in rows} == MATRIX


@pytest.mark.parametrize(
    ("pattern", "text", "says"),
    [
        (r"### H13\.", "### H14.", "the hazards are"),
        (r"\*\*Control\*\*", "**Comfort**", "H1 has no control"),
        (r"\*\*Cause\*\*", "**Reason**", "H1 has no cause"),
        (r"\*\*Tests\*\*\n\n(- .+\n)+", "", "H1 has no tests"),
        (r"::test_\w+", "::test_nobody_wrote", "which is not there"),
        (r"high, catastrophic, 5", "high, catastrophic, 4", "are not 4"),
        (r"\*\*Rating\*\*.+", "", "is not rated"),
        (r"very low, catastrophic, 3", "medium, catastrophic, 4", "H1 is unacceptable"),
    ],
)
def test_a_fault_in_the_log_is_noticed(pattern: str, text: str, says: str) -> None:
    broken = re.sub(pattern, text, LOG, count=1)
    assert broken != LOG
    assert [each for each in offences(broken, marks_of(ROOT)) if says in each]


def test_a_mark_that_the_log_does_not_know_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    planted = 'import pytest\n\n\n@pytest.mark.hazard("H2")\ndef test_planted(): ...\n'
    (tmp_path / "tests" / "test_a.py").write_text(planted)
    marks = marks_of(ROOT) | marks_of(tmp_path)
    assert list(offences(LOG, marks)) == ["tests/test_a.py::test_planted carries H2, which does not name it"]
