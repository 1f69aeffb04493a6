"""`wardwatch feed`: recorded vitals, posted to a running service as if they were measured now."""

import asyncio
import os
import secrets
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.clock import real_now
from service.errors import SettingInvalid, WardwatchError
from service.settings import CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

    from service.sandbox.upload import Uploaded


def feed(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Files *.psv, one stay each.")],
    url: Annotated[str, typer.Option(help="The service, such as http://127.0.0.1:8000.")],
    client_id: Annotated[str, typer.Option(help=f"The sender; its secret comes from {CLIENT_SECRET}.")],
    ward: Annotated[str, typer.Option(help="The id of the ward to admit to.")],
    speed: Annotated[float, typer.Option(help="Rows a second; 0 is as fast as it can.", min=0)] = 0,
) -> None:
    """Post recorded vitals to a running service; exit code 1 unless every row is accounted for."""
    from rich.console import Console

    from service.sandbox.recorded import find_recordings

    secret = os.environ.get(CLIENT_SECRET, "")
    if not secret:
        raise SettingInvalid(f"Set {CLIENT_SECRET} to the secret that `wardwatch client add` printed.")
    files = find_recordings(folder)
    sign_in = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    started = time.monotonic()
    done, problem = asyncio.run(_send(files, url, sign_in, ward, speed))
    _say_result(Console(soft_wrap=True), done, time.monotonic() - started)
    if problem is not None:
        typer.echo(f"wardwatch: {problem.detail}", err=True)
    if problem is not None or not done.adds_up or done.unreadable:
        raise typer.Exit(1)


async def _send(
    files: "Sequence[Path]", url: str, sign_in: dict[str, str], ward_id: str, speed: float
) -> "tuple[Uploaded, WardwatchError | None]":
    """What was done, and what stopped it before its end, if anything did."""
    import httpx

    from service.sandbox.caller import Caller, Lanes
    from service.sandbox.upload import STAYS_AT_A_TIME, Pace, Upload

    try:
        http = httpx.AsyncClient(base_url=url, transport=Lanes(STAYS_AT_A_TIME), timeout=60)
    except httpx.InvalidURL as problem:
        raise WardwatchError(f"--url {url}: {problem}") from problem
    async with http:
        with _progress(len(files)) as moved:
            run = secrets.token_hex(4)
            upload = Upload(Caller(http, sign_in), ward_id, run, Pace(speed), real_now, moved)
            try:
                await upload.send(files)
            except WardwatchError as problem:
                return upload.done, problem
            except asyncio.CancelledError:
                return upload.done, WardwatchError("Interrupted.")
    return upload.done, None


@contextmanager
def _progress(files: int) -> "Iterator[Callable[[Uploaded], None]]":
    """A bar on standard error; where that is no terminal, nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.completed} of {task.total} stays, {task.fields[rows]} rows"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("feed", total=files, rows=0)

        def moved(done: "Uploaded") -> None:
            progress.update(task, completed=done.stays + len(done.unreadable), rows=done.answered)

        yield moved


def _say_result(console: "Console", done: "Uploaded", seconds: float) -> None:
    for message in done.unreadable:
        console.print(message, markup=False, highlight=False)
    rate = done.answered / seconds if seconds else 0.0
    console.print(_rows_table(done, f"{done.stays} stays in {seconds:.1f} s, {rate:.0f} rows a second"))
    console.print(_alerts_table(done))


def _rows_table(done: "Uploaded", title: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_footer=True)
    table.add_column("rows", footer="read")
    table.add_column("count", justify="right", footer=str(done.read))
    table.add_row("accepted", str(done.accepted))
    table.add_row("replayed", str(done.replayed))
    for reason, count in sorted(done.refused.items()):
        table.add_row(f"refused: {reason}", str(count))
    table.add_row("empty (nothing measured)", str(done.empty))
    if not done.adds_up:
        table.add_row("NOT ACCOUNTED FOR", str(done.read - done.answered))
    return table


def _alerts_table(done: "Uploaded") -> "Table":
    from rich.table import Table

    table = Table(title="Alerts opened", title_justify="left", show_footer=True)
    table.add_column("severity", footer="all")
    table.add_column("count", justify="right", footer=str(done.opened.total()))
    for word in ("critical", "high", "medium", "low"):
        table.add_row(word, str(done.opened[word]))
    return table
