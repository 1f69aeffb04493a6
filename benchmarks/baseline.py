"""The framework's own limit: the service's own endpoints with nothing kept and nothing looked up.

`POST /v1/readings` is the very same route (token, schema, judgement, answer) with an intake that has no database, so
that a reading is judged without those before it. `uvicorn benchmarks.baseline:from_environment --factory`"""

import os
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from alerts.plan import Plan
from alerts.watch import begin_watch
from service import edge, garbage, problems
from service.access.guards import authenticate, require_scope
from service.access.rates import Rates
from service.access.tokens import open_tokens
from service.app import NO_TELEMETRY
from service.clock import real_now
from service.cover.inforce import Cover
from service.feed.positions import Positions
from service.fields import new_id
from service.queue.listing import Listing, QueuePage, read_page
from service.queue.rendering import queue_bytes
from service.readings import routes
from service.readings.opening import open_case
from service.readings.store import LockedStay
from service.readings.submission import Arrival, Outcome, Submission
from service.settings import from_environ
from service.storage.engine import open_database
from service.storage.faults import is_unavailable

PLAN = Plan()
PAGES: dict[str, tuple[QueuePage, Any]] = {}


class WithoutStorage:
    """An intake that judges and forgets. Every stay is there, on the first ward of whoever asks."""

    async def wards_of(self, stay_ids: Collection[str], ward_ids: Sequence[str]) -> dict[str, str]:
        """A ward."""
        return dict.fromkeys(stay_ids, ward_ids[0])

    async def submit(
        self, ward_id: str, stay_id: str, sender_id: str, submissions: Sequence[Submission]
    ) -> Sequence[Outcome]:
        """What the intake would answer if the stay had no history."""
        stay = LockedStay(
            ward_id, stay_id, stay_id, "active", 1, date(1966, 1, 1), "Europe/London", 1, None, real_now()
        )
        watch = begin_watch(stay.admitted_at)._replace(due_at=None)
        case = open_case(stay, PLAN, Cover(ward_id), (watch, None), (), {}, ())
        arrival = Arrival(ward_id, stay_id, sender_id, real_now(), tuple(submissions))
        rows = case.receive(arrival, [(new_id(), submission) for submission in submissions])
        case.alert_ids = [new_id() for _ in case.changes]
        return [case.recorded(row["id"]) for row in rows]


def from_environment() -> FastAPI:
    """The application; the database is there for the tokens, and for the rows of the queue once."""
    settings = from_environ(os.environ)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = open_database(settings.database_url, 2)
        app.state.tokens = open_tokens(settings, app.state.database)
        app.state.intake = WithoutStorage()
        app.state.positions = Positions(app.state.database)
        yield
        await app.state.positions.close()
        await app.state.database.close()

    app = FastAPI(lifespan=lifespan, telemetry=NO_TELEMETRY)
    problems.install(app, is_unavailable)
    app.state.rates = Rates(0)
    edge.install(app)
    app.include_router(routes.router)
    app.add_api_route("/v1/alerts", list_alerts, methods=["GET"])
    app.add_api_route("/empty", empty, methods=["GET"])
    garbage.settle()
    return app


async def list_alerts(request: Request) -> Response:
    """The first page of the queue, its rows read once and then serialised from memory for each request."""
    who = require_scope(await authenticate(request), "alerts:read")
    ward_id = request.query_params["ward_id"]
    if ward_id not in PAGES:
        database = request.app.state.database
        async with database.reads.connect() as connection:
            page = await read_page(connection, Listing((ward_id,), frozenset((ward_id,)), 50))
        PAGES[ward_id] = page, await request.app.state.positions.current((ward_id,))
    page, positions = PAGES[ward_id]
    return Response(queue_bytes(page, who.ward_ids, positions), media_type="application/json")


async def empty(request: Request) -> Response:
    """An empty authenticated answer."""
    require_scope(await authenticate(request), "alerts:read")
    return Response(status_code=204)
