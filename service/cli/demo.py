"""`wardwatch demo`: a whole ward to look at, on one command. All of it is made up, and gone afterwards."""

import asyncio
import errno
import os
import signal
import socket
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from service.cli.serve import url_of
from service.clock import Clock, real_now
from service.errors import WardwatchError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Coroutine
    from typing import Any

    import httpx

OPENS_AT = time(8)
"""The ward's day begins when the demo does."""

FIRST_ONSET_SECONDS = 20
"""Real seconds until the first patients take a turn."""

STOP_SECONDS = 10
CHILD = "from service.cli.demo import serve_until_orphaned; serve_until_orphaned()"


def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    patients: Annotated[int, typer.Option(help="How many patients.", min=1, max=500)] = 24,
    speed: Annotated[int, typer.Option(help="Clinical seconds in a real one.", min=1, max=3600)] = 60,
    seed: Annotated[int, typer.Option(help="Another number, another ward.")] = 1,
) -> None:
    """Show a simulated ward: a fresh database, a running service, and readings coming in."""
    port = _free(host, port)
    with tempfile.TemporaryDirectory(prefix="wardwatch-demo-") as folder:
        asyncio.run(_run(Demo(host, port, patients, seed, _clock(speed), Path(folder))))


class Demo:
    """What one demonstration was asked for, and where it keeps its things."""

    def __init__(self, host: str, port: int, patients: int, seed: int, clock: Clock, folder: Path) -> None:
        self.host, self.port, self.patients, self.seed = host, port, patients, seed
        self.clock, self.folder = clock, folder
        self.database_url = f"sqlite:///{folder / 'wardwatch.db'}"
        self.log = folder / "service.log"
        self.url = url_of(host, port)

    def environment(self) -> dict[str, str]:
        """The service's environment: none of the user's own settings, none of the user's own data."""
        import secrets

        kept = {name: text for name, text in os.environ.items() if not name.startswith("WARDWATCH_")}
        return kept | {
            "WARDWATCH_DATABASE_URL": self.database_url,
            "WARDWATCH_PUBLIC_URL": self.url,
            "WARDWATCH_SECRET_KEY": secrets.token_urlsafe(48),
            "WARDWATCH_LOG_LEVEL": "warning",
            "WARDWATCH_SYNTHETIC_ONLY": "on",
            # What the service leaves behind when it is told to stop goes away with the demo.
            "TMPDIR": str(self.folder),
            "WARDWATCH_DEMO_REAL_START": self.clock.real_start.isoformat(),
            "WARDWATCH_DEMO_STARTED_AT": self.clock.started_at.isoformat(),
            "WARDWATCH_DEMO_SPEED": str(int(self.clock.speed)),
        }


def serve_until_orphaned() -> None:
    """What the child process runs: `wardwatch serve HOST PORT`, until the demo ends or is killed."""
    import threading

    from service.cli import serve

    def wait() -> None:
        # The pipe from the demo ends with the demo, however it ends: the service never outlives it.
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
    serve.serve(host=sys.argv[1], port=int(sys.argv[2]), workers=1)


async def _run(wanted: Demo) -> None:
    from service.storage.migrations import migrate

    playing = asyncio.current_task()
    assert playing is not None  # noqa: S101
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    try:
        typer.echo(f"Making a ward of {wanted.patients} simulated patients ...")
        await migrate(wanted.database_url)
        async with _service(wanted) as (process, http):
            await _show(wanted, process, http)
    except asyncio.CancelledError:
        typer.echo("\nStopped. The demo's database is gone; nothing of yours was touched.")


@asynccontextmanager
async def _service(wanted: Demo) -> "AsyncIterator[tuple[Process, httpx.AsyncClient]]":
    """The service in a process of its own, ready to take requests; ended whatever happens."""
    from asyncio.subprocess import PIPE

    import httpx

    with wanted.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, wanted.host, str(wanted.port),
            stdin=PIPE, stdout=log, stderr=log, env=wanted.environment(), start_new_session=True,
        )  # fmt: skip
    try:
        # No proxy of the environment stands between two processes of one machine.
        async with httpx.AsyncClient(base_url=wanted.url, trust_env=False, timeout=30) as http:
            await _until_ready(wanted, process, http)
            yield process, http
    finally:
        await _end(process)


async def _until_ready(wanted: Demo, process: "Process", http: "httpx.AsyncClient") -> None:
    import httpx

    while process.returncode is None:
        try:
            if (await http.get("/readyz")).is_success:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise _ended(wanted)


def _ended(wanted: Demo) -> WardwatchError:
    said = wanted.log.read_text(errors="replace").strip().splitlines()[-5:]
    return WardwatchError("The service ended by itself.\n" + "\n".join(said))


async def _end(process: "Process") -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _show(wanted: Demo, process: "Process", http: "httpx.AsyncClient") -> None:
    from rich.console import Console

    from service.sandbox.caller import Caller
    from service.sandbox.driver import Played, admit_all, play, send_history
    from service.sandbox.nurse import Nurse, put_on_duty
    from service.sandbox.showing import closing, introduction, watch
    from service.sandbox.staffing import add_administrator, add_team
    from service.sandbox.ward import make_ward

    administrator = await add_administrator(wanted.database_url, real_now())
    opened = await Caller(http, administrator.form).post("/v1/wards", {"name": "Demo virtual ward"})
    played = Played(opened["id"])
    team = await add_team(wanted.database_url, played.ward_id, real_now())
    accounts = {each.role: each for each in (*team, administrator)}
    sender, reader = Caller(http, accounts["partner"].form), Caller(http, accounts["clinician"].form)
    nurse = Caller(http, accounts["clinician"].form)
    await put_on_duty(Caller(http, accounts["lead"].form), nurse, played.ward_id)
    ward = make_ward(wanted.patients, wanted.seed, wanted.clock.now(), _first_onset(wanted.clock))
    stays = await admit_all(sender, ward, played)
    await send_history(sender, ward, stays, wanted.clock, played)
    typer.echo(introduction(wanted.url, played.ward_id, accounts, wanted.clock))
    try:
        await _first_to_end(
            play(sender, ward, stays, wanted.clock, played),
            watch(reader, played, wanted.clock, Console()),
            Nurse(nurse, played.ward_id, wanted.seed).work(wanted.clock),
            _fail_when_it_ends(wanted, process),
        )
    finally:
        for line in closing(played):
            typer.echo(line)


async def _first_to_end(*parts: "Coroutine[Any, Any, None]") -> None:
    """Run the parts together until one of them ends, as a rule by failing; then end the others."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _fail_when_it_ends(wanted: Demo, process: "Process") -> None:
    await process.wait()
    raise _ended(wanted)


def _clock(speed: int) -> Clock:
    """Clinical time: it is eight in the morning on the ward, whatever it is here."""
    now = real_now()
    opens = datetime.combine(now.date(), OPENS_AT, ZoneInfo("Europe/London"))
    return Clock(now, opens.astimezone(UTC), float(speed))


def _first_onset(clock: Clock) -> timedelta:
    return timedelta(seconds=FIRST_ONSET_SECONDS * clock.speed)


def _free(host: str, port: int) -> int:
    """The port to listen on, found free; 0 takes any. Raises WardwatchError when it cannot be used."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            # As the service itself binds: a port in its last minute of waiting is free.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            return int(trial.getsockname()[1])
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is taken. Stop what listens there, or give another: --port N"
        else:
            message = f"{host}, port {port}: {problem.strerror or problem}"
        raise WardwatchError(message) from problem
