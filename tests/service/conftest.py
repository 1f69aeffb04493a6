"""A bare application with the service's doors (errors, bodies, request ids) and made-up routes."""

import sqlite3
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from pydantic import Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from service import edge, problems
from service.body import JsonBody, Schema
from service.errors import NotFound
from service.fields import Instant, Name
from service.storage.faults import is_unavailable

SENTINEL = "Sentinel-4815162342"
"""Stands for a name or a number that must not come back and must not be logged."""

LIMIT = 1000


class Note(Schema):
    name: Name
    spo2: float | None = Field(None, ge=0, le=100, strict=True)
    at: Instant | None = None


@pytest.fixture
def bare() -> FastAPI:
    app = FastAPI()
    problems.install(app, is_unavailable)

    @app.post("/notes")
    async def take(body: Annotated[Note, Depends(JsonBody(Note, LIMIT))]) -> dict[str, Any]:
        return body.model_dump(exclude_none=True)

    @app.get("/numbers/{number}")
    async def number(number: int, limit: int = 1) -> None: ...

    @app.get("/fails/{how}")
    async def fail(how: str) -> None:
        raise {
            "missing": NotFound(),
            "http": HTTPException(418, "short and stout"),
            "ours": RuntimeError(SENTINEL),
            "database": OperationalError(SENTINEL, {}, sqlite3.OperationalError("unable to open database file")),
            "network": ConnectionRefusedError(SENTINEL),
        }[how]

    edge.install(app)
    return app


@pytest.fixture
async def http(bare: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the bare application; what the application raises stays in it, as in a server."""
    transport = httpx.ASGITransport(bare, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://wardwatch.test") as made:
        yield made
