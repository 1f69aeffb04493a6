"""`wardwatch serve`: the service, on one or several processes, and its metrics on a port of their own.

With several workers each counts for itself into files; the parent process, which takes no requests, adds them
up and answers for all of them on the one metrics port."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.counting import counting_folder
from service.errors import SettingInvalid
from service.settings import Settings, from_environ, secret_keys_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

GRACE_SECONDS = 8
"""After SIGTERM, requests under way have this long: container engines wait ten seconds before they kill."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; one on SQLite.", min=1, max=64)] = 1,
) -> None:
    """Serve the API."""
    if not os.environ.get("WARDWATCH_PUBLIC_URL"):
        os.environ["WARDWATCH_PUBLIC_URL"] = url_of(host, port)  # the workers are told in the same way
    settings = from_environ(os.environ)
    require_servable(settings, workers)
    # uvicorn stops gracefully, then sends itself the signal again: leave as from any other end, tidying up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if settings.metrics_port and workers > 1:
        with counting_folder() as folder:
            _serve_metrics(settings.metrics_port, host, folder)
            run(settings, host, port, workers)
        return
    if settings.metrics_port:
        _serve_metrics(settings.metrics_port, host, None)
    run(settings, host, port, workers)


def url_of(host: str, port: int) -> str:
    """Where a service that listens there is reached from this machine."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{shown}:{port}"


def require_servable(settings: Settings, workers: int) -> None:
    """Raises SettingInvalid, saying what to do, when the service cannot start with these settings."""
    secret_keys_of(settings)
    require_readable(settings)
    from service.storage.engine import open_database
    from service.storage.readiness import EXPLANATIONS, facts

    if workers > 1 and open_database(settings.database_url).is_embedded:
        raise SettingInvalid("SQLite has one writer, so it takes one worker; use PostgreSQL for more")
    found = asyncio.run(facts(settings.database_url)).standing
    if found != "ready":
        raise SettingInvalid(EXPLANATIONS[found])


def require_readable(settings: Settings) -> None:
    """Raises SettingInvalid for a setting whose text is read only when it is used, as the application reads it."""
    from service.access.issuers import read_issuers
    from service.cover.mail import server_of
    from service.destinations import read_destinations

    for read in (read_issuers, read_destinations, server_of):
        read(settings)


def run(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Serve until told to stop; requests under way are answered first."""
    import uvicorn

    from service import logs
    from service.cli.heads import BoundedHeads

    logs.configure(settings.log_level)
    uvicorn.run(
        "service.cli.worker:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http=BoundedHeads,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _serve_metrics(port: int, host: str, folder: Path | None) -> None:
    from prometheus_client import start_http_server

    try:
        start_http_server(port, host, _all_workers(folder) if folder else _this_process())
    except OSError as problem:
        raise SettingInvalid(f"WARDWATCH_METRICS_PORT {port}: {problem.strerror}") from problem


def _this_process() -> "CollectorRegistry":
    from service.metrics import REGISTRY

    return REGISTRY


def _all_workers(folder: Path) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry

    from service.cli.workers import Workers

    # Read by prometheus-client when a worker, which inherits this, first imports it.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    registry = CollectorRegistry()
    registry.register(Workers(folder))
    return registry
