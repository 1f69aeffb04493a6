"""Managing staff: adding people, their roles, their passwords and the end of their accounts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service.access import families, new_password, totp
from service.access.accounts import add_staff, clean_email
from service.access.store import list_unknown_wards
from service.accounts import rights, store
from service.accounts.act import Act
from service.accounts.store import Staff
from service.errors import Conflict, NotFound


async def invite(
    act: Act, *, email: str, name: str, roles: Mapping[str, str], administrator: bool
) -> tuple[Staff, str, datetime]:
    """A new member of staff without a password, the token to set one with, and until when that is good.

    Raises NotAllowed, NotFound, Invalid, EmailTaken."""
    for ward_id, role in roles.items():
        rights.require_role(act.who, ward_id, role)
    if administrator:
        rights.require_administrator(act.who)
    if await list_unknown_wards(act.session, list(roles)):
        raise NotFound
    staff_id = await add_staff(
        act.session, email=email, name=name, password_hash="", roles=roles, administrator=administrator,
        at=act.real_at, by=act.who,
    )  # fmt: skip
    token, until = await new_password.issue(act.session, staff_id, act.real_at)
    await act.record("staff.joined", "staff", staff_id, roles)
    return await store.get_staff(act.session, act.who, staff_id), token, until


async def change(act: Act, staff_id: str, changed: Mapping[str, Any]) -> Staff:
    """The account with another name, address, or `active` or `administrator` changed. Who becomes an administrator
    sets a new password.

    Raises NotFound, NotAllowed, EmailTaken."""
    staff = await store.get_staff(act.session, act.who, staff_id, lock=True)
    rights.require_whole(act.who, staff)
    if {"active", "administrator"} & set(changed):
        rights.require_other(act.who, staff_id)
    if set(changed) - {"active"}:
        _require_ours(staff)
    if "administrator" in changed:
        rights.require_administrator(act.who)
    written = dict(changed)
    if "email" in written:
        written["email"] = clean_email(written["email"])
    if written:
        await store.update_staff(act.session, staff_id, written)
        if written.get("administrator"):
            await _start_anew(act, staff)
        if written.get("active") is False:
            await families.revoke_all(act.session, "staff", staff_id, act.real_at)
        await act.record("staff.changed", "staff", staff_id, staff.roles, fields=sorted(written))
    return await store.get_staff(act.session, act.who, staff_id)


async def give_role(act: Act, staff_id: str, ward_id: str, role: str | None) -> Staff:
    """The account with this role on the ward, or with none. Who gets more than leads manage sets a new password.

    Raises NotFound, NotAllowed, Conflict."""
    staff = await store.get_staff(act.session, act.who, staff_id, lock=True)
    rights.require_other(act.who, staff_id)
    if await list_unknown_wards(act.session, [ward_id]):
        raise NotFound
    before = staff.roles.get(ward_id)
    rights.require_role(act.who, ward_id, *(each for each in (before, role) if each is not None))
    if role is None and before is None:
        raise NotFound
    _require_ours(staff)
    if role != before:
        await store.put_role(act.session, staff_id, ward_id, role)
        if role is not None and not rights.is_a_leads_to_give(role):
            await _start_anew(act, staff)
        await act.record("staff.role_changed", "staff", staff_id, [ward_id], role=role, before=before)
    return await store.get_staff(act.session, act.who, staff_id) if role else staff


async def reset_password(act: Act, staff_id: str) -> tuple[str, datetime]:
    """Ends the password and every session; gives a token with which the person sets a new password, and until when.

    Raises NotFound, NotAllowed, Conflict."""
    staff = await store.get_staff(act.session, act.who, staff_id, lock=True)
    rights.require_other(act.who, staff_id)
    rights.require_whole(act.who, staff)
    _require_ours(staff)
    await families.revoke_all(act.session, "staff", staff_id, act.real_at)
    token, until = await new_password.issue(act.session, staff_id, act.real_at)
    await act.record("staff.password_reset", "staff", staff_id, staff.roles)
    return token, until


async def remove_totp(act: Act, staff_id: str) -> None:
    """Asks the person for no code of an authenticator app any more, and ends every session: a lost phone.

    Raises NotFound, NotAllowed, NotSet."""
    staff = await store.get_staff(act.session, act.who, staff_id, lock=True)
    rights.require_other(act.who, staff_id)
    rights.require_whole(act.who, staff)
    await totp.remove(act.session, staff_id)
    await families.revoke_all(act.session, "staff", staff_id, act.real_at)
    await act.record("staff.totp_removed", "staff", staff_id, staff.roles)


async def sign_out(act: Act, staff_id: str) -> None:
    """Ends every session of the person. Raises NotFound, NotAllowed."""
    staff = await store.get_staff(act.session, act.who, staff_id, lock=True)
    rights.require_whole(act.who, staff)
    await families.revoke_all(act.session, "staff", staff_id, act.real_at)
    await act.record("staff.signed_out", "staff", staff_id, staff.roles)


async def _start_anew(act: Act, staff: Staff) -> None:
    """Ends the password and the sessions of an account that was a lead's to manage until now: whoever made it, or reset
    its password, may know how to get in."""
    if rights.is_a_leads_to_manage(staff):
        await new_password.end(act.session, staff.id)
        await families.revoke_all(act.session, "staff", staff.id, act.real_at)


def _require_ours(staff: Staff) -> None:
    if staff.issuer is not None:
        raise Conflict("This person signs in elsewhere, where it has to be changed. Here the account can be ended.")
