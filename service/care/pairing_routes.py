"""HTTP for the team's part in pairing apps."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from service.access import pairing_store
from service.access.codes import CodeHashes
from service.access.guards import PathId
from service.access.tokens import Tokens
from service.body import JsonBody
from service.care import pairing
from service.care.guards import OnWard, RequiresOnStay
from service.care.pairing_schemas import (
    CarerOut,
    CarersOut,
    NewPairingCodeOut,
    PairingCodeIn,
    PairingCodeOut,
    PairingCodesOut,
    PairingOut,
    PairingsOut,
)
from service.care.store import get_stay
from service.clock import real_now
from service.fields import canonical_id
from service.storage.session import Reads, Writes, database_of, writing

router = APIRouter(prefix="/v1/stays/{stay_id}", tags=["pairing"])

OnStay = Annotated[OnWard, Depends(RequiresOnStay("patients:read"))]
ChangesStay = Annotated[OnWard, Depends(RequiresOnStay("patients:write"))]


@router.post("/pairing-codes", status_code=201)
async def post_pairing_code(
    request: Request,
    on: ChangesStay,
    body: Annotated[PairingCodeIn, Depends(JsonBody(PairingCodeIn))],
    session: Writes,
) -> NewPairingCodeOut:
    """Give out a code for pairing an app with the stay: once, within 24 hours, together with the patient's birth date.

    A code that was open for the same person ends. The app brings it to `/oauth/token`."""
    at, hashes = real_now(), _hashes(request)
    team = pairing.Team(session, on.who, on.ward_id, on.id, at)
    code, row = await pairing.give_code(team, hashes, body.asked())
    return NewPairingCodeOut(**PairingCodeOut.of(row, at).model_dump(), code=code)


@router.get("/pairing-codes")
async def list_pairing_codes(on: OnStay, session: Reads) -> PairingCodesOut:
    """The codes that were given out for the stay, newest first; never the codes themselves."""
    rows = await pairing_store.list_codes(session, on.who, on.ward_id, on.id)
    at = real_now()
    return PairingCodesOut(items=[PairingCodeOut.of(dict(row._mapping), at) for row in rows])


@router.delete("/pairing-codes/{code_id}", status_code=204)
async def delete_pairing_code(code_id: PathId, on: ChangesStay, session: Writes) -> None:
    """Take back a code that has not been used."""
    team = pairing.Team(session, on.who, on.ward_id, on.id, real_now())
    await pairing.take_code_back(team, canonical_id(code_id))


@router.get("/pairings")
async def list_pairings(on: OnStay, session: Reads) -> PairingsOut:
    """The apps that are or were paired with the stay, newest first."""
    rows = await pairing_store.list_pairings(session, on.who, on.ward_id, on.id)
    return PairingsOut(items=[PairingOut.of(dict(row._mapping)) for row in rows])


@router.delete("/pairings/{pairing_id}", status_code=204)
async def delete_pairing(request: Request, pairing_id: PathId, on: ChangesStay) -> None:
    """End a paired app: its tokens are refused at once, on every replica within seconds."""
    async with writing(database_of(request)) as session:
        team = pairing.Team(session, on.who, on.ward_id, on.id, real_now())
        await pairing.end_pairing(team, canonical_id(pairing_id))
    await _felt_here(request)


@router.get("/carers")
async def list_carers(on: OnStay, session: Reads) -> CarersOut:
    """Who may act for the patient."""
    stay = await get_stay(session, on.who, on.ward_id, on.id)
    rows = await pairing_store.list_carers(session, on.who, on.ward_id, stay.patient_id)
    return CarersOut(items=[CarerOut(id=row.id, name=row.name, relationship=row.relationship) for row in rows])


@router.delete("/carers/{carer_id}", status_code=204)
async def delete_carer(request: Request, carer_id: PathId, on: ChangesStay) -> None:
    """Remove a carer: all codes and apps of theirs end."""
    async with writing(database_of(request)) as session:
        team = pairing.Team(session, on.who, on.ward_id, on.id, real_now())
        await pairing.remove_carer(team, canonical_id(carer_id))
    await _felt_here(request)


async def _felt_here(request: Request) -> None:
    """This replica knows at once; the others look every two seconds."""
    tokens: Tokens = request.app.state.tokens
    await tokens.catch_up()


def _hashes(request: Request) -> CodeHashes:
    hashes: CodeHashes = request.app.state.code_hashes
    return hashes
