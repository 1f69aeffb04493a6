"""What a linter cannot see: each rule takes the root of a source tree and gives the places that break it."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("alerts", "service")
MAX_FILE, MAX_FUNCTION = 250, 50
MIGRATIONS = "service/storage/migrations/"
KNOWS_DIALECTS = (
    "service/storage/engine.py",
    "service/storage/portable.py",
    "service.storage.direct.py",  # passes it on to portable.py
    "service/storage/backup.py",  # each database has its own tools for that
    "service/settings.py",  # which URLs are accepted
    "service/cli/demo.py",  # the demonstration is always on a file of its own
    MIGRATIONS,
)

Rule = Callable[[Path], Iterator[str]]


def sources(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every source file: its path from the root, and its syntax tree."""
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            yield file.relative_to(root).as_posix(), ast.parse(file.read_text())


def one_place_asks_for_the_time(root: Path) -> Iterator[str]:
    """`datetime.now`, `utcnow`, `today`, `time.time` stand in service/clock.py and nowhere else."""
    for path, tree in sources(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and path != "service/clock.py":
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                if (owner, node.attr) in _TIMES:
                    yield f"{path}:{node.lineno} {owner}.{node.attr}"


_TIMES = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


def only_storage_commits(root: Path) -> Iterator[str]:
    """`.commit(` and `.begin(` of a write engine stand in service/storage alone."""
    for path, tree in sources(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                begins = node.func.attr == "begin" and getattr(node.func.value, "attr", "") == "writes"
                if (node.func.attr == "commit" or begins) and not path.startswith("service/storage/"):
                    yield f"{path}:{node.lineno} .{node.func.attr}("


def two_files_know_the_dialects(root: Path) -> Iterator[str]:
    """`dialect`, `sqlalchemy.dialects` and the databases' names as values stand only where they may."""
    for path, tree in sources(root):
        if path.startswith(KNOWS_DIALECTS):
            continue
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy.dialects"):
                yield f"{path}:{node.lineno} {node.module}"
            elif isinstance(node, ast.Attribute) and node.attr in ("dialect", "dialects"):
                yield f"{path}:{node.lineno} .{node.attr}"
            elif id(node) not in said and str(getattr(node, "value", "")).startswith(("sqlite", "postgres")):
                yield f"{path}:{node.lineno} {ast.unparse(node)}"


def imports_stand_at_the_top(root: Path) -> Iterator[str]:
    """No import inside a function; the command line and the FHIR models, which are slow to load, excepted."""
    for path, tree in sources(root):
        if path.startswith(("service/cli/", "service/fhir/")):
            continue
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield f"{path}:{node.lineno}"


def the_engine_uses_the_standard_library_only(root: Path) -> Iterator[str]:
    """Every import of alerts/ is of alerts itself or of the standard library."""
    for path, tree in sources(root):
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "alerts"]
            for name in names if path.startswith("alerts/") else ():
                if name.partition(".")[0] not in {"alerts", *sys.stdlib_module_names}:
                    yield f"{path}:{node.lineno} {name}"


def the_engine_does_nothing_outside(root: Path) -> Iterator[str]:
    """The engine opens no file, no socket and no process, and draws no random number."""
    for path, tree in sources(root):
        for node in ast.walk(tree) if path.startswith("alerts/") else ():
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("open", "print", "input"):
                names = [node.func.id]  # type: ignore[attr-defined]
            for name in names:
                if name.partition(".")[0] in _OUTSIDE:
                    yield f"{path}:{node.lineno} {name}"


_OUTSIDE = {
    *(
        "asyncio",
        "http",
        "io",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "sqlite3",
    ),
    *("subprocess", "tempfile", "threading", "time", "urllib", "open", "print", "input"),
}


def no_file_is_long(root: Path) -> Iterator[str]:
    """No file over 250 lines."""
    for path, _ in sources(root):
        lines = len((root / path).read_text().splitlines())
        if lines > MAX_FILE and not path.startswith(MIGRATIONS):
            yield f"{path}: {lines} lines"


def no_function_is_long(root: Path) -> Iterator[str]:
    """No function over 50 lines, signature and docstring included."""
    for path, tree in sources(root):
        if path.startswith(MIGRATIONS):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION:
                    yield f"{path}:{node.lineno} {node.name}: {lines} lines"


def no_drawer_for_everything(root: Path) -> Iterator[str]:
    """A name says what is in a module; `utils` says nothing."""
    for path, _ in sources(root):
        if {"utils", "helpers", "common", "misc", "core"} & set(path.removesuffix(".py").split("/")):
            yield path


def use_cases_know_no_http(root: Path) -> Iterator[str]:
    """Stores and the clinical engine import neither FastAPI nor the schemas of the API."""
    for path, tree in sources(root):
        if not path.endswith("/store.py"):
            continue
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                if name.partition(".")[0] in ("fastapi", "starlette") or name.endswith(".schemas"):
                    yield f"{path}:{node.lineno} {name}"
