"""How a member of staff proves who they are: with the password."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.access import accounts, audit
from service.access.attempts import Attempts
from service.access.passwords import Passwords
from service.access.principals import Principal
from service.access.refusals import TokenRefused, WrongPassword
from service.clock import real_now
from service.errors import Overloaded
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import reading, writing

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who has proven who it is; `bound` is what the sign-in is for, beyond the principal."""

    who: Principal
    bound: Mapping[str, Any] = field(default_factory=dict)


class StaffGrant:
    """Proves who somebody is: a grant of the `Desk`, and what the sign-in page asks."""

    def __init__(self, database: Database, attempts: Attempts, passwords: Passwords) -> None:
        self._database = database
        self._attempts = attempts
        self._passwords = passwords

    async def prove(self, form: Mapping[str, str], _authorization: str = "") -> Proven:
        """The member of staff who knows `username` and `password`. Raises WrongPassword, SlowDown, TokenRefused,
        Overloaded."""
        email, password = form.get("username", ""), form.get("password", "")
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
        async with writing(self._database) as session:
            if found is not None:
                await self._attempts.succeeded(session, account, real_now())
                return Proven(found)
            if tried is not None:
                # Only known accounts: else anybody could fill the trail with names nobody has.
                await audit.append(session, None, "sign_in", real_now(), subject=("staff", tried), outcome="refused")
        log.warning("sign_in_refused", kind="staff")
        raise WrongPassword
