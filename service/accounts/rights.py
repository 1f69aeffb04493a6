"""Who may manage whom. Nobody gives or takes rights that they do not have themselves, and nobody changes their own.

An administrator manages every account. A lead manages the roles that accounts have on the lead's own wards. The account
itself (its name, its password, its end) a lead manages only if it is on those wards alone and has fewer rights than a
lead: otherwise, by resetting its password, a lead could get into another ward or the audit trail, or could act as the
second lead that a rule set or an erasure needs."""

from collections.abc import Iterable

from service.access.principals import ROLE_SCOPES, Principal
from service.accounts.store import Staff
from service.errors import NotAllowed, NotFound

MANAGES = ("system:admin", "wards:manage")
"""Scopes that manage accounts."""


def require_person(who: Principal) -> Principal:
    """Raises NotAllowed for a system, whatever its scopes: systems do not make accounts."""
    if who.kind != "staff":
        raise NotAllowed("Accounts are managed by people.")
    return who


def require_other(who: Principal, staff_id: str) -> None:
    """Raises NotAllowed for one's own account."""
    if who.id == staff_id:
        raise NotAllowed("Nobody changes their own rights: ask a colleague.")


def require_role(who: Principal, ward_id: str, *roles: str) -> None:
    """Raises NotFound for another's ward, NotAllowed for roles that this principal neither gives nor takes."""
    if who.administrator:
        return
    if ward_id not in who.roles:
        raise NotFound
    if not all(is_a_leads_to_give(role) for role in roles):
        raise NotAllowed("Only an administrator gives or takes that role.")


def require_administrator(who: Principal) -> None:
    """Raises NotAllowed for everybody but administrators."""
    if not who.administrator:
        raise NotAllowed("Only an administrator may do that.")


def is_a_leads_to_give(role: str) -> bool:
    """Whether it is less than a lead has. As much is too much: a lead who could make leads would be the second one."""
    return ROLE_SCOPES[role] < ROLE_SCOPES["lead"]


def is_a_leads_to_manage(staff: Staff) -> bool:
    """Whether all of the account is less than a lead has, so that leads of all its wards manage the whole of it."""
    return not staff.administrator and all(is_a_leads_to_give(role) for role in staff.roles.values())


def require_whole(who: Principal, staff: Staff) -> None:
    """Raises NotAllowed unless all of the account is the principal's to manage, or their own."""
    if who.administrator:
        return
    mine = who.id == staff.id and not staff.administrator
    if not (mine or is_a_leads_to_manage(staff)) or not set(staff.roles) <= set(who.ward_ids):
        raise NotAllowed("This account is more than a lead manages: ask an administrator.")


def require_all_wards(who: Principal, ward_ids: Iterable[str]) -> None:
    """Raises NotAllowed unless a system with these wards is the principal's to manage."""
    if not who.administrator and not set(ward_ids) <= set(who.ward_ids):
        raise NotAllowed("This system works on other wards as well: ask an administrator.")
