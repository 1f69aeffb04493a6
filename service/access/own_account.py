"""What people do to their own account: its password, and its authenticator app.

It opens its own sessions, because a wrong password is answered with an error and counted all the same."""

from service.access import audit, new_password, totp
from service.access.attempts import Attempts
from service.access.passwords import Passwords
from service.access.principals import Principal
from service.access.staff_grant import StaffGrant
from service.access.store import find_email, find_issuer
from service.access.tokens import Tokens
from service.access.totp import SecondProofs
from service.clock import real_now
from service.errors import NotAllowed
from service.storage.engine import Database
from service.storage.session import reading, writing


class OwnAccount:
    """Everything here asks for the password again, as somebody else may sit at the screen."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        attempts: Attempts,
        passwords: Passwords,
        staff: StaffGrant,
        second: SecondProofs,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._attempts = attempts
        self._passwords = passwords
        self._staff = staff
        self._second = second

    async def set_password(self, token: str, password: str) -> None:
        """Give the account that the token is for this password, and end its sessions. Raises PasswordTokenRefused,
        Invalid."""
        async with reading(self._database) as session:
            email = await new_password.require_good(session, token, real_now())
        password_hash = await self._passwords.hash(password, email=email)
        async with writing(self._database) as session:
            await new_password.use(session, self._attempts, token, password_hash, real_now())
        await self._tokens.catch_up()

    async def change_password(self, who: Principal, before: str, password: str) -> None:
        """Give one's own account another password, and end its sessions. Raises WrongPassword, SlowDown, Invalid."""
        email = await self._prove(who, before)
        password_hash = await self._passwords.hash(password, email=email, pointer="/new_password")
        async with writing(self._database) as session:
            await new_password.replace(session, who.id, password_hash, real_now())
        await self._tokens.catch_up()

    async def begin_totp(self, who: Principal, password: str) -> tuple[str, str]:
        """A secret for an authenticator app, as a text and as a link. Raises WrongPassword, SlowDown, AlreadySet."""
        email = await self._prove(who, password)
        async with writing(self._database) as session:
            return await self._second.begin(session, who.id, email, real_now())

    async def confirm_totp(self, who: Principal, code: str) -> list[str]:
        """From now on a code is asked for; gives the recovery codes. Raises NotBegun, AlreadySet, OtpRefused."""
        now = real_now()
        async with writing(self._database) as session:
            codes = await self._second.confirm(session, who.id, code, now)
            await audit.append(session, who, "staff.totp_set", now, subject=("staff", who.id))
        return codes

    async def remove_totp(self, who: Principal, password: str) -> None:
        """No code is asked for any more. Raises WrongPassword, SlowDown, NotSet."""
        await self._prove(who, password)
        now = real_now()
        async with writing(self._database) as session:
            await totp.remove(session, who.id)
            await audit.append(session, who, "staff.totp_removed", now, subject=("staff", who.id))

    async def _prove(self, who: Principal, password: str) -> str:
        """The person's e-mail address, once they have given their password again."""
        async with reading(self._database) as session:
            email = await find_email(session, who.id) if who.kind == "staff" else None
            elsewhere = await find_issuer(session, who.id)
        if email is None or elsewhere is not None:
            raise NotAllowed("Only staff who sign in here have a password.")
        await self._staff.prove_password(email, password)
        return email
