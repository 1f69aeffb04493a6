"""A copy of the engine and its pure tests, and what each example reaches."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import coverage

from tests.mutation.mutants import enums_of
from tests.mutation.trying import QUIET, TESTS, Place

ROOT = Path(__file__).parents[2]


def prepared(folder: Path) -> Place:
    """Copy what is needed, so that the working tree may change meanwhile, and run the examples once. Raises
    CalledProcessError when they fail unmutated."""
    for name in ("alerts", "tests/alerts", "tests/spec", "tests/mutation"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    files = sorted((folder / "alerts").rglob("*.py"))
    sources = {".".join(file.relative_to(folder).with_suffix("").parts): file.read_text() for file in files}
    _run(folder)
    return Place(folder, sources, enums_of(sources), _reached(folder, sources), _seconds(folder))


def _run(folder: Path) -> None:
    settings = folder / "coverage.ini"
    settings.write_text("[run]\nsource = alerts\n")
    measure = ("--cov=alerts", "--cov-context=test", f"--cov-config={settings}", "--cov-report=")
    subprocess.run(
        [sys.executable, "-m", "pytest", *TESTS, *QUIET, *measure, f"--junitxml={folder / 'tests.xml'}"],
        cwd=folder, env={**os.environ, "COVERAGE_FILE": str(folder / "coverage.data")}, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _reached(folder: Path, sources: Mapping[str, str]) -> dict[str, dict[int, set[str]]]:
    """Which examples run which line, by module; an empty name: as the module is loaded."""
    data = coverage.CoverageData(str(folder / "coverage.data"))
    data.read()
    found: dict[str, dict[int, set[str]]] = defaultdict(dict)
    for module in sources:
        lines = data.contexts_by_lineno(str(folder.joinpath(*module.split(".")).with_suffix(".py")))
        found[module] = {line: {name.split("|")[0] for name in names} for line, names in lines.items()}
    return found


def _seconds(folder: Path) -> dict[str, float]:
    """How long each example takes."""
    found = {}
    for case in ElementTree.parse(folder / "tests.xml").iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        found[name] = float(case.get("time", 1))
    return found
