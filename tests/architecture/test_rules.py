"""The rules of rules.py hold, and each notices what it forbids."""

from pathlib import Path

import pytest

from tests.architecture import rules

ROOT = Path(__file__).parents[2]

LONG_FILE = "x = 1\n" * 251
LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 50
PLANTED = [
    (rules.one_place_asks_for_the_time, "service/a.py", "from datetime import datetime\nx = datetime.now()"),
    (rules.one_place_asks_for_the_time, "service/a.py", "import datetime\nx = datetime.datetime.utcnow()"),
    (rules.one_place_asks_for_the_time, "alerts/a.py", "import time\nx = time.time()"),
    (rules.only_storage_commits, "service/queue/a.py", "async def f(s):\n    await s.commit()"),
    (rules.only_storage_commits, "service/queue/a.py", "async def f(d):\n    d.writes.begin()"),
    (rules.two_files_know_the_dialects, "service/storage/a.py", "x = c.dialect.name"),
    (rules.two_files_know_the_dialects, "service/queue/a.py", "x = y == 'sqlite'"),
    (rules.two_files_know_the_dialects, "service/a.py", "from sqlalchemy.dialects.postgresql import insert"),
    (rules.imports_stand_at_the_top, "service/a.py", "def f():\n    import json"),
    (rules.imports_stand_at_the_top, "alerts/a.py", "def f():\n    if x:\n        from a import b"),
    (rules.the_engine_uses_the_standard_library_only, "alerts/a.py", "import numpy"),
    (rules.the_engine_uses_the_standard_library_only, "alerts/rules/a.py", "from service.fields import Id"),
    (rules.the_engine_does_nothing_outside, "alerts/a.py", "import socket"),
    (rules.the_engine_does_nothing_outside, "alerts/a.py", "x = open('y')"),
    (rules.no_file_is_long, "service/a.py", LONG_FILE),
    (rules.no_function_is_long, "alerts/a.py", LONG_FUNCTION),
    (rules.no_drawer_for_everything, "service/queue/utils.py", ""),
    (rules.use_cases_know_no_http, "service/queue/store.py", "from fastapi import Request"),
    (rules.use_cases_know_no_http, "service/queue/store.py", "from service.queue import schemas"),
]
ALL = sorted({rule for rule, _, _ in PLANTED}, key=lambda rule: rule.__name__)
ALLOWED = [
    (
        rules.one_place_asks_for_the_time,
        "service/clock.py",
        "from datetime import datetime\nx = datetime.now()",
    ),
    (rules.only_storage_commits, "service/storage/a.py", "async def f(s):\n    await s.commit()"),
    (rules.two_files_know_the_dialects, "service/storage/engine.py", "x = c.dialect.name"),
    (rules.two_files_know_the_dialects, "service/queue/a.py", '"""sqlite is one of them."""'),
    (rules.imports_stand_at_the_top, "service/cli/a.py", "def f():\n    import json"),
    (rules.no_function_is_long, "service/storage/migrations/versions/a.py", LONG_FUNCTION),
]


def names(cases) -> list[str]:
    return [f"{number}-{rule.__name__}" for number, (rule, *_) in enumerate(cases)]


def test_the_rules_see_the_whole_source() -> None:
    paths = [path for path, _ in rules.sources(ROOT)]
    assert len(paths) > 80
    assert {"alerts/news2.py", "service/app.py", "service/storage/tables/alerts.py"} <= set(paths)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: rules.Rule) -> None:
    assert list(rule(ROOT)) == [], rule.__doc__


def test_every_rule_is_shown_to_fail() -> None:
    public = {
        rule
        for name, rule in vars(rules).items()
        if callable(rule) and getattr(rule, "__module__", "") == rules.__name__ and not name.startswith("_")
    }
    assert public - {rules.sources} == set(ALL)


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED, ids=names(PLANTED))
def test_a_planted_violation_is_noticed(rule: rules.Rule, path: str, text: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    assert [found for found in rule(tmp_path) if found.startswith(path)]


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED, ids=names(ALLOWED))
def test_what_is_allowed_is_not_reported(rule: rules.Rule, path: str, text: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    assert list(rule(tmp_path)) == []
