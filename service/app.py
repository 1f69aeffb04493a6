"""The composition root: every part is made here, and only here are routes gathered."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.routing import Route

from service import edge, garbage, health, logs, methods, openapi, problems, reference
from service.access import audit_routes, authorize_routes, client_grant, code_grant, totp_routes
from service.access import routes as access_routes
from service.access.assertions import Assertions
from service.access.attempts import Attempts
from service.access.client_keys import KeysByUrl
from service.access.codes import CodeHashes
from service.access.guards import TOKEN_PATH, SelfGuarded, guard_of, scopes_of
from service.access.issuers import read_issuers
from service.access.pairing import GRANT_TYPE, PairingGrant
from service.access.passwords import Passwords
from service.access.rates import Rates
from service.access.refresh import RefreshTokens
from service.access.sealing import Sealing, Seals
from service.access.signing_in import Desk
from service.access.tokens import open_tokens
from service.access.totp import SecondProofs
from service.access.trail import Trail
from service.accounts import routes as account_routes
from service.accounts.arrivals import Arrivals
from service.care import home_routes, pairing_routes, transfer_routes
from service.care import routes as care_routes
from service.care.pauses import Pauses
from service.clock import Clock, real_clock
from service.cover import routes as cover_routes
from service.cover.mail import server_of
from service.cover.mailing import Mailing
from service.destinations import read_destinations
from service.feed import positions
from service.feed import routes as feed_routes
from service.governance import routes as governance_routes
from service.governance.retention import Retention
from service.patients import routes as patient_routes
from service.queue import routes as queue_routes
from service.queue import verb_routes
from service.queue.limits import Limits
from service.queue.snapshots import Snapshots
from service.queue.watchdog import Watchdog
from service.readings import routes as reading_routes
from service.readings.door import is_for_readings
from service.readings.incidents import Incidents
from service.readings.intake import Intake
from service.readings.pulse import Pulse
from service.readings.timing import Judging
from service.rules import routes as rule_routes
from service.settings import Settings, from_environ, secret_keys_of
from service.stopping import heard_at_once
from service.storage.engine import open_database
from service.storage.faults import is_unavailable
from service.storage.lateness import INTAKE
from service.storage.roles import Role
from service.storage.timekeeper import Timekeeper, Work
from service.wards import routes as ward_routes

VERSION = "0.1.0"
DESCRIPTION = "Remote monitoring for virtual wards: SpO2 readings in, silent hypoxia out, one queue a ward can work."
# The busiest first: a request is matched against one router after the other.
ROUTERS: tuple[Any, ...] = (
    reading_routes.router,
    queue_routes.router,
    verb_routes.router,
    feed_routes.router,
    access_routes.router,
    ward_routes.router,
    cover_routes.router,
    rule_routes.router,
    account_routes.router,
    patient_routes.router,
    care_routes.router,
    transfer_routes.router,
    pairing_routes.router,
    home_routes.router,
    audit_routes.router,
    authorize_routes.router,
    totp_routes.router,
    governance_routes.router,
    health.router,
    reference.router,
)
# FastAPI's own tracing would export URLs and exception texts, and asks for its provider at every request.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application; raises SettingInvalid when a setting cannot be used."""
    secret_keys_of(settings)
    read_issuers(settings)
    server_of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        served = app.state.served = open_database(settings.database_url, settings.pool_size, served=True)
        positions.install(app.state, served)
        app.state.queue_snapshots = Snapshots()
        _open_desk(app)
        app.state.intake = Intake(served.acting(Role.INTAKE), app.state.clock, app.state.wakeups, settings)
        app.state.look_at = app.state.intake.look_at
        await app.state.intake.start()
        app.state.timekeeper = _timekeeper(app)
        app.state.watchdog = _watchdog(app)
        if settings.timers:
            await _begin(app)
        try:
            with heard_at_once(app.state.wakeups.close):
                yield
        finally:
            await asyncio.to_thread(app.state.watchdog.stop)
            await app.state.timekeeper.stop()
            await app.state.trail.stop(served.acting(Role.DESK))
            await app.state.intake.stop()
            await app.state.desk.close()
            await app.state.positions.close()
            await served.close()

    app = FastAPI(
        title="Wardwatch",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        telemetry=NO_TELEMETRY,
        docs_url=None,  # they would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect would go wherever the Host header says
    )
    app.state.settings = settings
    app.state.clock = _clock(settings)
    app.state.destinations = read_destinations(settings)
    app.state.trail = Trail()
    app.state.rates = Rates(settings.rate_limit)
    app.state.readiness = health.Readiness()
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    _open_doors(app, settings)
    return app


def _open_doors(app: FastAPI, settings: Settings) -> None:
    """The routes, and what stands before them: the first added is the innermost."""
    problems.install(app, is_unavailable, lambda path: openapi.methods_at(app, path), is_for_readings)
    # As they stand: included, every app would build each of them once more.
    app.router.routes.extend(route for router in ROUTERS for route in router.routes)
    app.router.routes[:0] = list(_front_doors(app))
    app.add_middleware(methods.Heads)
    encrypted = settings.public_url.startswith("https:")
    edge.install(app, settings.cors_origins, encrypted=encrypted, refused=app.state.trail.refused)


def from_environment() -> FastAPI:
    """The service as the environment sets it: what each worker process of `wardwatch serve` runs."""
    settings = from_environ(os.environ)
    logs.configure(settings.log_level)
    garbage.settle()
    return create_app(settings)


async def _begin(app: FastAPI) -> None:
    """Everything that goes on by itself."""
    await app.state.timekeeper.start()
    app.state.watchdog.start()
    app.state.trail.start(app.state.served.acting(Role.DESK))
    app.state.tokens.listener.start()
    app.state.tokens.outside.listener.start()


def _open_desk(app: FastAPI) -> None:
    """Where everybody signs in, and what is believed afterwards."""
    settings, secret_keys = app.state.settings, secret_keys_of(app.state.settings)
    database, accounts = app.state.served.acting(Role.DESK), app.state.served.acting(Role.ACCOUNTS)
    app.state.tokens = open_tokens(settings, database)
    app.state.tokens.outside.arrive = Arrivals(accounts, app.state.clock).arrive
    app.state.code_hashes = CodeHashes(*secret_keys)
    making, attempts = RefreshTokens(*secret_keys), Attempts(*secret_keys)
    desk = app.state.desk = Desk(
        database,
        app.state.tokens,
        making,
        attempts,
        Passwords(),
        SecondProofs(*secret_keys),
        settings.password_grant,
    )
    audience = settings.public_url.rstrip("/") + TOKEN_PATH
    assertions = Assertions(database, audience, KeysByUrl(app.state.destinations))
    clients = client_grant.ClientGrant(database, assertions)
    desk.grants[client_grant.GRANT_TYPE], desk.identify = clients.prove, clients.identify
    desk.exchanges[code_grant.GRANT_TYPE] = code_grant.CodeGrant(database, desk, clients).exchange
    desk.grants[GRANT_TYPE] = PairingGrant(database, app.state.code_hashes, attempts).prove


def _timekeeper(app: FastAPI) -> Timekeeper:
    """What time alone brings about, in the order in which one thing leads to another."""
    database, intake = app.state.served.acting(Role.TIMERS), app.state.intake
    judging, limits = Judging(database, intake), Limits(database, app.state.wakeups.wake)
    mailing = Mailing(database, server_of(app.state.settings))
    sealing = Sealing(database, Seals(app.state.settings.secret_key))
    pauses, incidents = Pauses(database, app.state.wakeups.wake), Incidents(database, intake)
    removing = app.state.served.acting(Role.RETENTION)
    retention = Retention(removing, app.state.settings.retention_years, app.state.wakeups.wake)
    works: list[Work] = [pauses, incidents, judging, limits, mailing, sealing, retention, Pulse(intake)]
    timekeeper = Timekeeper(database, app.state.clock, works)
    intake.nearer = lambda at: timekeeper.nearer(judging.kind, at)
    # Something urgent may be among what was written: whether anybody is there is looked at once.
    intake.happened = lambda: timekeeper.nearer(limits.kind, app.state.clock.now())
    return timekeeper


def _watchdog(app: FastAPI) -> Watchdog:
    """What tells the wards when one of these is not being done."""
    shared = [kind for kind in app.state.timekeeper.kinds if kind != INTAKE]
    url, replica_id = app.state.settings.database_url, app.state.timekeeper.replica_id
    return Watchdog(url, app.state.clock, replica_id, shared)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if not app.openapi_schema:
        app.openapi_schema = openapi.build(app, scopes_of)
    return app.openapi_schema


def _clock(settings: Settings) -> Clock:
    if not settings.clock_real_start:
        return real_clock()
    return Clock(
        datetime.fromisoformat(settings.clock_real_start),
        datetime.fromisoformat(settings.clock_started_at),
        settings.clock_speed,
    )


def _front_doors(app: FastAPI) -> Iterator[Route]:
    """The endpoints that guard themselves and take nothing but the request, found before any router is asked and called
    without what parameters would need. The routes behind them are the documented ones."""
    for route in openapi.routes_of(app):
        if isinstance(guard_of(route), SelfGuarded) and "{" not in route.path:
            yield Route(route.path, route.endpoint, methods=sorted(route.methods or ()), include_in_schema=False)
