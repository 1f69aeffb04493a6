"""The one reader of request bodies: size and gzip counted while reading, then JSON, then the schema.

A body is read after the guards and after the things named in the path, so that errors come in the order the
API promises: 401, 403, 404, 413, 415, 400, 422."""

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from service.errors import BodyTooLarge, BodyTooSlow, FieldError, Invalid, MalformedJson, UnsupportedMediaType
from service.problems import field_errors

BODY_LIMIT = 1024 * 1024
BATCH_LIMIT = 8 * 1024 * 1024
BODY_SECONDS = 60.0
"""For the whole of a body: 8 MiB need no more over a slow line, and nobody holds a connection by not sending."""
MAX_RATIO = 100
"""A gzip body may grow this many times: more than any JSON of ours does, less than a bomb needs."""

NAME_TWICE = "The body gives a name twice in one object."

ANY_JSON: TypeAdapter[Any] = TypeAdapter(Any)
"""Reads JSON as the schemas do (NaN and infinity included), whatever is in it."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Schema(BaseModel):
    """What every input schema is: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    def names_given(self) -> int:
        """How many different names its text gave, as far as the schema sees: never more than that. A schema that is
        read often counts those of the schemas in it too."""
        return len(self.__pydantic_fields_set__)


Model = TypeVar("Model", bound=Schema)


class JsonBody(Generic[Model]):
    """A dependency that gives the body as `model`: `body: Annotated[StayIn, Depends(JsonBody(StayIn))]`."""

    def __init__(self, model: type[Model], limit: int = BODY_LIMIT) -> None:
        self.model = model
        self.limit = limit

    async def __call__(self, request: Request) -> Model:
        return parse(self.model, await read(request, self.limit))


def parse(model: type[Model], raw: bytes) -> Model:
    """The model in a JSON text; raises MalformedJson (also where a name is given twice: one of the two values would
    be lost) or Invalid with a pointer to each refused field."""
    try:
        found = model.model_validate_json(raw)
    except ValidationError as problem:
        if any(e["type"] == "json_invalid" for e in problem.errors(include_input=False)):
            raise MalformedJson from None
        raise Invalid(errors=field_errors(problem)) from None
    # As many different names as were given at the most: none was given twice. Else the text is looked through.
    if found.names_given() < _names_at_most(raw):
        require_single_names(raw)
    return found


def _names_at_most(raw: bytes) -> int:
    """A JSON text gives no more names than this: between the quote that ends a name and its colon are only spaces."""
    return raw.translate(None, b" \t\n\r").count(b'":')


def require_single_names(raw: bytes) -> None:
    """Raises MalformedJson where an object of a JSON text gives a name twice (RFC 8259, section 4)."""
    # Numbers as they are written: they are not looked at here.
    json.loads(raw, object_pairs_hook=_named_once, parse_int=str, parse_float=str)


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise MalformedJson(NAME_TWICE)


def peek(raw: bytes, name: str) -> str | None:
    """One text of a body that is not valid as a whole, if it can be read at all."""
    try:
        whole = ANY_JSON.validate_json(raw)
    except ValidationError:
        return None
    value = whole.get(name) if isinstance(whole, dict) else None
    return value if isinstance(value, str) else None


def reads_body(body: JsonBody[Any]) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that reads its own body, so that the OpenAPI document names it."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.reads_body = body  # type: ignore[attr-defined]
        return endpoint

    return mark


async def read(request: Request, limit: int = BODY_LIMIT, seconds: float = BODY_SECONDS) -> bytes:
    """The body's bytes, decompressed; raises BodyTooLarge, BodyTooSlow or UnsupportedMediaType."""
    headers = request.headers
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMediaType
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise BodyTooLarge
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in _READERS:
        raise UnsupportedMediaType
    return await in_time(_READERS[encoding](request, limit), seconds)


async def in_time(reading: Awaitable[bytes], seconds: float = BODY_SECONDS) -> bytes:
    """What is read; raises BodyTooSlow when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError:
        raise BodyTooSlow(headers={"Connection": "close"}) from None


async def _read_plain(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


async def _read_gzip(request: Request, limit: int) -> bytes:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = bytearray()
    packed = 0
    try:
        async for chunk in request.stream():
            packed += len(chunk)
            plain += inflate.decompress(chunk, limit + 1 - len(plain))
            if len(plain) > limit or len(plain) > MAX_RATIO * max(packed, 1024):
                raise BodyTooLarge
    except zlib.error:
        raise MalformedJson("The body is not gzip.") from None
    if not inflate.eof:
        raise MalformedJson("The gzip body is cut off.")
    if inflate.unused_data:
        raise MalformedJson("Something follows the end of the gzip body.")
    return bytes(plain)


_READERS = {"identity": _read_plain, "gzip": _read_gzip}


def missing_field(name: str, message: str) -> Invalid:
    """An Invalid error for one field that has to be there."""
    return Invalid(errors=[FieldError(f"/{name}", "missing", message)])


def documented_body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI request body for a JsonBody, given by reference to its component schema."""
    return {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }
