"""Who may call a route. A route is guarded when a `Requires` is among its dependencies, or when it is marked
`public` or `self_guarded`; a test walks all routes and asks `guard_of`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Request
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlowPassword, OAuthFlows
from fastapi.security.base import SecurityBase
from pydantic import WithJsonSchema

from service.access.parameters import require_known
from service.access.principals import SCOPES, Principal
from service.access.refusals import IssuerUnavailable
from service.access.tokens import Tokens
from service.access.visibility import require_ward
from service.edge import visit_of
from service.errors import NotAllowed, NotAuthenticated, NotFound, PairingEnded, ScopeMissing
from service.fields import canonical_id

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a secret
_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer realm="wardwatch", error="invalid_token"'}

PathId = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""An id in a path as it was sent: what is no id at all is simply not found."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


async def authenticate(request: Request) -> Principal:
    """Who sent the request; raises NotAuthenticated, TooManyRequests, IssuerUnavailable. A known token costs no
    database. Two tokens are none: a proxy may have looked at the other one."""
    state = request.app.state
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        state.rates.knock()
        raise NotAuthenticated
    tokens: Tokens = state.tokens
    try:
        principal = await tokens.principal_of(token)
    except PairingEnded:
        state.rates.knock()
        raise PairingEnded(headers=_INVALID_TOKEN) from None
    except NotAuthenticated:
        state.rates.knock()
        raise NotAuthenticated(headers=_INVALID_TOKEN) from None
    except IssuerUnavailable:
        state.rates.knock()
        raise
    visit = visit_of(request.scope)
    visit.who, visit.acting = principal, principal.acting
    if (left := state.rates.take(principal)) is not None:
        visit.headers.append((b"ratelimit", left))
    return principal


def require_scope(principal: Principal, *scopes: str) -> Principal:
    """The principal with only the wards where it holds one of the scopes; raises ScopeMissing without any."""
    if principal.scopes.isdisjoint(scopes):
        raise ScopeMissing(
            required_scopes=list(scopes),
            granted_scopes=sorted(principal.scopes),
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"'},
        )
    return principal.on(*scopes)


@dataclass(frozen=True, init=False)
class Requires(SecurityBase):
    """A dependency: who is asking, holding at least one of the scopes; none given: any valid token. Then it refuses
    names in the query string that the call does not take.

    `Annotated[Principal, Depends(Requires("alerts:read"))]`. The principal comes with only the wards on which
    it holds the scope. Raises NotAuthenticated, ScopeMissing, Invalid."""

    scopes: tuple[str, ...]

    def __init__(self, *scopes: str) -> None:
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown:
            raise ValueError(f"no such scope: {unknown}")
        object.__setattr__(self, "scopes", scopes)
        object.__setattr__(self, "model", _SCHEME)
        object.__setattr__(self, "scheme_name", "oauth2")

    async def __call__(self, request: Request) -> Principal:
        principal = await self.admit(request)
        require_known(request)
        return principal

    async def admit(self, request: Request) -> Principal:
        """Who is asking, before the query string is looked at; guards that ask for more look at that first."""
        principal = await authenticate(request)
        if self.scopes:
            principal = require_scope(principal, *self.scopes)
            visit_of(request.scope).acting = principal.acting
        return principal


class RequiresTeam(Requires):
    """`Requires`, for what is not for people at home, though they hold the scope: raises NotAllowed for them."""

    async def admit(self, request: Request) -> Principal:
        principal = await super().admit(request)
        if principal.home is not None:
            raise NotAllowed("That is for the team.")
        return principal


class RequiresOwnSignIn(Requires):
    """`Requires`, for what nobody does for somebody else: raises NotAllowed for a token that a dashboard of others
    got."""

    async def admit(self, request: Request) -> Principal:
        principal = await super().admit(request)
        if principal.client_id:
            raise NotAllowed("People do that themselves, and sign in here for it.")
        return principal


class RequiresOneself(RequiresOwnSignIn, RequiresTeam):
    """Both, for what somebody of the team does to their own account."""


class RequiresAtHome(Requires):
    """`Requires`, for what only people at home have: raises NotFound for everybody else."""

    async def __call__(self, request: Request) -> Principal:
        principal = await self.admit(request)
        if principal.home is None:
            raise NotFound
        require_known(request)
        return principal


class RequiresOnWard(Requires):
    """`Requires`, for a path with `{ward_id}`: raises NotFound unless it is one of the principal's wards.

    An administrator passes with any id, if the scope allows: the query says whether there is such a ward."""

    async def __call__(self, request: Request, ward_id: PathId) -> Principal:  # type: ignore[override]
        principal = await self.admit(request)
        require_ward(principal, canonical_id(ward_id))
        require_known(request)
        return principal


_SCHEME = OAuth2Model(
    flows=OAuthFlows(
        password=OAuthFlowPassword(tokenUrl=TOKEN_PATH, scopes=dict(SCOPES)),
        clientCredentials=OAuthFlowClientCredentials(tokenUrl=TOKEN_PATH, scopes=dict(SCOPES)),
    ),
    description="Staff sign in with e-mail and password, systems with client id and secret.",
)


@dataclass(frozen=True, slots=True)
class Public:
    """The mark of a route anybody may call, and why that is right."""

    why: str


@dataclass(frozen=True, slots=True)
class SelfGuarded:
    """The mark of a route that calls `authenticate` and `require_scope` itself, and for which scopes."""

    scopes: tuple[str, ...]


Guard = Requires | Public | SelfGuarded


def public(why: str) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint as open to anybody: `@public("tokens are asked for without a token")`."""
    return _mark(Public(why))


def self_guarded(*scopes: str) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that guards itself, as hot routes do."""
    return _mark(SelfGuarded(scopes))


def guard_of(route: Any) -> Guard | None:
    """The guard of an API route, or None when anybody could walk in."""
    marked: Guard | None = getattr(route.endpoint, "guard", None)
    if marked is not None:
        return marked
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        if isinstance(dependant.call, Requires):
            return dependant.call
        waiting.extend(dependant.dependencies)
    return None


def scopes_of(route: Any) -> tuple[str, ...] | None:
    """The scopes of which a route needs one, for the OpenAPI document; None when anybody may call it."""
    guard = guard_of(route)
    return guard.scopes if isinstance(guard, Requires | SelfGuarded) else None


def _mark(guard: Guard) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.guard = guard  # type: ignore[attr-defined]
        return endpoint

    return mark
