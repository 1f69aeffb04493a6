"""Running `wardwatch` as a person would: as a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.postgres import free_port

PROGRAM = str(Path(sys.executable).with_name("wardwatch"))
SECRET_KEY = "a secret key for the tests, long enough"


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without its WARDWATCH_ settings, and with those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WARDWATCH_")}
    return kept | {"WARDWATCH_SECRET_KEY": SECRET_KEY} | settings


async def wardwatch(*arguments: str, stdin: str = "", **settings: str) -> Done:
    """Run `wardwatch ARGUMENTS` to its end."""
    return await run(PROGRAM, *arguments, stdin=stdin, **settings)


async def run(program: str, *arguments: str, stdin: str = "", **settings: str) -> Done:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment(**settings)
    )
    out, err = await process.communicate(stdin.encode())
    return Done(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def serving(*arguments: str, **settings: str):
    """`wardwatch serve`, ready to take requests: yields its process and an HTTP client. Killed at the end."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "serve", "--port", str(port), *arguments, stdin=DEVNULL, env=environment(**settings),
        start_new_session=True,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            await until_ready(client, process)
            yield process, client
    finally:
        if process.returncode is None:
            # The whole group: workers do not outlive the test.
            os.killpg(process.pid, 9)
        await process.wait()


async def until_ready(client: httpx.AsyncClient, process: Process, seconds: float = 60) -> None:
    """Wait until the service answers that it is ready; fails when it has ended or takes too long."""
    async with asyncio.timeout(seconds):
        while process.returncode is None:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(f"the service ended with {process.returncode} before it was ready")


async def until_refused(port: int, seconds: float = 60) -> None:
    """Wait until nobody listens on the port any more; fails when that takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.02)
