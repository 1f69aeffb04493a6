"""How a member of staff proves who they are: with the password, and with a code of the authenticator app if they have
set one up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.access import accounts, audit
from service.access.attempts import Attempts
from service.access.passwords import Passwords
from service.access.principals import Principal
from service.access.refusals import OtpNeeded, OtpRefused, TokenRefused, WrongPassword
from service.access.totp import SecondProofs
from service.clock import real_now
from service.errors import Overloaded
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import WriteSession, reading, writing

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who has proven who it is; `bound` is what the sign-in is for, beyond the principal."""

    who: Principal
    bound: Mapping[str, Any] = field(default_factory=dict)


class StaffGrant:
    """Proves who somebody is: a grant of the `Desk`, and what the sign-in page asks."""

    def __init__(self, database: Database, attempts: Attempts, passwords: Passwords, second: SecondProofs) -> None:
        self._database = database
        self._attempts = attempts
        self._passwords = passwords
        self._second = second

    async def prove(self, form: Mapping[str, str], _authorization: str = "") -> Proven:
        """The member of staff who knows `username` and `password`, and has `otp` if there is an authenticator app.

        Raises WrongPassword, OtpNeeded, OtpRefused, SlowDown, TokenRefused, Overloaded."""
        account, found = await self._by_password(form.get("username", ""), form.get("password", ""))
        # Raised outside: what was counted and recorded stays.
        async with writing(self._database) as session:
            refusal = await self._second_proof(session, account, found, form.get("otp", ""))
        if refusal is not None:
            log.warning("sign_in_refused", kind="staff")
            raise refusal
        return Proven(found)

    async def prove_password(self, email: str, password: str) -> None:
        """Whether that is the password, of somebody who has signed in already. Raises WrongPassword, SlowDown,
        Overloaded."""
        account, _ = await self._by_password(email, password)
        async with writing(self._database) as session:
            await self._attempts.succeeded(session, account, real_now())

    async def _second_proof(
        self, session: WriteSession, account: str, found: Principal, otp: str
    ) -> TokenRefused | None:
        """What is still missing. A wrong code stays counted as a failed try, like a wrong password; none is no try."""
        now = real_now()
        if await self._second.is_set(session, found.id):
            if not otp:
                await self._attempts.undo(session, account)
                return OtpNeeded()
            if not await self._second.use(session, found.id, otp, now):
                detail = {"second": True}
                subject = ("staff", found.id)
                await audit.append(session, None, "sign_in", now, subject=subject, outcome="refused", detail=detail)
                return OtpRefused()
        await self._attempts.succeeded(session, account, now)
        return None

    async def _by_password(self, email: str, password: str) -> tuple[str, Principal]:
        """The account's name and its principal; the try is counted as failed until somebody says otherwise."""
        if not email or not password:
            raise TokenRefused("username and password are needed.")
        account = accounts.clean_email(email)
        async with writing(self._database) as session:
            await self._attempts.begin(session, account, real_now())
        try:
            async with reading(self._database) as session:
                tried, found = await accounts.find_staff_by_password(session, self._passwords, account, password)
        except Overloaded:
            async with writing(self._database) as session:
                await self._attempts.undo(session, account)
            raise
        if found is not None:
            return account, found
        if tried is not None:
            # Only known accounts: else anybody could fill the trail with names nobody has.
            async with writing(self._database) as session:
                await audit.append(session, None, "sign_in", real_now(), subject=("staff", tried), outcome="refused")
        log.warning("sign_in_refused", kind="staff")
        raise WrongPassword
