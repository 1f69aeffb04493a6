"""Pairing an app with a stay: a code that the team gave out, and the birth date, for tokens.

Every try of a code holds its row, so tries from any number of replicas are counted one after the other, and no guess
is compared once the bound is reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access import pairing_store as store
from service.access.attempts import Attempts
from service.access.codes import CodeHashes, clean_code, new_code
from service.access.principals import ROLE_SCOPES, Principal
from service.access.refusals import CodeRefused, InvalidScope, TokenRefused
from service.access.staff_grant import Proven
from service.access.store import find_principal
from service.clock import real_now
from service.fields import new_id
from service.logs import get_logger
from service.storage.engine import Database
from service.storage.session import WriteSession, reading, writing

log = get_logger(__name__)

GRANT_TYPE = "urn:wardwatch:pairing"
CODE_LIVES = timedelta(hours=24)
MOST_FAILURES = 5
"""Wrong birth dates after which a code ends. Of some 36 000 days of birth, five tries find one in 7 000."""

_SCOPES = ROLE_SCOPES["patient"] & ROLE_SCOPES["carer"]


@dataclass(frozen=True, slots=True)
class ForWhom:
    """Whom a code is for: the patient of a stay, or a carer of theirs."""

    ward_id: str
    stay_id: str
    patient_id: str
    birth_date: date
    carer_id: str | None = None

    @property
    def kind(self) -> str:
        """What the paired app will be: `patient` or `carer`."""
        return "patient" if self.carer_id is None else "carer"


async def issue_code(
    session: WriteSession, hashes: CodeHashes, who: Principal, for_whom: ForWhom, at: datetime
) -> tuple[str, dict[str, Any]]:
    """A new code, which is not stored and cannot be shown again, and its row. One that was open for the same person
    ends. `at` is real time; the caller holds the stay."""
    same = (
        store.CODE.c.ward_id == for_whom.ward_id,
        store.CODE.c.stay_id == for_whom.stay_id,
        store.CODE.c.kind == for_whom.kind,
        store.CODE.c.carer_id.is_not_distinct_from(for_whom.carer_id),
    )
    await store.revoke_codes(session, at, *same)
    code, code_id = new_code(), new_id()
    row = {
        "ward_id": for_whom.ward_id,
        "id": code_id,
        "stay_id": for_whom.stay_id,
        "patient_id": for_whom.patient_id,
        "kind": for_whom.kind,
        "carer_id": for_whom.carer_id,
        "code_hash": hashes.of_code(code),
        "birth_date_hash": hashes.of_birth_date(code_id, for_whom.birth_date),
        "failures": 0,
        "created_at": at,
        "created_by": who.id,
        "expires_at": at + CODE_LIVES,
        "used_at": None,
        "revoked_at": None,
    }
    await store.insert_code(session, row)
    await audit.append(
        session, who, "pairing.code_issued", at, ward_id=for_whom.ward_id, subject=("stay", for_whom.stay_id),
        detail={"code_id": code_id, "kind": for_whom.kind, "carer_id": for_whom.carer_id},
    )  # fmt: skip
    return code, row


async def end_access(session: AsyncSession, ward_id: str, stay_id: str, at: datetime, reason: str) -> None:
    """The stay has ended: so do its codes and its paired apps. The caller holds the stay."""
    # Codes first: an app that is being paired at this moment holds its code, and is then among the paired ones.
    await store.revoke_codes(session, at, store.CODE.c.ward_id == ward_id, store.CODE.c.stay_id == stay_id)
    of_the_stay = (store.PAIRING.c.ward_id == ward_id, store.PAIRING.c.stay_id == stay_id)
    await store.end_pairings(session, at, reason, *of_the_stay)


class PairingGrant:
    """Proves who somebody at home is, by a code and a birth date: a grant of the `Desk`."""

    def __init__(self, database: Database, hashes: CodeHashes, attempts: Attempts) -> None:
        self.hashes = hashes
        self._attempts = attempts
        self._database = database

    async def prove(self, form: Mapping[str, str], _authorization: str) -> Proven:
        """The principal of a new pairing; raises TokenRefused without code or birth date, SlowDown for an address
        from which many tries failed, CodeRefused for all else, always in the same words."""
        if not form.get("code") or not form.get("birth_date"):
            raise TokenRefused("code and birth_date are needed.")
        if not frozenset(form.get("scope", "").split()) <= _SCOPES:
            raise InvalidScope  # before the code is used up
        async with writing(self._database) as session:
            await self._attempts.begin(session, None, real_now())
        code = clean_code(form["code"])
        async with reading(self._database) as session:
            known = await store.find_by_code(session, self.hashes.each_of_code(code)) if code else None
        if known is None:
            log.warning("pairing_refused", reason="unknown_code")
            raise CodeRefused
        async with writing(self._database) as session:
            proven = await self._try(session, *known, form["birth_date"].strip())
            if proven is not None:
                await self._attempts.undo(session, None)
        if proven is None:
            raise CodeRefused
        return proven

    async def _try(self, session: WriteSession, ward_id: str, code_id: str, birth_date: str) -> Proven | None:
        """One try of a code; None when it failed, which is counted and committed with it."""
        at = real_now()
        code = await store.lock_code(session, ward_id, code_id)
        ended = code.used_at is not None or code.revoked_at is not None or code.expires_at <= at
        if ended or code.failures >= MOST_FAILURES:
            log.warning("pairing_refused", reason="code_ended", code_id=code_id)
            return None
        if not self.hashes.is_birth_date(code_id, birth_date, code.birth_date_hash):
            await self._fail(session, code, at)
            return None
        return await _pair(session, code, at)

    async def _fail(self, session: WriteSession, code: Row[Any], at: datetime) -> None:
        failures = code.failures + 1
        # The last failure ends the code, so that the list shows it as ended.
        over = {"revoked_at": at} if failures >= MOST_FAILURES else {}
        await store.update_code(session, code.ward_id, code.id, {"failures": failures, **over})
        log.warning("pairing_refused", reason="birth_date", code_id=code.id, failures=failures)
        await audit.append(
            session, None, "pairing.paired", at, ward_id=code.ward_id, subject=("stay", code.stay_id),
            outcome="refused", detail={"code_id": code.id, "failures": failures},
        )  # fmt: skip


async def _pair(session: WriteSession, code: Row[Any], at: datetime) -> Proven:
    pairing_id = new_id()
    row = {name: getattr(code, name) for name in ("ward_id", "stay_id", "patient_id", "kind", "carer_id")}
    await store.update_code(session, code.ward_id, code.id, {"used_at": at})
    await store.insert_pairing(session, {**row, "id": pairing_id, "code_id": code.id, "paired_at": at})
    bound = {"ward_id": code.ward_id, "stay_id": code.stay_id, "pairing_id": pairing_id}
    who = await find_principal(session, code.kind, code.carer_id or code.patient_id, bound)
    if who is None:
        raise LookupError("a pairing that has just been made has no principal")
    detail = {"pairing_id": pairing_id, "code_id": code.id}
    subject = ("stay", code.stay_id)
    await audit.append(session, who, "pairing.paired", at, ward_id=code.ward_id, subject=subject, detail=detail)
    return Proven(who, bound)
