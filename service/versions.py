"""Versions: whoever changes something says which version they saw."""

import re

from fastapi import Request

from service.errors import StaleVersion, VersionRequired

_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')


def seen_version(request: Request, in_body: int | None = None) -> int:
    """The version from the body or `If-Match`; raises VersionRequired when neither gives one."""
    if in_body is not None:
        return in_body
    found = _ETAG.fullmatch(request.headers.get("if-match", "").strip())
    if found is None:
        raise VersionRequired
    return int(found.group(1))


def require_version(seen: int, current: int, state: object) -> None:
    """Raises StaleVersion, with the current state in it, when somebody changed it since."""
    if seen != current:
        raise StaleVersion(current=state, headers={"ETag": f'"{current}"'})
