"""The headers of the API in its OpenAPI document, which the framework does not see."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

SENT = {
    "ETag": "What the answer is a version of: for If-Match, and of the queue for If-None-Match.",
    "Idempotency-Replayed": "`true`: it was received before, and is kept once.",
    "Link": 'The next page, `rel="next"`, if there is one.',
    "Location": "Where what was made is to be found.",
    "RateLimit": "How many requests are left in this minute, `r`, and after how many seconds it ends, `t`.",
    "Retry-After": "With 429 and 503: the seconds to wait before the same is sent again.",
    "WWW-Authenticate": "With 401 and a scope that is missing: how to sign in, and with what.",
    "X-Request-ID": "The request's own, or one that was made for it: our logs have it.",
}
"""Each header of an answer, and what it says."""

_ALWAYS = ("RateLimit", "X-Request-ID")
_REFUSED = (*_ALWAYS, "ETag", "Retry-After", "WWW-Authenticate")


def documented_header(name: str, description: str) -> dict[str, Any]:
    """An optional request header as an OpenAPI parameter."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


KEY = "Idempotency-Key"
IDEMPOTENCY_KEY = {
    "parameters": [documented_header(KEY, "The name of a reading without a `client_reading_id`, which is kept once.")]
}
"""For the routes that take it: `openapi_extra`."""


def describe_headers(document: dict[str, Any]) -> None:
    """Put into the document which headers each of its answers may have."""
    document["components"]["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in SENT.items()
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                names = _REFUSED if status == "default" else (*_ALWAYS, *_sent(document, path, operation, status))
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _sent(document: Mapping[str, Any], path: str, operation: Mapping[str, Any], status: str) -> Iterator[str]:
    """The headers with which a call answers when it was carried out."""
    taken = {parameter["name"] for parameter in operation.get("parameters", ())}
    fields = _fields(document, operation["responses"][status])
    if fields.get("version", {}).get("type") == "integer" or "If-None-Match" in taken:
        yield "ETag"
    if "cursor" in taken and "next_cursor" in fields:
        yield "Link"
    if KEY in taken and status == "200" and "201" in operation["responses"]:
        yield "Idempotency-Replayed"
    one = re.compile(rf"/v1/{path.rpartition('/')[2]}/{{\w+}}")
    made = "201" in operation["responses"]
    if made and any(one.fullmatch(other) and "get" in each for other, each in document["paths"].items()):
        yield "Location"


def _fields(document: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    content = answer.get("content", {}).get("application/json", {}).get("schema", {})
    found: Mapping[str, Any] = document["components"]["schemas"].get(content.get("$ref", "").rpartition("/")[2], {})
    fields: Mapping[str, Any] = found.get("properties", {})
    return fields
