"""The import contracts of pyproject.toml hold, and each notices what it forbids."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")

DOWN = "Imports point down"
PLANTED = [
    (DOWN, {"service/fields.py": "import service.storage.engine"}),
    (DOWN, {"service/storage/engine.py": "import service.queue.store"}),
    (DOWN, {"service/newcomer/__init__.py": "", "service/newcomer/a.py": "import service.app"}),
    ("The clinical engine knows no service", {"alerts/news2.py": "import service.fields"}),
    ("The clinical engine uses the standard library only", {"alerts/news2.py": "import pydantic"}),
    ("Only the application imports routes", {"service/care/store.py": "import service.queue.routes"}),
    ("Only storage names a database driver", {"service/queue/store.py": "import asyncpg"}),
    (
        "No cycles inside a package",
        {"alerts/first.py": "import alerts.second", "alerts/second.py": "import alerts.first"},
    ),
]


def lint(root: Path) -> str:
    """What the linter says about the tree at `root`."""
    done = subprocess.run(
        [LINTER, "--config", root / "pyproject.toml", "--no-cache"],
        cwd=root, env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_every_contract_is_kept() -> None:
    said = lint(ROOT)
    assert f"Contracts: {len(contracts())} kept, 0 broken." in said, said


def test_every_contract_is_shown_to_fail() -> None:
    assert {name for name, _ in PLANTED} == contracts()


@pytest.mark.parametrize(("contract", "files"), PLANTED, ids=[" ".join([name, *files]) for name, files in PLANTED])
def test_a_planted_import_breaks_the_contract(contract: str, files: dict[str, str], tmp_path: Path) -> None:
    for package in ("alerts", "service"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{text}\n")
    said = lint(tmp_path)
    assert f"{contract} BROKEN" in said or "newcomer" in said, said


def contracts() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_pure_tests_load_the_engine_and_nothing_else() -> None:
    # What they import is most of what they cost: `make pure` takes seconds because of this.
    left = {*(ROOT / "tests" / "alerts").rglob("*.py"), ROOT / "tests" / "spec" / "test_engine.py"}
    seen, foreign = set[Path](), set[tuple[str, str]]()
    while left - seen:
        file = (left - seen).pop()
        seen.add(file)
        for name in imported(file):
            if name.startswith("tests."):
                left.add(ROOT / f"{name.replace('.', '/')}.py")
            elif name.partition(".")[0] not in {*sys.stdlib_module_names, "alerts", "pytest"}:
                foreign.add((file.name, name))
    assert len(seen) > 40
    assert foreign == set()


def imported(file: Path) -> list[str]:
    """The modules that a file names."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    whole = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return whole + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
