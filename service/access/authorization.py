"""The authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 9700) for dashboards of others: a person
signs in on our page, the dashboard is given a code, and for the code tokens. It never sees the password.

What it gets reaches no further than the person and the dashboard's own client both do."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from sqlalchemy import delete, insert, select, update

from service.access.opaque import hash_secret, new_secret
from service.access.refusals import InvalidGrant, TokenRefused
from service.access.store import CLIENT
from service.fields import canonical_id
from service.storage.session import ReadSession, WriteSession
from service.storage.tables import METADATA

CODE = METADATA.tables["authorization_code"]

GOOD_FOR = timedelta(seconds=60)
KEPT_FOR = timedelta(hours=12)
"""As long as a sign-in may live that came of it: used again, a code ends that."""
MAX_STATE, MAX_NONCE = 500, 200
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_PRINTED = re.compile(r"[\x20-\x7e]*")


class AuthorizationRefused(TokenRefused):
    """This link is not one that the dashboard may use. Tell the people who run it; nothing of yours was given away."""


class CodeReused(InvalidGrant):
    """The code was used before. What it opened is closed."""


class SentBack(Exception):
    """The dashboard is told what was wrong, at its own address: `url`."""

    def __init__(self, url: str) -> None:
        self.url = url


@dataclass(frozen=True, slots=True)
class Wish:
    """What a dashboard asks for. `origin` is where it lives; `scopes` are of those its client has."""

    client_id: str
    client_name: str
    redirect_uri: str
    challenge: str
    scopes: frozenset[str]
    state: str | None
    nonce: str | None

    @property
    def origin(self) -> str:
        """Where the person is sent afterwards, without path."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A code that is good: whose sign-in it opens, for which client, with which scopes."""

    id: str
    client_id: str
    staff_id: str
    scopes: frozenset[str]
    nonce: str | None


def redirect_problem(uri: str) -> str | None:
    """Why a redirect URI cannot be registered: https, or http on the person's own machine; nothing that could be read
    in two ways. None: it can."""
    parts = urlsplit(uri)
    here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not (parts.scheme == "https" or here) or not parts.hostname:
        return "must be an https URL, or http on 127.0.0.1 or localhost"
    if parts.username or "#" in uri or "*" in uri or "\\" in uri or not re.fullmatch(r"[\x21-\x7e]{1,500}", uri):
        return "must have no user, fragment, wildcard or space"
    return None


def back_to(redirect_uri: str, issuer: str, **fields: str | None) -> str:
    """The address to send the person to, with the answer; `iss` says whose it is (RFC 9207)."""
    given = {name: text for name, text in fields.items() if text is not None}
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return redirect_uri + separator + urlencode({**given, "iss": issuer}, quote_via=quote)


async def read_wish(session: ReadSession, asked: Mapping[str, str], issuer: str) -> Wish:
    """What the dashboard asks for. Raises AuthorizationRefused while it is not known to be its own address that would
    be told; after that SentBack."""
    client_id = canonical_id(asked.get("client_id", ""))
    query = select(CLIENT.c.name, CLIENT.c.scopes, CLIENT.c.redirect_uris).where(CLIENT.c.id == client_id)
    client = (await session.execute(query.where(CLIENT.c.active))).one_or_none() if client_id else None
    redirect_uri = asked.get("redirect_uri", "")
    # Letter by letter: whatever else is taken as the same sends codes to somebody else (RFC 9700, section 4.1.3).
    if client is None or client_id is None or redirect_uri not in (client.redirect_uris or ()):
        raise AuthorizationRefused
    state = asked.get("state")
    if state is not None and (len(state) > MAX_STATE or not _PRINTED.fullmatch(state)):
        raise SentBack(back_to(redirect_uri, issuer, error="invalid_request"))
    scopes = frozenset(asked.get("scope", "").split()) or frozenset(client.scopes)
    error = _error(asked) or ("invalid_scope" if not scopes <= frozenset(client.scopes) else None)
    if error is not None:
        raise SentBack(back_to(redirect_uri, issuer, error=error, state=state))
    return Wish(client_id, client.name, redirect_uri, asked["code_challenge"], scopes, state, asked.get("nonce"))


def _error(asked: Mapping[str, str]) -> str | None:
    """The error code of RFC 6749, section 4.1.2.1, and of OpenID Connect, section 3.1.2.6."""
    if "request" in asked or "request_uri" in asked:
        return "request_not_supported"
    if asked.get("response_type") != "code":
        return "unsupported_response_type" if asked.get("response_type") else "invalid_request"
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return "invalid_request"
    if asked.get("response_mode", "query") != "query" or len(asked.get("nonce", "")) > MAX_NONCE:
        return "invalid_request"
    return "login_required" if asked.get("prompt") == "none" else None


async def give_code(session: WriteSession, wish: Wish, staff_id: str, scopes: frozenset[str], at: datetime) -> str:
    """A code for what the person allows; only its hash is kept."""
    await session.execute(delete(CODE).where(CODE.c.expires_at < at - KEPT_FOR))
    code, code_hash = new_secret()
    row = {
        "id": code_hash,
        "client_id": wish.client_id,
        "staff_id": staff_id,
        "redirect_uri": wish.redirect_uri,
        "challenge": wish.challenge,
        "scopes": sorted(scopes),
        "nonce": wish.nonce,
        "expires_at": at + GOOD_FOR,
    }
    await session.execute(insert(CODE).values(row))
    return code


async def find_used(session: ReadSession, code: str) -> str | None:
    """The family that this code has opened, or None."""
    query = select(CODE.c.family_id).where(CODE.c.id == hash_secret(code), CODE.c.used_at.is_not(None))
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def find_code(session: ReadSession, form: Mapping[str, str], client_id: str, at: datetime) -> Opened:
    """What a code opens for this client, which brings the verifier. Raises InvalidGrant, CodeReused."""
    row: Any = (await session.execute(select(CODE).where(CODE.c.id == hash_secret(form.get("code", ""))))).one_or_none()
    verifier = form.get("code_verifier", "")
    if row is None or row.client_id != client_id:
        raise InvalidGrant
    if row.used_at is not None:
        raise CodeReused
    right = _VERIFIER.fullmatch(verifier) and hmac.compare_digest(challenge_of(verifier), row.challenge)
    if not right or form.get("redirect_uri") != row.redirect_uri or at >= row.expires_at:
        raise InvalidGrant
    return Opened(row.id, row.client_id, row.staff_id, frozenset(row.scopes), row.nonce)


async def use_up(session: WriteSession, opened: Opened, family_id: str, at: datetime) -> None:
    """The code has opened this family; raises CodeReused when another request was quicker."""
    unused = (CODE.c.id == opened.id, CODE.c.used_at.is_(None))
    changed = await session.execute(
        update(CODE).where(*unused).values(used_at=at, family_id=family_id).returning(CODE.c.id)
    )
    if changed.first() is None:
        raise CodeReused


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
