"""Pages of lists: an opaque cursor that says after what to go on, and the `Link` to the next page."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar
from urllib.parse import urlencode

import orjson
from fastapi import Query, Request
from fastapi.responses import Response

from service.errors import FieldError, Invalid
from service.fields import canonical_id

Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page")]
Cursor = Annotated[str | None, Query(max_length=500, description="From `next_cursor` of the page before")]
DEFAULT_LIMIT = 50


class Numbered(Protocol):
    """What a list of it goes on after by its id."""

    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=Numbered)


def not_ours() -> Invalid:
    """What a cursor is refused with."""
    return Invalid(errors=[FieldError("/cursor", "invalid_cursor", "is not a cursor of this list")])


def encode_cursor(*after: Any) -> str:
    """The cursor for "go on after these sort values" (texts, numbers, booleans, None)."""
    return base64.urlsafe_b64encode(orjson.dumps(after)).decode().rstrip("=")


def decode_cursor(cursor: str, types: tuple[type, ...]) -> tuple[Any, ...]:
    """The sort values of a cursor; raises Invalid when it is not one of ours or holds other types."""
    try:
        after = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        after = None
    fits = isinstance(after, list) and len(after) == len(types)
    if not fits or not all(type(value) is kind for value, kind in zip(after, types, strict=True)):
        raise not_ours()
    return tuple(after)


def cursor_instant(text: str) -> datetime:
    """The instant in a cursor; raises Invalid when it is none, or one that UTC does not have."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise not_ours()


def decode_id_cursor(cursor: str | None) -> str | None:
    """The id in a cursor that goes on after an id; raises Invalid when it is not one of ours."""
    if cursor is None:
        return None
    after = canonical_id(decode_cursor(cursor, (str,))[0])
    if after is None:
        raise not_ours()
    return after


def page_of(
    request: Request, response: Response, found: Sequence[Item], limit: int
) -> tuple[Sequence[Item], str | None]:
    """The first `limit` of what was found, of which there is one more when the list goes on; and the cursor of the next
    page, to which the answer then has a `Link`."""
    further = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    response.headers.update(next_link(request, further))
    return found[:limit], further


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The `Link` header to the next page, or no header on the last page."""
    if cursor is None:
        return {}
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<{request.url.path}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'}
