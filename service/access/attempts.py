"""Guessing passwords and pairing codes made slow. Failures are counted in the database, so that neither a restart nor
another replica gives new tries: for the account from this address, for the account, and for the address. Codes belong
to no account that is known: they are counted for the address.

Nobody can lock a colleague out. From an address where the account signed in lately only the failures from there count;
from elsewhere the wait for the account is short, and a try that has to wait is no failure. A new password ends every
wait for the account, also from an address that colleagues and a guesser share."""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from service.access.keys import derive
from service.access.refusals import SlowDown
from service.edge import address
from service.storage.portable import insert_or_skip
from service.storage.session import WriteSession
from service.storage.tables import METADATA

ATTEMPT = METADATA.tables["sign_in_attempt"]

KNOWN_FOR = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pace:
    """After `free` failures the wait doubles with each, from one second to `most`; after `forgets` none counts."""

    free: int
    most: timedelta
    forgets: timedelta = timedelta(hours=1)

    def wait(self, failures: int, last_at: datetime, now: datetime) -> timedelta:
        """How long from `now` until the next try is looked at, after failures that still count."""
        if failures < self.free:
            return timedelta(0)
        whole = min(timedelta(seconds=2 ** min(failures - self.free, 20)), self.most)
        return max(last_at + whole - now, timedelta(0))


# By the hour an account can be tried some 60 times from all unknown addresses together, once each is slowed down.
PACES: Mapping[str, Pace] = {
    "both": Pace(5, timedelta(minutes=15)),
    "account": Pace(20, timedelta(seconds=60), FORGOTTEN_AFTER),
    "address": Pace(50, timedelta(seconds=60)),
    "codes": Pace(50, timedelta(seconds=60)),
}


class Attempts:
    """Counts tries. The names in the table are hashes with a key derived from the secret key. With two secret keys they
    are counted under both: processes that have only one of them yet, or no longer, count on."""

    def __init__(self, *secret_keys: str) -> None:
        self._keys = [derive(each, b"wardwatch sign-in attempts", 32) for each in secret_keys]

    async def begin(self, session: WriteSession, account: str | None, now: datetime) -> None:
        """Count a try as failed before it is looked at, so that of a burst each is counted.

        `account` is what the person gave as its name, whether there is such an account or not; None for a pairing
        code. Raises SlowDown."""
        names = self._names(account)
        rows = [{"id": name, "failures": 0, "last_at": now} for name in sorted(names)]
        await session.execute(insert_or_skip(session, ATTEMPT, ["id"]).values(rows))
        found = await session.execute(
            select(ATTEMPT).where(ATTEMPT.c.id.in_(sorted(names))).order_by(ATTEMPT.c.id).with_for_update()
        )
        counted = [(names[row.id], row) for row in found]
        wait = _wait(counted, now)
        if wait > timedelta(0):
            raise SlowDown(headers={"Retry-After": str(int(wait.total_seconds()) + 1)})
        anew_at = _anew_at(counted)
        for about, row in counted:
            changed = {"failures": _failures(about, row, anew_at, now) + 1, "last_at": now}
            await session.execute(update(ATTEMPT).where(ATTEMPT.c.id == row.id).values(changed))
        unknown = ATTEMPT.c.known_at.is_(None) | (ATTEMPT.c.known_at < now - KNOWN_FOR)
        # What somebody else tries at this moment is not old: two who waited for each other would never get on.
        old = select(ATTEMPT.c.id).where(ATTEMPT.c.last_at < now - FORGOTTEN_AFTER, unknown)
        await session.execute(delete(ATTEMPT).where(ATTEMPT.c.id.in_(old.with_for_update(skip_locked=True))))

    async def succeeded(self, session: WriteSession, account: str, now: datetime) -> None:
        """The try was right. The account is known at this address; other failures of the account still count."""
        await self.undo(session, account)
        both = sorted(name for name, about in self._names(account).items() if about == "both")
        await session.execute(update(ATTEMPT).where(ATTEMPT.c.id.in_(both)).values(failures=0, known_at=now))

    async def undo(self, session: WriteSession, account: str | None) -> None:
        """The try was not looked at after all, or was right."""
        for name in sorted(self._names(account)):
            counted = (ATTEMPT.c.id == name, ATTEMPT.c.failures > 0)
            await session.execute(update(ATTEMPT).where(*counted).values(failures=ATTEMPT.c.failures - 1))

    async def begin_anew(self, session: WriteSession, account: str, now: datetime) -> None:
        """The account has a new password: it may be tried at once from everywhere, and is known at the address where
        that was set, so that what others do there does not hold it up."""
        names = sorted(name for name, about in self._names(account).items() if about in ("account", "both"))
        rows = [{"id": name, "failures": 0, "last_at": now} for name in names]
        await session.execute(insert_or_skip(session, ATTEMPT, ["id"]).values(rows))
        held = select(ATTEMPT.c.id).where(ATTEMPT.c.id.in_(names)).order_by(ATTEMPT.c.id).with_for_update()
        await session.execute(held)
        changed = {"failures": 0, "last_at": now, "known_at": now}
        await session.execute(update(ATTEMPT).where(ATTEMPT.c.id.in_(names)).values(changed))

    def _names(self, account: str | None) -> dict[str, str]:
        caller = network(address.get())
        if account is None:
            return {_name(key, "codes", caller): "codes" for key in self._keys}
        named = {"both": f"{account}\n{caller}", "account": account, "address": caller}
        return {_name(key, about, text): about for key in self._keys for about, text in named.items()}


def _name(key: bytes, about: str, text: str) -> str:
    return hmac.digest(key, f"{about}\n{text}".encode(errors="replace"), hashlib.sha256).hex()


def network(text: str) -> str:
    """Who holds an address: for IPv6 its /64, as one household or machine has all of that."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)


def _anew_at(counted: Sequence[tuple[str, Any]]) -> datetime | None:
    """When the account got a new password, if that was lately."""
    return max(
        (row.known_at for about, row in counted if about == "account" and row.known_at is not None), default=None
    )


def _failures(about: str, row: Any, anew_at: datetime | None, now: datetime) -> int:
    """How many failures still count. Those of an account at an address are of its password, and end with that."""
    over = about == "both" and anew_at is not None and row.last_at <= anew_at
    return 0 if over or now - row.last_at >= PACES[about].forgets else row.failures


def _wait(counted: Sequence[tuple[str, Any]], now: datetime) -> timedelta:
    here = [(about, row) for about, row in counted if about == "both"]
    known = any(row.known_at is not None and now - row.known_at < KNOWN_FOR for _, row in here)
    anew_at = _anew_at(counted)
    if anew_at is not None and not any(row.failures for about, row in counted if about == "account"):
        return timedelta(0)  # a new password that nobody has tried wrongly, wherever from
    relevant = here if known else counted
    return max(PACES[about].wait(_failures(about, row, anew_at, now), row.last_at, now) for about, row in relevant)
