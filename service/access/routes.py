"""HTTP for signing in and out, and the public keys."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.forms import FORM_LIMIT, REVOKE_FORM, TOKEN_FORM, parse_form, read_form
from service.access.guards import TOKEN_PATH, RequiresOneself, RequiresOwnSignIn, public
from service.access.principals import Principal
from service.access.rates import rates_of
from service.access.refusals import TokenRefused
from service.access.schemas import (
    KeysOut,
    NewPasswordIn,
    PasswordChangeIn,
    TokenOut,
)
from service.access.signing_in import Desk
from service.access.tokens import Tokens
from service.body import JsonBody, in_time

router = APIRouter(tags=["access"])


@router.post(TOKEN_PATH, openapi_extra=TOKEN_FORM, response_model_exclude_none=True)
@public("whoever asks for a token has none yet")
async def get_token(request: Request, response: Response) -> TokenOut:
    """Sign in (RFC 6749): `client_credentials` for systems, `password` for staff; `refresh_token` to stay signed in.

    A refresh token is good once. The same one sent again within a minute, because the answer was lost, is given the
    same answer; later it ends the sign-in, as somebody else may have it. That of an app at home whose pairing has ended
    is refused with the code `pairing_ended`."""
    rates_of(request).knock()
    form = parse_form(await in_time(read_form(request)))
    desk: Desk = request.app.state.desk
    given = await desk.answer(form, request.headers.get("authorization", ""))
    # RFC 6749, 5.1. The other header it asks for, `no-store`, has every answer (service/edge.py).
    response.headers["Pragma"] = "no-cache"
    return TokenOut(
        access_token=given.access_token,
        expires_in=given.seconds,
        refresh_token=given.refresh_token,
        scope=" ".join(sorted(given.scopes)),
    )


@router.post("/oauth/revoke", response_class=Response, openapi_extra=REVOKE_FORM)
@public("whoever holds a token may end it")
async def revoke_token(request: Request) -> Response:
    """Sign out (RFC 7009): the sign-in that this access or refresh token came of ends, with all its tokens.

    The answer is 200 whatever the token was."""
    rates_of(request).knock()
    form = parse_form(await in_time(read_form(request)))
    if not form.get("token"):
        raise TokenRefused("token is missing.")
    desk: Desk = request.app.state.desk
    await desk.revoke(form["token"])
    return Response()


@router.post("/v1/me/sign-out-everywhere", status_code=204)
async def sign_out_everywhere(request: Request, who: Annotated[Principal, Depends(RequiresOwnSignIn())]) -> None:
    """End every sign-in of this account, on all devices, this one included."""
    desk: Desk = request.app.state.desk
    await desk.sign_out_everywhere(who)


@router.post("/oauth/password", status_code=204)
@public("who sets a first password cannot sign in yet")
async def set_password(
    request: Request, body: Annotated[NewPasswordIn, Depends(JsonBody(NewPasswordIn, FORM_LIMIT))]
) -> None:
    """Set a password with a token that is good once: for a new account, and after a reset. All sessions end."""
    rates_of(request).knock()
    desk: Desk = request.app.state.desk
    await desk.own.set_password(body.token, body.password)


@router.post("/v1/me/password", status_code=204)
async def change_password(
    request: Request,
    who: Annotated[Principal, Depends(RequiresOneself())],
    body: Annotated[PasswordChangeIn, Depends(JsonBody(PasswordChangeIn, FORM_LIMIT))],
) -> None:
    """Change one's own password. All sessions end, this one included."""
    desk: Desk = request.app.state.desk
    await desk.own.change_password(who, body.current_password, body.new_password)


@router.get("/.well-known/jwks.json")
@public("public keys")
async def get_public_keys(request: Request) -> KeysOut:
    """The public keys by which access tokens can be checked."""
    tokens: Tokens = request.app.state.tokens
    return KeysOut.model_validate(await tokens.keys.public_jwks())
