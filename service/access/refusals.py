"""Why no token was given out: the errors of OAuth 2.0, which have names of their own."""

from collections.abc import Mapping

from service.errors import PairingEnded, UnsupportedMediaType, WardwatchError
from service.problems import NOT_PAIRED_TEXT


class TokenRefused(WardwatchError):
    """No token was given out. `error` is the code of RFC 6749, section 5.2."""

    status, code = 400, "invalid_request"

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers=headers, error=self.code)


class FormNeeded(UnsupportedMediaType):
    """This call takes application/x-www-form-urlencoded."""


class InvalidClient(TokenRefused):
    """The client id or the client secret is wrong."""

    status, code = 401, "invalid_client"


class InvalidGrant(TokenRefused):
    """What was brought opens nothing: it is wrong, was used before, or has ended."""

    code = "invalid_grant"


class WrongPassword(InvalidGrant):
    """The e-mail address or the password is wrong."""


class RefreshEnded(InvalidGrant):
    """The refresh token is wrong, was used before, or has ended: sign in again."""


class RefreshUnpaired(PairingEnded):
    """This app is no longer paired: the stay has ended or moved to another ward, or the team ended the pairing. Nothing
    that it sends is received. Ask the team for a new code, and ring them if you are unwell."""

    status = 400

    def __init__(self) -> None:
        super().__init__(error=InvalidGrant.code, safety_text=NOT_PAIRED_TEXT)


class CodeRefused(InvalidGrant):
    """The code or the date of birth is wrong, or the code was used before, was tried too often, was taken back or is
    older than 24 hours. Ask the team for a new one."""


class PasswordTokenRefused(InvalidGrant):
    """The token is wrong, was used before, or has ended: ask for another."""


class UnauthorizedClient(TokenRefused):
    """People sign in for this client, so it gets no tokens of its own: add another client for what it does without
    them."""

    code = "unauthorized_client"


class UnsupportedGrantType(TokenRefused):
    """This way of asking for a token is not known here, or is switched off."""

    code = "unsupported_grant_type"


class InvalidScope(TokenRefused):
    """A scope was asked for that this account does not have."""

    code = "invalid_scope"


class SlowDown(TokenRefused):
    """Too many tries have failed; this one was not looked at. Try again after the time in Retry-After."""

    status, code = 429, "slow_down"


class IssuerUnavailable(WardwatchError):
    """The service that issued this token cannot be asked for its keys now, so the token cannot be checked; the same
    request may be sent again after the time in Retry-After."""

    status, code = 503, "issuer_unavailable"


class OtpNeeded(TokenRefused):
    """The password is right, and a code is needed as well: that of the authenticator app, or a recovery code."""

    code = "otp_required"


class OtpRefused(TokenRefused):
    """The code is wrong, too old, or was used before. Wait for the next one."""

    code = "otp_invalid"
