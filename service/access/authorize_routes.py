"""HTTP for dashboards of others: the page on which people sign in for them, and what the service says about itself."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from service.access import authorization, authorize_page
from service.access.authorization import CARRIED, AuthorizationRefused, SentBack, Wish
from service.access.client_keys import ALGORITHMS
from service.access.forms import form_of, parse_form, read_form
from service.access.guards import TOKEN_PATH, public
from service.access.principals import SCOPES
from service.access.rates import rates_of
from service.access.refusals import TokenRefused
from service.access.signing_in import Desk
from service.access.store import find_principal
from service.body import in_time
from service.clock import real_now
from service.errors import NotAllowed
from service.storage.engine import Database
from service.storage.roles import Role
from service.storage.session import reading, writing

PATH = "/oauth/authorize"
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page on which the person signs in", "content": {"text/html": {}}},
    303: {"description": "Back to the dashboard, with `code`, or with `error`; `state` and `iss` in both"},
    400: {"description": "The page again, or one that says why not", "content": {"text/html": {}}},
    429: {"description": "The page again: too many tries have failed", "content": {"text/html": {}}},
}
_ASKED = {
    "response_type": "`code`",
    "client_id": "The id of the dashboard's client",
    "redirect_uri": "One of the client's, letter by letter",
    "code_challenge": "SHA-256 of the verifier, base64url without padding (RFC 7636)",
    "code_challenge_method": "`S256`",
    "scope": "Fewer scopes than the client has",
    "state": "Given back as it is: printed ASCII, 2,000 characters at most",
    "nonce": "Put into the first access token: 200 characters at most",
}
_REQUIRED = 5
PARAMETERS = {
    "parameters": [
        {"name": name, "in": "query", "required": number < _REQUIRED, "schema": {"type": "string"}, "description": text}
        for number, (name, text) in enumerate(_ASKED.items())
    ]
}

router = APIRouter(tags=["access"])


class ServerOut(BaseModel):
    """The service as an authorization server (RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: Annotated[bool, Field(description="RFC 9207")]


@router.get("/.well-known/oauth-authorization-server")
@public("whoever wants to sign in has to find out how")
async def get_server(request: Request) -> ServerOut:
    """Where and how tokens are got (RFC 8414)."""
    issuer = _issuer(request)
    desk: Desk = request.app.state.desk
    return ServerOut(
        issuer=issuer,
        authorization_endpoint=issuer + PATH,
        token_endpoint=issuer + TOKEN_PATH,
        revocation_endpoint=f"{issuer}/oauth/revoke",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        scopes_supported=sorted(SCOPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=desk.grant_types,
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        token_endpoint_auth_signing_alg_values_supported=sorted(each for kind in ALGORITHMS.values() for each in kind),
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )


@router.get(PATH, openapi_extra=PARAMETERS, response_class=HTMLResponse, responses=_PAGE)
@public("nobody has signed in yet")
async def get_authorize(request: Request) -> Response:
    """The page on which somebody signs in for a dashboard of others (RFC 6749, section 4.1, with PKCE). Send the
    person's browser here."""
    rates_of(request).knock()
    try:
        asked = parse_form(request.url.query.encode())
        wish = await _wish(request, asked)
    except SentBack as back:
        return RedirectResponse(back.url, 303, headers=authorize_page.headers())
    except TokenRefused as problem:
        return _refused(problem)
    return _shown(wish, {name: text for name, text in asked.items() if name in CARRIED})


@router.post(PATH, openapi_extra=form_of({"type": "object"}), response_class=HTMLResponse, responses=_PAGE)
@public("whoever signs in has no token yet")
async def post_authorize(request: Request) -> Response:
    """What the page sends: for people in front of it, never for programs."""
    rates_of(request).knock()
    _require_own_page(request)
    try:
        form = parse_form(await in_time(read_form(request)))
        wish = await _wish(request, form)
        return await _answer(request, wish, form)
    except SentBack as back:
        return RedirectResponse(back.url, 303, headers=authorize_page.headers())
    except AuthorizationRefused as problem:
        return _refused(problem)


async def _answer(request: Request, wish: Wish, form: Mapping[str, str]) -> Response:
    issuer = _issuer(request)
    if form.get("answer") != "allow":
        raise SentBack(authorization.back_to(wish.redirect_uri, issuer, error="access_denied", state=wish.state))
    desk: Desk = request.app.state.desk
    try:
        proven = await desk.staff.prove(form)
    except TokenRefused as problem:
        return _shown(wish, form, problem)
    async with writing(_database(request)) as session:
        who = await find_principal(session, "staff", proven.who.id, {"client_id": wish.client_id})
        scopes = who.scopes & wish.scopes if who else frozenset()
        if not scopes:
            # No ward in common, or nothing that both may do there.
            raise SentBack(authorization.back_to(wish.redirect_uri, issuer, error="access_denied", state=wish.state))
        code = await authorization.give_code(session, wish, proven.who.id, scopes, real_now())
    url = authorization.back_to(wish.redirect_uri, issuer, code=code, state=wish.state)
    return RedirectResponse(url, 303, headers=authorize_page.headers())


async def _wish(request: Request, asked: Mapping[str, str]) -> Wish:
    async with reading(_database(request)) as session:
        return await authorization.read_wish(session, asked, _issuer(request))


def _database(request: Request) -> Database:
    """Nobody has a token here: it is asked as whoever signs people in asks it."""
    served: Database = request.app.state.served
    return served.acting(Role.DESK)


def _require_own_page(request: Request) -> None:
    """Raises NotAllowed for a form that another page sends: it might sign somebody in as somebody else."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    parts = urlsplit(_issuer(request))
    if site != "same-origin" and not (site is None and origin == f"{parts.scheme}://{parts.netloc}"):
        raise NotAllowed("That has to come from the sign-in page.")


def _issuer(request: Request) -> str:
    """The service's name as an authorization server: its address."""
    url: str = request.app.state.settings.public_url
    return url.rstrip("/")


def _shown(wish: Wish, asked: Mapping[str, str], problem: TokenRefused | None = None) -> Response:
    text = problem.detail if problem else ""
    page = authorize_page.sign_in(wish, asked, PATH, text)
    headers = authorize_page.headers(wish) | (problem.headers if problem else {})
    return HTMLResponse(page, problem.status if problem else 200, headers=headers)


def _refused(problem: TokenRefused) -> Response:
    return HTMLResponse(authorize_page.refusal(problem.detail), problem.status, headers=authorize_page.headers())
