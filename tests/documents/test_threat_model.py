"""The threat model names tests that are there."""

import ast
import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!attack|---)(.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def missing(page: str) -> list[str]:
    """The named tests that are not there."""
    found = []
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8")) if (ROOT / file).exists() else ast.parse("")
        if name not in {getattr(node, "name", "") for node in tree.body}:
            found.append(f"{file}::{name}")
    return found


def test_every_attack_has_a_control_and_a_test() -> None:
    assert len(ROWS) > 20
    assert [attack for attack, control, tests in ROWS if not control.strip() or "::test_" not in tests] == []


def test_every_named_test_is_there() -> None:
    assert missing(PAGE) == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert missing("`tests/access/test_audit.py::test_nobody_wrote`") == [
        "tests/access/test_audit.py::test_nobody_wrote"
    ]
