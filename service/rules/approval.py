"""How a ward comes by numbers of its own: somebody proposes them with a reason, somebody else approves them."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from alerts.rule_set import DEFAULT, RuleSet, RuleSetInvalid
from service.access import audit
from service.access.principals import Principal
from service.errors import Conflict, FieldError, Invalid, NotAllowed, NotFound, SecondPersonNeeded
from service.feed.numbering import NewEvent, append_events
from service.rules import store
from service.rules.live import DEFAULT_NUMBER, load, readable
from service.rules.store import RuleSetVersion

LEAD = "lead"


async def propose(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    numbers: Mapping[str, Any],
    off: Sequence[str] | None,
    reason: str,
    at: datetime,
    real_at: datetime,
) -> RuleSetVersion:
    """The next version: the live one with these numbers changed. It judges nothing until it is approved.

    Raises NotFound; NotAllowed for who is no lead; Invalid with pointers below /numbers and for no change."""
    _require_lead(who, ward_id)
    live = (await store.in_force(session, who, ward_id, lock=True)).live
    number = await store.next_number(session, ward_id)
    before = await live_values(session, ward_id, live)
    version = f"{DEFAULT.version}+{number}"
    changed = {**before, **numbers, "version": version, **({} if off is None else {"off": list(off)})}
    if "version" in numbers:
        raise Invalid(errors=[FieldError("/numbers/version", "unknown", "The version is given, not chosen.")])
    try:
        values = RuleSet.from_mapping(changed).to_mapping()
    except RuleSetInvalid as problem:
        raise Invalid(errors=[_field(each.field, each.code, each.message) for each in problem.problems]) from None
    if values == before | {"version": version}:
        raise Invalid(errors=[FieldError("/numbers", "unchanged", "Nothing differs from the live rule set.")])
    proposed = RuleSetVersion(number, version, live, values, reason, who.id, at, None, None)
    await store.insert_version(session, ward_id, proposed)
    await _tell(session, who, ward_id, "rule_set.proposed", number, at, real_at)
    return proposed


async def approve(
    session: AsyncSession, who: Principal, ward_id: str, number: int, at: datetime, real_at: datetime
) -> RuleSetVersion:
    """The version is live from the next reading on.

    Raises NotFound; NotAllowed for who is no lead; SecondPersonNeeded for its author; Conflict when it is approved
    already, or when another one has gone live since it was proposed."""
    _require_lead(who, ward_id)
    in_force = await store.in_force(session, who, ward_id, lock=True)
    proposed = await store.find_version(session, who, ward_id, number)
    if proposed is None:
        raise NotFound
    if proposed.author_id == who.id:
        raise SecondPersonNeeded
    if proposed.approved_at is not None:
        raise Conflict("This rule set was approved before.")
    if proposed.based_on != in_force.live:
        raise Conflict("Another rule set has gone live since this one was proposed: propose it again.")
    live = (await load(session, [(ward_id, in_force.live)]))[ward_id, in_force.live]
    new = readable(ward_id, number, proposed.values)
    if (new.watch, new.responses) != (live.watch, live.responses):
        # What is waited for has changed, or how long people have: a stay's next look may come too late now.
        await store.look_at_stays(session, ward_id)
    await store.approve_version(session, ward_id, number, who.id, at)
    await _tell(session, who, ward_id, "rule_set.approved", number, at, real_at)
    return dataclasses.replace(proposed, approved_by=who.id, approved_at=at)


async def choose_shadow(
    session: AsyncSession, who: Principal, ward_id: str, number: int | None, at: datetime, real_at: datetime
) -> None:
    """Judge by this version too from now on, count what it finds, and raise none of it. Raises NotFound, NotAllowed."""
    _require_lead(who, ward_id)
    await store.in_force(session, who, ward_id, lock=True)
    own = number is not None and number != DEFAULT_NUMBER
    if own and await store.find_version(session, who, ward_id, number or DEFAULT_NUMBER) is None:
        raise NotFound
    await store.set_shadow(session, ward_id, number)
    await _tell(session, who, ward_id, "rule_set.shadowed", number, at, real_at)


async def live_values(session: AsyncSession, ward_id: str, number: int) -> dict[str, Any]:
    """The numbers of a version; 0 is the default."""
    return (await load(session, [(ward_id, number)]))[ward_id, number].to_mapping()


def _require_lead(who: Principal, ward_id: str) -> None:
    if who.kind != "staff" or who.roles.get(ward_id) != LEAD:
        raise NotAllowed("Only a lead of the ward changes its rules.")


def _field(name: str, code: str, message: str) -> FieldError:
    return FieldError("/off" if name == "off" else f"/numbers/{name}", code, message)


async def _tell(
    session: AsyncSession,
    who: Principal,
    ward_id: str,
    kind: str,
    number: int | None,
    at: datetime,
    real_at: datetime,
) -> None:
    """The audit entry and the event. Call it last: it locks the ward's feed."""
    subject, detail = ("ward", ward_id), {"number": number}
    await audit.append(session, who, kind, real_at, ward_id=ward_id, subject=subject, detail=detail)
    await append_events(session, ward_id, [NewEvent(kind, at, *subject, {"ward_id": ward_id, **detail}, who.id)])
