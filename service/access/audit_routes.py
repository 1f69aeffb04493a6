"""HTTP for auditors: the trail."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from service.access import auditing
from service.access.audit_schemas import AuditOut, EntryOut
from service.access.auditing import Asked
from service.access.guards import Requires
from service.access.principals import Principal
from service.access.trail import trail_of
from service.access.visibility import require_ward
from service.errors import NotFound
from service.fields import CleanText, Instant, canonical_id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, decode_id_cursor, page_of
from service.storage.session import Reads

router = APIRouter(prefix="/v1", tags=["access"])

Word = Annotated[CleanText | None, Query(max_length=60)]


@router.get("/audit", operation_id="list_audit")
async def list_audit(
    request: Request,
    response: Response,
    who: Annotated[Principal, Depends(Requires("audit:read"))],
    session: Reads,
    ward_id: Word = None,
    actor_id: Word = None,
    subject_id: Word = None,
    action: Word = None,
    at_from: Annotated[Instant | None, Query(alias="from", description="At or after")] = None,
    at_to: Annotated[Instant | None, Query(alias="to", description="Before")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AuditOut:
    """Who did and read what, newest first: of the caller's wards, and of the whole service (`ward_id` null: sign-ins,
    refusals, accounts) what concerns the people and systems of these wards."""
    if ward_id is not None:
        require_ward(who, canonical_id(ward_id))
    ids = {"ward_id": ward_id, "actor_id": actor_id, "subject_id": subject_id}
    known = {name: canonical_id(text) for name, text in ids.items() if text is not None}
    if None in known.values():
        raise NotFound
    trail_of(request).polled(who, who.ward_ids, "audit.read")
    wanted = Asked(action=action, at_from=at_from, at_to=at_to, after=decode_id_cursor(cursor), **known)
    found = await auditing.list_entries(session, who, wanted, limit + 1)
    rows, further = page_of(request, response, found, limit)
    return AuditOut(items=[EntryOut.of(row) for row in rows], next_cursor=further)
