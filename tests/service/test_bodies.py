"""Bodies: what is too large, not JSON or a bomb is refused while it is read, not after."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.types import Message

from service.body import MAX_RATIO, read, require_single_names
from service.errors import BodyTooLarge, BodyTooSlow
from tests.service.conftest import LIMIT

GOOD = {"name": "Ada"}
GZIP = {"content-encoding": "gzip", "content-type": "application/json"}
JSON = {"content-type": "application/json"}


def spaces(size: int) -> bytes:
    """A JSON text of exactly this many bytes."""
    text = json.dumps(GOOD).encode()
    return text + b" " * (size - len(text))


async def in_pieces(body: bytes, size: int = 64) -> AsyncIterator[bytes]:
    """Sent without a content-length."""
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def test_a_body_is_taken(http) -> None:
    assert (await http.post("/notes", json=GOOD)).json() == GOOD


async def test_a_gzip_body_is_taken(http) -> None:
    answer = await http.post("/notes", content=gzip.compress(json.dumps(GOOD).encode()), headers=GZIP)
    assert answer.json() == GOOD


@pytest.mark.parametrize("encode", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("send", [bytes, in_pieces], ids=["at once", "in pieces"])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)], ids=["at the limit", "over it"])
async def test_the_limit_counts_what_comes_out(http, encode, send, size: int, status: int) -> None:
    headers = GZIP if encode is gzip.compress else JSON
    answer = await http.post("/notes", content=send(encode(spaces(size))), headers=headers)
    assert answer.status_code == status


async def test_a_body_that_says_it_is_too_large_is_refused_unread(http) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await http.post("/notes", content=unread(), headers=JSON | {"content-length": str(LIMIT + 1)})
    assert answer.status_code == 413


async def test_reading_stops_when_too_much_has_come(http) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield b" " * 100

    assert (await http.post("/notes", content=endless(), headers=JSON)).status_code == 413
    assert sent <= LIMIT + 200


async def test_a_gzip_bomb_is_never_unpacked(http) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 50_000
    answer = await http.post("/notes", content=in_pieces(bomb, 1024), headers=GZIP)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_grows_more_than_json_can_is_refused_within_the_limit() -> None:
    size = MAX_RATIO * 1024 + 1
    packed = gzip.compress(b" " * size)

    async def receive() -> dict:
        return {"type": "http.request", "body": packed, "more_body": False}

    scope = {"type": "http", "headers": [(b"content-encoding", b"gzip")]}
    with pytest.raises(BodyTooLarge):
        await read(Request(scope, receive), limit=10 * size)


@pytest.mark.parametrize("cut", [1, 8, 12])
async def test_a_gzip_body_that_is_cut_off_is_refused(http, cut: int) -> None:
    answer = await http.post("/notes", content=gzip.compress(json.dumps(GOOD).encode())[:-cut], headers=GZIP)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(GOOD).encode(),
        zlib.compress(json.dumps(GOOD).encode()),
        b"",
        gzip.compress(json.dumps(GOOD).encode()) + b"more after the end",
    ],
    ids=["plain", "zlib", "empty", "more"],
)
async def test_what_says_it_is_gzip_and_is_not_is_refused(http, body: bytes) -> None:
    assert (await http.post("/notes", content=body, headers=GZIP)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{'name': 'Ada'}", b"\xff\xfe", b'{"name": "\xff"}', b'{"name":"a"}x'],
)
async def test_what_is_not_json_is_malformed(http, body: bytes) -> None:
    answer = await http.post("/notes", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "br"},
        {"content-type": "application/json", "content-encoding": "gzip, gzip"},
    ],
    ids=str,
)
async def test_other_media_and_encodings_are_refused(http, headers: dict[str, str]) -> None:
    answer = await http.post("/notes", content=json.dumps(GOOD), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_json_goes_by_several_names(http, media: str) -> None:
    answer = await http.post("/notes", content=json.dumps(GOOD), headers={"content-type": media})
    assert answer.status_code == 200


async def test_a_content_length_that_is_no_number_stops_no_counting(http) -> None:
    headers = JSON | {"content-length": "ten"}
    assert (await http.post("/notes", content=in_pieces(spaces(LIMIT)), headers=headers)).status_code == 200
    assert (await http.post("/notes", content=in_pieces(spaces(LIMIT + 1)), headers=headers)).status_code == 413


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_number_that_is_none_is_refused(http, number: str) -> None:
    answer = await http.post("/notes", content=f'{{"name": "n", "spo2": {number}}}', headers=JSON)
    assert answer.status_code in (400, 422)


async def test_deeply_nested_json_is_refused_and_not_a_fault_of_ours(http) -> None:
    answer = await http.post("/notes", content=b"[" * 900, headers=JSON)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name": "Ada", "name": "Bob"}',
        b'{"name": "Ada", "n\\u0061me": "Bob"}',
        b'{"name": "Ada", "spo2": 97, "spo2" : 90}',
    ],
    ids=["plain", "escaped", "spaced"],
)
async def test_a_name_given_twice_is_refused(http, raw: bytes) -> None:
    answer = await http.post("/notes", content=raw, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert "twice" in answer.json()["detail"]


@pytest.mark.parametrize(
    "raw", [b'[{"a": 1}, {"a": 1}]', b'{"a": {"a": "a\\" : \\\\"}}', b'{"a": "b", "b": "a"}'], ids=str
)
def test_the_same_name_in_different_objects_is_fine(raw: bytes) -> None:
    require_single_names(raw)


async def test_a_body_that_stalls_is_given_up() -> None:
    async def nothing() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    pieces = iter([{"type": "http.request", "body": b'{"na', "more_body": True}])

    async def receive() -> Message:
        return next(pieces, None) or await nothing()

    stalled = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(BodyTooSlow) as refused:
        await read(stalled, seconds=0.05)
    assert (refused.value.status, refused.value.headers["Connection"]) == (408, "close")
