"""Bodies: what is too large, not JSON or a bomb is refused while it is read, not after."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from starlette.requests import Request
from starlette.types import Message

from service.body import MAX_RATIO, Schema, parse, read, require_single_names
from service.errors import BodyTooLarge, BodyTooSlow, MalformedJson
from service.readings.batch import rows_of
from service.readings.door import RefusedRow
from service.readings.schemas import BatchIn, ReadingIn
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


class Thing(Schema):
    """One with everything that a body may hold: another one, values of any kind, names with colons and quotes."""

    name: str | None = None
    colon: str | None = Field(default=None, alias='":')
    within: "Thing | None" = None
    rest: Any = None

    def names_given(self) -> int:
        return super().names_given() + (self.within.names_given() if self.within else 0)


@st.composite
def texts(draw: st.DrawFn, value: str) -> str:
    """A string as JSON may write it: with escapes where none are needed."""
    ways = (st.sampled_from([json.dumps(letter)[1:-1], f"\\u{ord(letter):04x}"]) for letter in value)
    return '"' + "".join(draw(way) for way in ways) + '"'


SPACES = st.sampled_from(["", "", " ", "\n", "\t\r "])
VALUES = st.sampled_from(["", ":", ": x", '":', '" : ', '\\"', "\\", '"name": "', "a b"]).flatmap(texts)


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> str:
    """The text of a Thing, which may give a name twice, in any place."""
    members = []
    for name in draw(st.lists(st.sampled_from(["name", '":', "within", "rest"]), max_size=3)):
        nested = objects(depth - 1) if depth else st.just("null")
        kept = {"within": nested, "rest": st.one_of(VALUES, nested, nested.map("[{}]".format))}.get(name, VALUES)
        members.append(f"{draw(SPACES)}{draw(texts(name))}{draw(SPACES)}:{draw(SPACES)}{draw(kept)}{draw(SPACES)}")
    return "{" + ",".join(members) + "}"


@settings(max_examples=300)
@given(objects())
def test_a_name_given_twice_is_found_as_by_looking_through_the_text(text: str) -> None:
    def verdict(look: Callable[[], object]) -> bool:
        try:
            look()
        except MalformedJson:
            return True
        return False

    raw = text.encode()
    assert verdict(lambda: parse(Thing, raw)) == verdict(lambda: require_single_names(raw))


@pytest.mark.parametrize(
    "doubled",
    [
        '"spo2":97,"spo2":90',
        '"spo2" :97,"spo2"\t:90',
        '"spo2":97,"sp\\u006f2":90',
        '"device":{"id":"a","id":"b"}',
        '"device":{"id":"a"},"device":{"id":"b","model":"c"}',
        '"entered_by":":\\": ","spo2":97,"spo2"\n:90',
        '"entered_by":"\\\\","entered_by":"Ada"',
    ],
)
def test_a_reading_with_a_name_given_twice_is_refused(doubled: str) -> None:
    reading = f'{{"observed_at":"2026-11-22T08:00:00Z","pulse_rate":60,{doubled}}}'
    with pytest.raises(MalformedJson):
        parse(ReadingIn, reading.encode())
    rows = rows_of(f'{{"readings":[{{"observed_at":"2026-11-22T07:00:00Z","spo2":97}},{reading}]}}'.encode())
    assert [isinstance(row, RefusedRow) for row in rows] == [False, True]


@pytest.mark.parametrize(
    "twice", ['"readings":[{"spo2":97}],"readings":[]', '"readings":[{"spo2":97}],"more":1,"more":2']
)
def test_a_batch_that_gives_a_name_of_its_own_twice_is_refused(twice: str) -> None:
    with pytest.raises(MalformedJson, match="twice"):
        rows_of(f"{{{twice}}}".encode())


def test_every_name_of_a_usual_batch_is_counted_so_that_it_is_not_looked_through_a_second_time() -> None:
    reading = b'{"observed_at":"2026-11-22T08:00:00Z","spo2":97,"device":{"id":"a"},"symptoms":[]}'
    batch = b'{"readings":[%b,%b]}' % (reading, reading)
    assert parse(ReadingIn, reading).names_given() == 5 == reading.count(b'":')
    assert parse(BatchIn, batch).names_given() == 11 == batch.count(b'":')


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
