"""What happened to the tokens of a paired app that the team has to hear of: kept as a row, raised by the timer.

Access knows nothing of alerts, which are built upon it: it leaves a row, and `readings/incidents.py` makes the
alert."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.pairing_store import PAIRING, end_pairings
from service.fields import new_id
from service.storage.session import WriteSession
from service.storage.tables import METADATA

INCIDENT = METADATA.tables["access_incident"]
TOKENS_LOST = "tokens_lost"


async def note_lost(
    session: WriteSession, bound: Mapping[str, Any], kind: Literal["token_reused", "token_expired"], at: datetime
) -> None:
    """The sign-in that is bound to a pairing is lost: the pairing ends, and the team will hear of it. Nothing happens
    where no app is paired, or not any more. `at` is real time."""
    if "pairing_id" not in bound:
        return
    ward_id, stay_id, pairing_id = bound["ward_id"], bound["stay_id"], bound["pairing_id"]
    which = (PAIRING.c.ward_id == ward_id, PAIRING.c.id == pairing_id)
    if not await end_pairings(session, at, TOKENS_LOST, *which):
        return
    row = {"ward_id": ward_id, "id": new_id(), "stay_id": stay_id, "pairing_id": pairing_id, "kind": kind, "at": at}
    await session.execute(insert(INCIDENT).values(row))
    detail = {"pairing_id": pairing_id, "kind": kind}
    await audit.append(session, None, "pairing.lost", at, ward_id=ward_id, subject=("stay", stay_id), detail=detail)


async def is_unpaired(session: AsyncSession, bound: Mapping[str, Any]) -> bool:
    """Whether what is bound to this was an app, and its pairing was ended by the team or with the stay: tokens that
    were lost have ended it in another way."""
    if "pairing_id" not in bound:
        return False
    which = (PAIRING.c.ward_id == bound["ward_id"], PAIRING.c.id == bound["pairing_id"])
    row = (await session.execute(select(PAIRING.c.ended_at, PAIRING.c.end_reason).where(*which))).one_or_none()
    return row is None or (row.ended_at is not None and row.end_reason != TOKENS_LOST)
