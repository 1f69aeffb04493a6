"""What somebody asks of the queue: the query string, checked.

Not by FastAPI's parameters: they cost more than everything else an unchanged queue is answered with, and
pollers ask the same again and again. A checked query string is remembered instead."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from alerts.severity import Channel, Family
from service.body import Schema
from service.documented import documented_header
from service.errors import Invalid
from service.fields import Id
from service.paging import DEFAULT_LIMIT
from service.problems import field_errors

LONGEST_REMEMBERED = 512
"""Characters; a longer query string is checked each time."""


class QueueQuery(Schema):
    """Which alerts to list. Without `state`: everything unresolved."""

    ward_id: list[Id] = Field(default_factory=list)
    stay_id: Id | None = None
    state: list[Literal["open", "acknowledged", "recovered", "resolved"]] = Field(default_factory=list)
    severity_min: Literal["low", "medium", "high", "critical"] | None = None
    family: Family | None = None
    channel: Channel | None = None
    assigned_to: Id | None = None
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=200, description="Rows a page")
    cursor: str | None = Field(None, max_length=500, description="From `next_cursor` of the page before")


def asked(query_string: str) -> Mapping[str, Any]:
    """The fields of QueueQuery in a query string; raises Invalid, also for a name it does not know:
    a mistyped filter must not show the whole queue."""
    return _remembered(query_string) if len(query_string) <= LONGEST_REMEMBERED else _checked(query_string)


def _checked(query_string: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        if name in _LISTS:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    try:
        return QueueQuery.model_validate(found).model_dump()
    except ValidationError as problem:
        raise Invalid(errors=field_errors(problem)) from None


_LISTS = ("ward_id", "state")
_remembered = lru_cache(maxsize=1024)(_checked)


def documented_query() -> list[dict[str, Any]]:
    """QueueQuery, and the headers of a poll, as OpenAPI parameters."""
    schema = QueueQuery.model_json_schema()
    definitions = schema.get("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "anyOf" in part:  # a parameter that is not wanted is left out, not null
            return inlined(next(each for each in part["anyOf"] if each != {"type": "null"}))
        if "$ref" in part:
            return inlined(definitions[part["$ref"].rpartition("/")[2]])
        return {name: inlined(value) for name, value in part.items()}

    query = [
        {"name": name, "in": "query", "required": False, "schema": inlined(part)}
        for name, part in schema["properties"].items()
    ]
    return [
        *query,
        documented_header("If-None-Match", "The `ETag` of the answer before: 304 while nothing has changed."),
        documented_header("Prefer", "`wait=25`, together with If-None-Match: hold the answer until a change."),
    ]
