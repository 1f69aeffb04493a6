"""Nobody walks in: every route of the real application has a guard, or says why it needs none."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from service.access.guards import Public, Requires, guard_of, public
from service.app import create_app
from service.openapi import routes_of
from service.settings import Settings

OPEN = {
    "/livez",
    "/readyz",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/password",
    "/oauth/authorize",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
}
"""Who adds a route that anybody may call adds it here as well, and so has it read by somebody else."""


@pytest.fixture(scope="module")
def routes() -> list[APIRoute]:
    app = create_app(Settings(secret_key="x" * 32))
    return [route for route in routes_of(app) if route.include_in_schema]


def unguarded(routes: list[APIRoute]) -> list[str]:
    return [route.path for route in routes if guard_of(route) is None]


def test_every_route_is_guarded(routes: list[APIRoute]) -> None:
    assert unguarded(routes) == []
    assert len(routes) >= 30


def test_only_these_routes_are_open_to_anybody(routes: list[APIRoute]) -> None:
    assert {route.path for route in routes if isinstance(guard_of(route), Public)} <= OPEN


def test_every_route_for_clinical_data_asks_for_a_scope(routes: list[APIRoute]) -> None:
    clinical = ("patients", "stays", "readings", "alerts", "events")
    found = [route for route in routes if set(route.path.split("/")) & set(clinical)]
    assert len(found) >= 15
    assert [route.path for route in found if not getattr(guard_of(route), "scopes", ())] == []


def test_the_walk_sees_every_path_that_the_document_shows(routes: list[APIRoute]) -> None:
    shown = set(create_app(Settings(secret_key="x" * 32)).openapi()["paths"])
    assert shown <= {route.path_format for route in routes}


def test_a_route_without_a_guard_is_noticed_however_deep_it_is_nested() -> None:
    inner, outer, app = APIRouter(prefix="/inner"), APIRouter(prefix="/outer"), FastAPI()

    @inner.get("/open")
    async def open_route() -> None: ...

    @inner.get("/guarded")
    async def guarded(who: Annotated[object, Depends(Requires("alerts:read"))]) -> None: ...

    @inner.get("/said")
    @public("a test")
    async def said() -> None: ...

    outer.include_router(inner)
    app.include_router(outer)
    assert [path for path in unguarded(list(routes_of(app))) if path.endswith("/open")]
    assert len(unguarded(list(routes_of(app)))) == 1
