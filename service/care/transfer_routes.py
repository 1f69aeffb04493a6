"""HTTP for transfers."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from service.access.guards import PathId, Requires, RequiresOnWard
from service.access.principals import Principal
from service.access.trail import trail_of
from service.body import JsonBody
from service.care import transfer, transfer_store
from service.care.act import Act
from service.care.guards import OnWard, RequiresOnStay
from service.care.schemas import StayOut
from service.care.transfer import Moved
from service.care.transfer_schemas import MovedOut, TransferIn, TransferOut, TransfersOut
from service.care.transfer_store import Transfer
from service.clock import real_now
from service.feed.positions import wakeups_of
from service.fields import Id, canonical_id
from service.storage.session import Reads, database_of, reading, writing
from service.versions import seen_version

router = APIRouter(prefix="/v1", tags=["patients"])


class OnOffer(NamedTuple):
    """Who asks, about which transfer."""

    who: Principal
    offer: Transfer


class RequiresOnTransfer(Requires):
    """`Requires`, for a path with `{transfer_id}`: raises NotFound unless to or from one of the principal's wards."""

    async def __call__(self, request: Request, transfer_id: PathId) -> OnOffer:  # type: ignore[override]
        who = await self.admit(request)
        async with reading(database_of(request)) as session:
            return OnOffer(who, await transfer_store.get_transfer(session, who, canonical_id(transfer_id)))


@router.post("/stays/{stay_id}/transfer", responses={202: {"model": MovedOut}})
async def transfer_stay(
    request: Request,
    response: Response,
    on: Annotated[OnWard, Depends(RequiresOnStay("patients:write"))],
    body: Annotated[TransferIn, Depends(JsonBody(TransferIn))],
) -> MovedOut:
    """Move a stay to another ward. Whoever does not work there offers it: 202, until that ward accepts."""
    seen, now = seen_version(request, body.version), request.app.state.clock.now()
    async with writing(database_of(request)) as session:
        moved = await transfer.transfer(Act(session, on.who, on.ward_id, on.id, seen, now, real_now()), body.ward_id)
    wakeups_of(request).wake([on.ward_id, body.ward_id])
    if moved.transfer is not None:
        response.status_code = 202
    return _moved(moved)


@router.get("/wards/{ward_id}/transfers")
async def list_transfers(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("patients:read"))],
    session: Reads,
) -> TransfersOut:
    """The stays that are offered to this ward and wait for a decision, oldest first."""
    trail_of(request).polled(who, (ward_id,), "transfers.read")
    found = await transfer_store.list_pending(session, ward_id)
    return TransfersOut(items=[TransferOut.model_validate(each) for each in found])


OnTransfer = Annotated[OnOffer, Depends(RequiresOnTransfer("patients:write"))]


@router.post("/transfers/{transfer_id}/accept")
async def accept_transfer(request: Request, on: OnTransfer) -> MovedOut:
    """Take a stay that was offered to this ward. Its alerts are raised again here."""
    now = request.app.state.clock.now()
    async with writing(database_of(request)) as session:
        moved = await transfer.accept(session, on.who, on.offer, now, real_now())
    wakeups_of(request).wake([on.offer.ward_id, on.offer.from_ward_id])
    # The stay left behind is the other ward's.
    return MovedOut(status="transferred", new_stay=StayOut.of(moved.new_stay) if moved.new_stay else None)


@router.post("/transfers/{transfer_id}/decline", status_code=204)
async def decline_transfer(request: Request, on: OnTransfer) -> Response:
    """Refuse a stay that was offered, or take an offer back."""
    now = request.app.state.clock.now()
    async with writing(database_of(request)) as session:
        await transfer.decline(session, on.who, on.offer, now, real_now())
    wakeups_of(request).wake([on.offer.ward_id, on.offer.from_ward_id])
    return Response(status_code=204)


def _moved(moved: Moved) -> MovedOut:
    return MovedOut(
        status="transferred" if moved.new_stay else "pending",
        stay=StayOut.of(moved.stay),
        new_stay=StayOut.of(moved.new_stay) if moved.new_stay else None,
        transfer=TransferOut.model_validate(moved.transfer) if moved.transfer else None,
    )
