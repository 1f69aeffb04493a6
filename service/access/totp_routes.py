"""HTTP for one's own authenticator app."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from service.access.forms import FORM_LIMIT
from service.access.guards import RequiresOneself
from service.access.principals import Principal
from service.access.schemas import Password
from service.access.signing_in import Desk
from service.body import JsonBody, Schema

router = APIRouter(prefix="/v1/me/totp", tags=["access"])

Oneself = Annotated[Principal, Depends(RequiresOneself())]


class OwnPasswordIn(Schema):
    """One's password, again: somebody else may sit at the screen."""

    current_password: Password


class OtpIn(Schema):
    """A code of the authenticator app."""

    code: Annotated[str, Field(min_length=6, max_length=10)]


class TotpOut(BaseModel):
    """What the authenticator app has to know. Shown once; it counts when a code confirms it."""

    secret: str = Field(description="In base 32, to be typed in")
    otpauth_uri: str = Field(description="To be shown as a QR code on the person's own screen, and kept nowhere")


class RecoveryCodesOut(BaseModel):
    """Each signs in once in place of a code. Shown only now."""

    recovery_codes: list[str]


@router.post("", status_code=201)
async def begin_totp(
    request: Request,
    who: Oneself,
    body: Annotated[OwnPasswordIn, Depends(JsonBody(OwnPasswordIn, FORM_LIMIT))],
) -> TotpOut:
    """Set up an authenticator app (TOTP, RFC 6238). Nothing changes until it is confirmed."""
    desk: Desk = request.app.state.desk
    secret, uri = await desk.own.begin_totp(who, body.current_password)
    return TotpOut(secret=secret, otpauth_uri=uri)


@router.post("/confirm")
async def confirm_totp(
    request: Request, who: Oneself, body: Annotated[OtpIn, Depends(JsonBody(OtpIn, FORM_LIMIT))]
) -> RecoveryCodesOut:
    """Confirm it with its first code. From now on signing in takes a code as well: `otp` in the form."""
    desk: Desk = request.app.state.desk
    return RecoveryCodesOut(recovery_codes=await desk.own.confirm_totp(who, body.code))


@router.post("/remove", status_code=204)
async def remove_totp(
    request: Request, who: Oneself, body: Annotated[OwnPasswordIn, Depends(JsonBody(OwnPasswordIn, FORM_LIMIT))]
) -> None:
    """Ask for no code any more."""
    desk: Desk = request.app.state.desk
    await desk.own.remove_totp(who, body.current_password)
