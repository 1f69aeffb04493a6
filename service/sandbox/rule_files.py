"""Rule sets from files: JSON or TOML, with the numbers that differ from the default."""

import json
import tomllib
from pathlib import Path
from typing import Any

from alerts.rule_set import DEFAULT, RuleSet, RuleSetInvalid
from service.errors import WardwatchError


class RuleSetFileRefused(WardwatchError):
    """The rule set cannot be used."""

    code = "rule_set_refused"


def read_rule_set(named: str) -> RuleSet:
    """`default`, or the file of that name; raises RuleSetFileRefused naming the file and the field."""
    if named == "default":
        return DEFAULT
    try:
        return RuleSet.from_mapping(_parsed(Path(named)))
    except RuleSetInvalid as problem:
        raise RuleSetFileRefused(f"{named}: {problem}") from problem
    except TypeError as problem:
        raise RuleSetFileRefused(f"{named}: not a rule set: {problem}") from problem


def _parsed(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise RuleSetFileRefused(f"{file} cannot be read: {type(problem).__name__}.") from problem
    try:
        found = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except json.JSONDecodeError as problem:
        raise RuleSetFileRefused(f"{file}, line {problem.lineno}: no JSON: {problem.msg}.") from problem
    except tomllib.TOMLDecodeError as problem:
        raise RuleSetFileRefused(f"{file}: no TOML: {problem}.") from problem
    if not isinstance(found, dict):
        raise RuleSetFileRefused(f"{file} holds no table of numbers.")
    return found
