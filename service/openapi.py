"""The OpenAPI document: what FastAPI makes, with the bodies our guards read later and the problem shape put in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from service.body import JsonBody, documented_body
from service.documented import describe_headers, documented_header
from service.problems import MEDIA_TYPE

SECURITY_SCHEME = "oauth2"

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "safety_text": {"type": "string", "description": "With every refusal of a reading: what to do if unwell."},
        "current": {"description": "With 412: the state as it now stands."},
        "required_scopes": {"type": "array", "items": {"type": "string"}},
        "granted_scopes": {"type": "array", "items": {"type": "string"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def routes_of(app: Any) -> Iterator[APIRoute]:
    """Every API route, however deeply routers are nested."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes_of(route.original_router)
        elif hasattr(route, "routes"):
            yield from routes_of(route)


def methods_at(app: Any, path: str) -> list[str]:
    """Every method that a path takes, for the `Allow` header: all routes of the path together."""
    found = {method for route in routes_of(app) if route.path_regex.match(path) for method in route.methods or ()}
    return sorted(found | {"HEAD"} if "GET" in found else found)


def body_of(route: APIRoute) -> JsonBody[Any] | None:
    """The JsonBody a route reads, whether as a dependency or by itself."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, JsonBody):
            return dependency.call
    own = getattr(route.endpoint, "reads_body", None)
    return own if isinstance(own, JsonBody) else None


IF_MATCH = documented_header("If-Match", "The version that was seen, unless the body says it.")
"""Taken wherever the body may say `version` (`versions.seen_version`)."""

Scopes = Callable[[APIRoute], Sequence[str] | None]
"""The scopes of which a route needs one; none of them: any token; None: open to anybody."""


def build(app: FastAPI, scopes_of: Scopes) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    routes = list(routes_of(app))
    schemas.update(_body_schemas(routes))
    by_place = {(route.path_format, method.lower()): route for route in routes for method in route.methods or ()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, by_place[path, method], scopes_of)
    describe_headers(document)
    return document


def _body_schemas(routes: Iterable[APIRoute]) -> dict[str, Any]:
    models = {body.model for route in routes if (body := body_of(route))}
    _, definitions = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda m: m.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = definitions.get("$defs", {})
    return schemas


def _complete(operation: dict[str, Any], route: APIRoute, scopes_of: Scopes) -> None:
    """What FastAPI cannot see of a route: its guard, the body it reads itself, ids in the path, and problems."""
    if (scopes := scopes_of(route)) is not None:
        operation["security"] = [{SECURITY_SCHEME: [scope]} for scope in scopes] or [{SECURITY_SCHEME: []}]
    if body := body_of(route):
        operation["requestBody"] = documented_body(body.model)
        seen = body.model.model_fields.get("version")
        if seen is not None and not seen.is_required():
            operation.setdefault("parameters", []).append(IF_MATCH)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"].endswith("_id"):
            parameter["schema"] = {"type": "string", "format": "uuid"}
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "The request was refused, or could not be carried out.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
