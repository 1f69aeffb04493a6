"""Calling every route of the table, whoever calls and whatever it is about."""

from typing import Any

from service.access.guards import RequiresAtHome, guard_of
from service.access.principals import ROLE_SCOPES
from service.fields import new_id
from tests.access.furnished import Ids
from tests.access.hospital import Headers, Hospital

BODIES: dict[str, dict[str, Any]] = {
    "answers": {"breathlessness": 1},
    "entered-in-error": {"reason": "wrong person"},
    "contact": {"method": "phone", "result": "reached"},
    "snooze": {"minutes": 30, "reason": "asleep"},
    "resolve": {"outcome": "other"},
    "note": {"text": "rang"},
    "erasures": {"reason": "court_order"},
    "pause": {"until": "2030-01-01T00:00:00Z", "reason": "away"},
}
"""By the last word of the path: what the call takes at least, beside a version."""


async def called(
    hospital: Hospital, route: Any, header: Headers, ids: Ids, body: dict[str, Any] | None = None
) -> tuple[int, str, str]:
    """Status, code and text of the answer; without a body, what the call takes is missing from it."""
    path = route.path
    for name in named(route):
        path = path.replace(f"{{{name}}}", "1" if name == "number" else ids.get(name) or new_id())
    (method,) = route.methods
    content = {"content": b""} if method in ("GET", "DELETE") else {"json": body or {}}
    answer = await hospital.client.request(method, path, headers=header, **content)
    problem = answer.json() if "problem" in answer.headers.get("content-type", "") else {}
    return answer.status_code, problem.get("code", ""), answer.text


def named(route: Any) -> set[str]:
    """The names in a route's path."""
    return {part.strip("{}") for part in route.path.split("/") if part.startswith("{")}


def call_of(route: Any) -> str:
    """A route as the page names it."""
    (method,) = route.methods
    return f"{method} {route.path}"


def denied(route: Any, role: str) -> tuple[int, str]:
    """The answer to who may not."""
    guard = guard_of(route)
    at_home = isinstance(guard, RequiresAtHome) and ROLE_SCOPES[role].intersection(guard.scopes)
    if at_home:
        return 404, "not_found"
    holds = ROLE_SCOPES[role].intersection(getattr(guard, "scopes", ()))
    nothing_asked = not getattr(guard, "scopes", ())
    return 403, "not_allowed" if holds or nothing_asked else "scope_missing"
