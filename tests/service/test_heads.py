"""A request's head is bounded before it is complete, whatever is sent."""

import asyncio
import time

import pytest

from service.cli import heads
from tests.support.cli import serving

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GET = b"GET /livez HTTP/1.1\r\nHost: w\r\n"


async def test_a_head_without_end_is_refused_early_and_one_that_is_late_is_given_up(database_url: str) -> None:
    async with serving(WARDWATCH_DATABASE_URL=database_url) as (_, client):
        port = client.base_url.port or 0
        began = time.monotonic()
        slow, silent = (
            await asyncio.open_connection("127.0.0.1", port),
            await asyncio.open_connection("127.0.0.1", port),
        )
        slow[1].write(GET + b"X-Slow: ")

        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + b"X-Long: " + b"x" * 1_000_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
        writer.close()

        # Several requests on one connection: each head begins anew, and a body counts for none.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        form = b"grant_type=" + b"x" * 8_000
        post = b"POST /oauth/token HTTP/1.1\r\nHost: w\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        for _ in range(12):
            writer.write(post + b"Content-Length: %d\r\n\r\n" % len(form) + form)
            assert b"400" in await reader.readline()
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.write(GET + b"Connection: close\r\n\r\n")
        assert b"200" in await reader.readline()
        writer.close()

        for each, (reader, writer) in (("slow", slow), ("silent", silent)):
            async with asyncio.timeout(heads.SECONDS + 30):
                assert (await reader.readline()).startswith(b"HTTP/1.1 408 "), each
            writer.close()
        assert time.monotonic() - began >= heads.SECONDS - 1
        assert (await client.get("/livez")).status_code == 200
