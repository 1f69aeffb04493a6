"""HTTP for accounts: `/v1/staff` and `/v1/clients`."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from fastapi.responses import Response

from service.access.tokens import Tokens
from service.access.visibility import require_ward
from service.accounts import clients, schemas, staff, store
from service.accounts.guards import Manager, OnClient, OnStaff, act_of
from service.body import JsonBody
from service.destinations import Destinations
from service.errors import NotFound
from service.feed.positions import wakeups_of
from service.fields import Id, canonical_id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, page_of
from service.storage.session import Reads, Writes

router = APIRouter(prefix="/v1", tags=["accounts"])

OfWard = Annotated[Id | None, Query(description="Only those on this ward")]


def _felt(request: Request, after_commit: BackgroundTasks, ward_ids: Iterable[str] = ()) -> None:
    """What follows a change: this replica feels it at once, and whoever waits for the wards' news gets it."""
    tokens: Tokens = request.app.state.tokens
    after_commit.add_task(tokens.catch_up)
    for ward_id in ward_ids:
        after_commit.add_task(wakeups_of(request).wake, ward_id)


def _destinations(request: Request) -> Destinations:
    found: Destinations = request.app.state.destinations
    return found


def _require_mine(who: Manager, ward_id: str | None) -> None:
    if ward_id is not None:
        require_ward(who, ward_id)


@router.get("/staff")
async def get_staff_list(
    request: Request,
    who: Manager,
    session: Reads,
    response: Response,
    ward_id: OfWard = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> schemas.StaffListOut:
    """Staff: of one's own wards, for an administrator all."""
    _require_mine(who, ward_id)
    found = await store.list_staff(session, who, ward_id, decode_id_cursor(cursor), limit + 1)
    page, further = page_of(request, response, found, limit)
    items = [schemas.StaffOut(**schemas.staff_fields(who, each)) for each in page]
    return schemas.StaffListOut(items=items, next_cursor=further)


@router.post("/staff", status_code=201)
async def post_staff(
    request: Request,
    who: Manager,
    body: Annotated[schemas.StaffIn, Depends(JsonBody(schemas.StaffIn))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> schemas.InvitedOut:
    """Add somebody. They set their password with the token in the answer, which is shown only now."""
    roles = {each.ward_id: each.role for each in body.roles}
    made, token, until = await staff.invite(
        act_of(request, who, session), email=body.email, name=body.name, roles=roles, administrator=body.administrator
    )
    _felt(request, after_commit, roles)
    response.headers["Location"] = f"/v1/staff/{made.id}"
    fields = schemas.staff_fields(who, made)
    return schemas.InvitedOut(**fields, set_password_token=token, expires_at=until)


@router.get("/staff/{staff_id}")
async def get_staff(on: OnStaff, session: Reads) -> schemas.StaffOut:
    """One member of staff."""
    return schemas.StaffOut(**schemas.staff_fields(on.who, await store.get_staff(session, on.who, on.id)))


@router.patch("/staff/{staff_id}")
async def patch_staff(
    request: Request,
    on: OnStaff,
    body: Annotated[schemas.StaffPatch, Depends(JsonBody(schemas.StaffPatch))],
    session: Writes,
    after_commit: BackgroundTasks,
) -> schemas.StaffOut:
    """Change a name or an address; end an account or open it again. Nobody does the latter to themselves."""
    changed = await staff.change(act_of(request, on.who, session), on.id, body.changes())
    _felt(request, after_commit, changed.roles)
    return schemas.StaffOut(**schemas.staff_fields(on.who, changed))


@router.put("/staff/{staff_id}/wards/{ward_id}")
async def put_staff_role(
    request: Request,
    on: OnStaff,
    ward_id: str,
    body: Annotated[schemas.RoleOnlyIn, Depends(JsonBody(schemas.RoleOnlyIn))],
    session: Writes,
    after_commit: BackgroundTasks,
) -> schemas.StaffOut:
    """Give somebody a role on a ward, in place of any other there. Nobody does that to themselves.

    Only administrators give and take `lead` and `auditor`. Who gets one and had less before is signed out and sets a
    new password: have it reset, and hand the token to nobody else."""
    known = _require_ward_id(ward_id)
    changed = await staff.give_role(act_of(request, on.who, session), on.id, known, body.role)
    _felt(request, after_commit, [known])
    return schemas.StaffOut(**schemas.staff_fields(on.who, changed))


@router.delete("/staff/{staff_id}/wards/{ward_id}", status_code=204)
async def delete_staff_role(
    request: Request, on: OnStaff, ward_id: str, session: Writes, after_commit: BackgroundTasks
) -> None:
    """Take somebody off a ward. Nobody does that to themselves."""
    known = _require_ward_id(ward_id)
    await staff.give_role(act_of(request, on.who, session), on.id, known, None)
    _felt(request, after_commit, [known])


@router.post("/staff/{staff_id}/password-reset")
async def reset_password(
    request: Request, on: OnStaff, session: Writes, after_commit: BackgroundTasks
) -> schemas.PasswordTokenOut:
    """End somebody's password and sessions. They set a new password with the token in the answer."""
    token, until = await staff.reset_password(act_of(request, on.who, session), on.id)
    _felt(request, after_commit)
    return schemas.PasswordTokenOut(set_password_token=token, expires_at=until)


@router.post("/staff/{staff_id}/sign-out", status_code=204)
async def sign_staff_out(request: Request, on: OnStaff, session: Writes, after_commit: BackgroundTasks) -> None:
    """End all of somebody's sessions: a lost phone, a shared machine."""
    await staff.sign_out(act_of(request, on.who, session), on.id)
    _felt(request, after_commit)


@router.delete("/staff/{staff_id}/totp", status_code=204)
async def delete_totp(request: Request, on: OnStaff, session: Writes, after_commit: BackgroundTasks) -> None:
    """Ask somebody for no code of an authenticator app any more, and end their sessions: a lost phone."""
    await staff.remove_totp(act_of(request, on.who, session), on.id)
    _felt(request, after_commit)


@router.get("/clients")
async def get_clients(
    request: Request,
    who: Manager,
    session: Reads,
    response: Response,
    ward_id: OfWard = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> schemas.ClientListOut:
    """Partner systems: of one's own wards, for an administrator all."""
    _require_mine(who, ward_id)
    found = await store.list_clients(session, who, ward_id, decode_id_cursor(cursor), limit + 1)
    page, further = page_of(request, response, found, limit)
    items = [schemas.ClientOut(**schemas.client_fields(who, each)) for each in page]
    return schemas.ClientListOut(items=items, next_cursor=further)


@router.post("/clients", status_code=201)
async def post_client(
    request: Request,
    who: Manager,
    body: Annotated[schemas.ClientIn, Depends(JsonBody(schemas.ClientIn))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> schemas.ClientMadeOut:
    """Add a system. Its secret is shown only now."""
    made, secret = await clients.add(act_of(request, who, session), _destinations(request), **body.model_dump())
    _felt(request, after_commit, made.ward_ids)
    response.headers["Location"] = f"/v1/clients/{made.id}"
    return schemas.ClientMadeOut(**schemas.client_fields(who, made), client_secret=secret)


@router.get("/clients/{client_id}")
async def get_client(on: OnClient, session: Reads) -> schemas.ClientOut:
    """One system."""
    return schemas.ClientOut(**schemas.client_fields(on.who, await store.get_client(session, on.who, on.id)))


@router.patch("/clients/{client_id}")
async def patch_client(
    request: Request,
    on: OnClient,
    body: Annotated[schemas.ClientPatch, Depends(JsonBody(schemas.ClientPatch))],
    session: Writes,
    after_commit: BackgroundTasks,
) -> schemas.ClientOut:
    """Change what a system is called, may do and where; end it or let it in again."""
    act = act_of(request, on.who, session)
    changed = await clients.change(act, _destinations(request), on.id, body.changes())
    _felt(request, after_commit, changed.ward_ids)
    return schemas.ClientOut(**schemas.client_fields(on.who, changed))


@router.post("/clients/{client_id}/secrets", status_code=201)
async def post_secret(
    request: Request, on: OnClient, session: Writes, after_commit: BackgroundTasks
) -> schemas.SecretOut:
    """A new secret, shown only now. The one before it stays good until it is ended."""
    secret_id, secret = await clients.add_secret(act_of(request, on.who, session), on.id)
    _felt(request, after_commit)
    return schemas.SecretOut(secret_id=secret_id, client_secret=secret)


@router.delete("/clients/{client_id}/secrets/{secret_id}", status_code=204)
async def delete_secret(
    request: Request, on: OnClient, secret_id: str, session: Writes, after_commit: BackgroundTasks
) -> None:
    """End a secret by its id (or the older of two as `previous`), and every token that was given out: after a leak.

    The only one of a client without keys is not ended: give the client a new one first, or end the client."""
    await clients.end_secret(act_of(request, on.who, session), on.id, secret_id)
    _felt(request, after_commit)


def _require_ward_id(text: str) -> str:
    known = canonical_id(text)
    if known is None:
        raise NotFound
    return known
