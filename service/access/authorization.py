"""The authorization code grant with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 9700) for dashboards of others: a person
signs in on our page, the dashboard is given a code, and for the code tokens. It never sees the password.

What it gets reaches no further than the person and the dashboard's own client both do.

oauthlib checks the protocol. It is given what was read before, and so needs no session. It makes no codes, because it
would write them to its log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from oauthlib.common import Request
from oauthlib.oauth2 import AuthorizationCodeGrant, FatalClientError, OAuth2Error, RequestValidator
from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error
from oauthlib.uri_validate import is_absolute_uri
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
"""How long a used code is remembered: as long as the sign-in that it opened may live, so that a second use can end
that."""
MAX_NONCE = 200
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")
_ANSWERS = {"code", "state", "iss", "error"}
_STATE = re.compile(r"[\x20-\x7e]{0,2000}")
CARRIED = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
)  # fmt: skip
"""What the dashboard asks for: carried along in the form of the page, and checked again when that comes back."""


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
    parts = _parts_of(uri)
    if parts is None:
        return "must have a host name or an address, no user, and a port that there is"
    here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not (parts.scheme == "https" or here):
        return "must be an https URL, or http on 127.0.0.1 or localhost"
    if "#" in uri or "*" in uri or len(uri) > 500 or uri.endswith("\n") or not is_absolute_uri(uri):
        return "must be written as RFC 3986 says, without fragment or wildcard"
    if _ANSWERS & {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}:
        return "must not have the names of an answer among its own"
    return None


def _parts_of(uri: str) -> SplitResult | None:
    """The parts of a URI; None where anything but a host, and a port if any, stands between the slashes."""
    try:
        parts = urlsplit(uri)
        return parts if _HOST.fullmatch(parts.netloc) and parts.port != 0 else None
    except ValueError:
        return None


def back_to(redirect_uri: str, issuer: str, **fields: str | None) -> str:
    """The address to send the person to, with the answer; `iss` says whose it is (RFC 9207)."""
    given = {name: text for name, text in fields.items() if text is not None}
    # The library would write the address anew: `?/back` would become `?%2Fback=`.
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return redirect_uri + separator + urlencode({**given, "iss": issuer}, quote_via=quote)


def _grant(**answers: Any) -> AuthorizationCodeGrant:
    """The grant, as the library checks it. `answers`: what it asks of the service; it fails where more is asked."""
    service = RequestValidator()
    vars(service).update(answers, is_pkce_required=lambda *_: True, get_default_redirect_uri=lambda *_: None)
    return AuthorizationCodeGrant(service, pre_auth=[_limit])


def _request(fields: Mapping[str, str], *names: str) -> Request:
    # Only these: the library takes others for its own notes. Empty is the same as not given (RFC 6749, section 3.1).
    return Request("", body={name: fields[name] for name in names if fields.get(name)})


async def read_wish(session: ReadSession, asked: Mapping[str, str], issuer: str) -> Wish:
    """What the dashboard asks for. Raises AuthorizationRefused while it is not known to be its own address that would
    be told; after that SentBack."""
    client_id = canonical_id(asked.get("client_id", ""))
    query = select(CLIENT.c.id, CLIENT.c.name, CLIENT.c.scopes, CLIENT.c.redirect_uris).where(CLIENT.c.id == client_id)
    client: Any = (await session.execute(query.where(CLIENT.c.active))).one_or_none() if client_id else None
    grant = _grant(
        validate_client_id=lambda *_: client is not None,
        # Letter by letter: whatever else is taken as the same sends codes to somebody else (RFC 9700, section 4.1.3).
        validate_redirect_uri=lambda _, uri, *__: uri in (client.redirect_uris or ()),
        validate_response_type=lambda *_: True,
        get_default_scopes=lambda *_: client.scopes,
        validate_scopes=lambda _, scopes, *__: set(scopes) <= set(client.scopes),
    )
    request = _request(asked, *CARRIED, "response_mode", "prompt", "request", "request_uri")
    try:
        scopes, _ = grant.validate_authorization_request(request)
    except FatalClientError:
        raise AuthorizationRefused from None
    except OAuth2Error as problem:
        raise SentBack(back_to(asked["redirect_uri"], issuer, error=problem.error, state=request.state)) from None
    challenge, uri = asked["code_challenge"], asked["redirect_uri"]
    return Wish(client.id, client.name, uri, challenge, frozenset(scopes), request.state, request.nonce)


def _limit(request: Request) -> dict[str, Any]:
    """Refuse what the library would let through. It calls this once it knows where to send the error."""
    error = "invalid_request"
    # It knows `plain` as well, and takes any text for a challenge.
    hashed = request.code_challenge_method == "S256" and _CHALLENGE.fullmatch(request.code_challenge or "")
    if not _STATE.fullmatch(request.state or ""):
        request.state = None
    elif hasattr(request, "request") or hasattr(request, "request_uri"):
        error = "request_not_supported"
    elif request.response_type not in (None, "code"):
        error = "unsupported_response_type"
    elif request.prompt == "none":
        error = "login_required"
    elif hashed and request.response_mode in (None, "query") and len(request.nonce or "") <= MAX_NONCE:
        return {}
    raise CustomOAuth2Error(error)


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
    if row is None or row.client_id != client_id:
        raise InvalidGrant
    if row.used_at is not None:
        raise CodeReused
    grant = _grant(
        # The client has proven itself already, in more ways than the library knows.
        client_authentication_required=lambda *_: False,
        authenticate_client_id=lambda *_: True,
        validate_grant_type=lambda *_: True,
        validate_code=lambda *_: at < row.expires_at,
        get_code_challenge=lambda *_: row.challenge,
        get_code_challenge_method=lambda *_: "S256",
        confirm_redirect_uri=lambda _, __, uri, *___: uri == row.redirect_uri,
    )
    request = _request(form, "grant_type", "code", "redirect_uri", "code_verifier")
    request.client, request.client_id = row, client_id
    try:
        grant.validate_token_request(request)
    except OAuth2Error:
        raise InvalidGrant from None
    # The library takes any text for a verifier.
    if not _VERIFIER.fullmatch(form["code_verifier"]):
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
