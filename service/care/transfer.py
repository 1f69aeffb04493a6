"""Transferring a stay: done at once by somebody of both wards, else offered to the other one."""

from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from sqlalchemy.ext.asyncio import AsyncSession

from service.access import audit
from service.access.principals import Principal
from service.access.store import find_principal
from service.care import store, transfer_store
from service.care.act import Act
from service.care.moving import Move, carry_out
from service.care.store import Stay
from service.care.transfer_store import Transfer
from service.errors import Conflict, FieldError, Invalid, NotFound, TransferPending
from service.feed.numbering import NewEvent, append_events
from service.fields import new_id
from service.storage.portable import reach


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of it: the two stays, or the offer that waits."""

    stay: Stay
    new_stay: Stay | None = None
    transfer: Transfer | None = None


async def transfer(act: Act, ward_id: str) -> Moved:
    """Move the stay to another ward, if the principal may admit there; else offer it to that ward.

    Raises NotFound (also for a ward that is not there), StaleVersion, StayDischarged, Invalid for the ward the stay
    is on, ActiveStayExists, IdentifierTaken, TransferPending."""
    stay = await act.lock()
    if ward_id == stay.ward_id:
        raise Invalid(errors=[FieldError("/ward_id", "same_ward", "is the ward the stay is on")])
    if ward_id in act.who.roles:
        ended, new = await carry_out(Move(act, ward_id, act.who), stay)
        return Moved(ended, new)
    await reach(act.session, ward_id)
    if not await transfer_store.ward_exists(act.session, ward_id):
        raise NotFound
    pending = await transfer_store.find_pending(act.session, ward_id, stay.id)
    if pending is not None:
        raise TransferPending(transfer_id=pending)
    offer = Transfer(
        new_id(), ward_id, stay.ward_id, stay.id, "pending", act.at, act.who.id, act.who.kind, None, None, None
    )
    await transfer_store.insert_transfer(act.session, offer)
    await _tell(act.session, act.who, offer, "proposed", act.at, act.real_at)
    return Moved(stay, transfer=offer)


async def accept(session: AsyncSession, who: Principal, offer: Transfer, at: datetime, real_at: datetime) -> Moved:
    """Take a stay that was offered to one of the principal's wards; whoever offered it must still be able to.

    Raises NotFound for somebody of the other ward, TransferDecided, StayDischarged, Conflict, ActiveStayExists,
    IdentifierTaken."""
    if offer.ward_id not in who.roles:
        raise NotFound
    await reach(session, offer.from_ward_id)
    giver = await find_principal(session, offer.proposer_kind, offer.proposed_by)
    giver = None if giver is None else giver.on("patients:write")
    if giver is None or offer.from_ward_id not in giver.roles:
        raise Conflict("Whoever offered this stay no longer works there; it has to be offered again.")
    stay = await store.lock_stay(session, giver, offer.from_ward_id, offer.stay_id)
    store.require_going_on(stay)
    act = Act(session, giver, offer.from_ward_id, offer.stay_id, stay.version, at, real_at)
    await transfer_store.decide_transfer(session, offer, status="accepted", decided_at=at, decided_by=who.id)
    ended, new = await carry_out(Move(act, offer.ward_id, who), stay)
    return Moved(ended, new)


async def decline(session: AsyncSession, who: Principal, offer: Transfer, at: datetime, real_at: datetime) -> None:
    """Refuse an offer, or take one's own ward's back. Raises TransferDecided."""
    await transfer_store.decide_transfer(session, offer, status="declined", decided_at=at, decided_by=who.id)
    await reach(session, offer.ward_id, offer.from_ward_id)
    await _tell(session, who, offer, "declined", at, real_at)


async def _tell(
    session: AsyncSession, who: Principal, offer: Transfer, what: str, at: datetime, real_at: datetime
) -> None:
    """Both wards hear of an offer; only the one it comes from hears whose it is."""
    kind = f"stay.transfer_{what}"
    data = {"transfer_id": offer.id, "ward_id": offer.ward_id, "from_ward_id": offer.from_ward_id}
    here = NewEvent(kind, at, "stay", offer.stay_id, {**data, "stay_id": offer.stay_id}, who.id)
    there = NewEvent(kind, at, "transfer", offer.id, data, who.id)
    for ward_id, subject in ((offer.from_ward_id, ("stay", offer.stay_id)), (offer.ward_id, ("transfer", offer.id))):
        await audit.append(session, who, kind, real_at, ward_id=ward_id, subject=subject, detail=data)
    # One ward a statement, in key order: the two may lie on two machines.
    for ward_id, event in sorted([(offer.from_ward_id, here), (offer.ward_id, there)], key=itemgetter(0)):
        await append_events(session, ward_id, [event])
