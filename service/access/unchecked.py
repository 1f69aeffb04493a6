"""What a token says before anything of it is believed: enough to find the key it has to be checked with."""

import base64
from typing import Any

from pydantic import TypeAdapter

_JSON: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def look_into(token: str, max_length: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of a signed JWT, unchecked; None when it is none, or longer than `max_length`."""
    if len(token) > max_length or token.count(".") != 2:
        return None
    try:
        header, claims = (_JSON.validate_json(_decoded(part)) for part in token.split(".")[:2])
    except ValueError:  # also what base64 and pydantic raise
        return None
    return header, claims


def _decoded(part: str) -> bytes:
    return base64.b64decode(part.encode() + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
