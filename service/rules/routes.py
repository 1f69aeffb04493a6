"""HTTP for the rule sets of a ward."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import Response

from alerts.rule_set import OPTIONAL_RULES, bounds
from alerts.severity import Severity
from service.access.guards import RequiresOnWard
from service.access.principals import Principal
from service.body import JsonBody
from service.clock import real_now
from service.feed.positions import wakeups_of
from service.fields import Id
from service.rules import approval, store
from service.rules.schemas import (
    BoundsOut,
    CountOut,
    LiveRulesOut,
    Number,
    RuleSetIn,
    RuleSetOut,
    RuleSetsOut,
    ShadowIn,
    ShadowOut,
)
from service.rules.shadow import ShadowCounts
from service.storage.session import Reads, ReadSession, Writes

router = APIRouter(prefix="/v1/wards/{ward_id}", tags=["wards"])

Reader = Annotated[Principal, Depends(RequiresOnWard("wards:read"))]
Manager = Annotated[Principal, Depends(RequiresOnWard("wards:manage"))]


@router.get("/rule-set")
async def get_rule_set(ward_id: Id, who: Reader, session: Reads) -> LiveRulesOut:
    """What the ward's readings are judged by, and what each number may be."""
    in_force = await store.in_force(session, who, ward_id)
    return await _live(session, ward_id, in_force)


@router.get("/rule-sets")
async def list_rule_sets(ward_id: Id, who: Reader, session: Reads) -> RuleSetsOut:
    """Every version that was proposed, newest first."""
    await store.in_force(session, who, ward_id)
    versions = await store.list_versions(session, who, ward_id)
    return RuleSetsOut(items=[RuleSetOut.model_validate(each) for each in versions])


@router.post("/rule-sets", status_code=201)
async def propose_rule_set(
    request: Request,
    ward_id: Id,
    who: Manager,
    body: Annotated[RuleSetIn, Depends(JsonBody(RuleSetIn))],
    session: Writes,
    response: Response,
    after_commit: BackgroundTasks,
) -> RuleSetOut:
    """Propose other numbers. They judge nothing until another lead approves them."""
    at = request.app.state.clock.now()
    made = await approval.propose(session, who, ward_id, body.numbers, body.off, body.reason, at, real_now())
    response.headers["Location"] = f"/v1/wards/{ward_id}/rule-sets"
    after_commit.add_task(wakeups_of(request).wake, [ward_id])
    return RuleSetOut.model_validate(made)


@router.post("/rule-sets/{number}/approve")
async def approve_rule_set(
    request: Request, ward_id: Id, number: Number, who: Manager, session: Writes, after_commit: BackgroundTasks
) -> RuleSetOut:
    """Put a proposed rule set in force, as another lead than the one who proposed it."""
    approved = await approval.approve(session, who, ward_id, number, request.app.state.clock.now(), real_now())
    after_commit.add_task(wakeups_of(request).wake, [ward_id])
    return RuleSetOut.model_validate(approved)


@router.put("/rule-set/shadow")
async def put_shadow(
    request: Request,
    ward_id: Id,
    who: Manager,
    body: Annotated[ShadowIn, Depends(JsonBody(ShadowIn))],
    session: Writes,
    after_commit: BackgroundTasks,
) -> LiveRulesOut:
    """Choose the version that is judged and counted beside the live one, and never raised."""
    await approval.choose_shadow(session, who, ward_id, body.number, request.app.state.clock.now(), real_now())
    after_commit.add_task(wakeups_of(request).wake, [ward_id])
    return await _live(session, ward_id, await store.in_force(session, who, ward_id))


@router.get("/rule-set/shadow")
async def get_shadow(
    request: Request, ward_id: Id, who: Reader, session: Reads, number: Number | None = None
) -> ShadowOut:
    """How often each rule fired, live and in the shadow, by day: of the present shadow, or of version `number`."""
    shadow: ShadowCounts = request.app.state.intake.shadow
    await shadow.flush()
    chosen = number if number is not None else (await store.in_force(session, who, ward_id)).shadow
    counts = [] if chosen is None else await store.list_counts(session, who, ward_id, chosen)
    items = [
        CountOut(
            day=each.day,
            rule_id=each.rule_id,
            severity=Severity(each.severity).word,
            live=each.live,
            shadow=each.shadow,
        )
        for each in counts
    ]
    return ShadowOut(number=chosen, items=items)


async def _live(session: ReadSession, ward_id: str, in_force: store.InForce) -> LiveRulesOut:
    values = await approval.live_values(session, ward_id, in_force.live)
    return LiveRulesOut(
        number=in_force.live,
        version=values["version"],
        values=values,
        shadow_number=in_force.shadow,
        bounds={name: BoundsOut(lowest=low, highest=high) for name, (low, high) in bounds().items()},
        optional_rules=list(OPTIONAL_RULES),
    )
