"""A second proof at sign-in: codes of an authenticator app (TOTP, RFC 6238: SHA-1, 30 seconds, six digits), and
recovery codes for whoever loses the app. The secret is encrypted with the secret key; of recovery codes only hashes
are kept."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cryptography.fernet import MultiFernet
from sqlalchemy import delete, insert, select, update

from service.access.codes import ALPHABET
from service.access.keys import cipher_of
from service.access.refusals import OtpRefused
from service.errors import Conflict
from service.storage.session import ReadSession, WriteSession
from service.storage.tables import METADATA

TOTP = METADATA.tables["staff_totp"]

STEP_SECONDS, DIGITS = 30, 6
DRIFT = 1
"""Steps by which the phone's clock may differ (RFC 6238, section 5.2)."""
SECRET_BYTES = 20
RECOVERY_CODES, RECOVERY_LENGTH = 8, 16
"""80 bits each: nobody goes through them, so a plain hash protects them."""


class AlreadySet(Conflict):
    """There is an authenticator app already: remove it first."""


class NotBegun(Conflict):
    """Nobody has begun to set up an authenticator app for this account."""


class NotSet(Conflict):
    """There is no authenticator app."""


def code_at(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(at: datetime) -> int:
    """The step that an instant lies in."""
    return int(at.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, code: str, at: datetime, after: int) -> int | None:
    """The step whose code this is, one either side of now, and after the one used last; None when it is none."""
    now = step_of(at)
    # Every one is compared: the time tells nothing.
    right = [
        step
        for step in range(now - DRIFT, now + DRIFT + 1)
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode(errors="replace"))
    ]
    return next((step for step in right if step > after), None)


class SecondProofs:
    """The authenticator apps of staff."""

    def __init__(self, *secret_keys: str) -> None:
        self._cipher = _cipher(secret_keys)

    async def begin(self, session: WriteSession, staff_id: str, email: str, at: datetime) -> tuple[str, str]:
        """A new secret, in base 32 and as a link for the app; it counts when it is confirmed. Raises AlreadySet."""
        if await self.is_set(session, staff_id):
            raise AlreadySet
        secret = secrets.token_bytes(SECRET_BYTES)
        await session.execute(delete(TOTP).where(TOTP.c.staff_id == staff_id))
        row = {"staff_id": staff_id, "secret": self._cipher.encrypt(secret).decode(), "created_at": at}
        await session.execute(insert(TOTP).values(row))
        text = base64.b32encode(secret).decode()
        link = (
            f"otpauth://totp/Wardwatch:{quote(email)}?secret={text}&issuer=Wardwatch"
            f"&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"
        )
        return text, link

    async def confirm(self, session: WriteSession, staff_id: str, code: str, at: datetime) -> list[str]:
        """From now on a code is asked for; gives the recovery codes, which cannot be shown again.

        Raises NotBegun, AlreadySet, OtpRefused."""
        row = await self._hold(session, staff_id)
        if row is None:
            raise NotBegun
        if row.confirmed_at is not None:
            raise AlreadySet
        step = matching_step(self._cipher.decrypt(row.secret.encode()), code, at, row.last_step)
        if step is None:
            raise OtpRefused
        codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
        hashes = [_hash(staff_id, each) for each in codes]
        changed = {"confirmed_at": at, "last_step": step, "recovery_hashes": hashes}
        await session.execute(update(TOTP).where(TOTP.c.staff_id == staff_id).values(changed))
        return ["-".join(each[n : n + 4] for n in range(0, RECOVERY_LENGTH, 4)) for each in codes]

    async def is_set(self, session: ReadSession, staff_id: str) -> bool:
        """Whether a code is asked for when this person signs in."""
        query = select(TOTP.c.staff_id).where(TOTP.c.staff_id == staff_id, TOTP.c.confirmed_at.is_not(None))
        return (await session.execute(query)).first() is not None

    async def use(self, session: WriteSession, staff_id: str, code: str, at: datetime) -> bool:
        """Use up a code of the app, or a recovery code; False when it is none, or was used before."""
        row = await self._hold(session, staff_id)
        if row is None or row.confirmed_at is None:
            return False
        typed = code.replace(" ", "").replace("-", "").upper()
        step = matching_step(self._cipher.decrypt(row.secret.encode()), typed, at, row.last_step)
        left = [each for each in row.recovery_hashes if not hmac.compare_digest(each, _hash(staff_id, typed))]
        if step is None and len(left) == len(row.recovery_hashes):
            return False
        changed = {"recovery_hashes": left} if step is None else {"last_step": step}
        await session.execute(update(TOTP).where(TOTP.c.staff_id == staff_id).values(changed))
        return True

    async def _hold(self, session: WriteSession, staff_id: str) -> Any:
        query = select(TOTP).where(TOTP.c.staff_id == staff_id).with_for_update()
        return (await session.execute(query)).one_or_none()


async def remove(session: WriteSession, staff_id: str) -> None:
    """No code is asked for any more. Raises NotSet."""
    gone = delete(TOTP).where(TOTP.c.staff_id == staff_id).returning(TOTP.c.staff_id)
    if (await session.execute(gone)).first() is None:
        raise NotSet


async def encrypt_anew(session: WriteSession, secret_keys: Sequence[str]) -> None:
    """Write every secret anew under the first of the secret keys."""
    cipher = _cipher(secret_keys)
    rows = (await session.execute(select(TOTP.c.staff_id, TOTP.c.secret).order_by(TOTP.c.staff_id))).all()
    for row in rows:
        changed = {"secret": cipher.rotate(row.secret.encode()).decode()}
        # Not one that was set up anew meanwhile.
        same = (TOTP.c.staff_id == row.staff_id, TOTP.c.secret == row.secret)
        await session.execute(update(TOTP).where(*same).values(changed))


def _cipher(secret_keys: Sequence[str]) -> MultiFernet:
    """What the secrets are encrypted with."""
    return cipher_of(secret_keys, b"wardwatch authenticator app")


def _hash(staff_id: str, code: str) -> str:
    return hashlib.sha256(f"{staff_id}:{code}".encode(errors="replace")).hexdigest()
