"""HTTP for signing in: `/oauth/token` and the public keys."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.access.guards import TOKEN_PATH, public
from service.access.schemas import TOKEN_FORM, KeysOut, TokenOut, parse_form
from service.access.signing_in import Desk
from service.access.tokens import Tokens
from service.body import in_time
from service.errors import BodyTooLarge, UnsupportedMediaType

FORM_LIMIT = 8 * 1024

router = APIRouter(tags=["access"])


@router.post(TOKEN_PATH, openapi_extra=TOKEN_FORM)
@public("whoever asks for a token has none yet")
async def get_token(request: Request, response: Response) -> TokenOut:
    """Sign in (RFC 6749): `client_credentials` for systems, `password` for staff."""
    form = parse_form(await in_time(_read_form(request)))
    desk: Desk = request.app.state.desk
    who, scopes = await desk.sign_in(form, request.headers.get("authorization", ""))
    tokens: Tokens = request.app.state.tokens
    token, seconds = await tokens.issue(who, scopes)
    response.headers["Cache-Control"] = "no-store"
    return TokenOut(access_token=token, expires_in=seconds, scope=" ".join(sorted(scopes)))


@router.get("/.well-known/jwks.json")
@public("public keys")
async def get_public_keys(request: Request) -> KeysOut:
    """The public keys by which access tokens can be checked."""
    tokens: Tokens = request.app.state.tokens
    return KeysOut.model_validate(await tokens.keys.public_jwks())


async def _read_form(request: Request) -> bytes:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("This call takes application/x-www-form-urlencoded.")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > FORM_LIMIT:
            raise BodyTooLarge
    return raw
