"""HTTP for readings. The two doors guard themselves and read their own bodies: this is the hottest path there is."""

from collections import Counter
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from service import body
from service.access.guards import (
    PathId,
    Requires,
    RequiresOnWard,
    RequiresTeam,
    authenticate,
    require_scope,
    self_guarded,
)
from service.access.principals import Principal
from service.access.trail import trail_of
from service.body import BATCH_LIMIT, JsonBody, reads_body
from service.clock import real_now
from service.documented import IDEMPOTENCY_KEY
from service.errors import FieldError, Invalid, Overloaded, WardwatchError
from service.fields import ClientKey, Id, Instant, canonical_id
from service.paging import DEFAULT_LIMIT, Cursor, Limit, next_link
from service.problems import SAFETY_TEXT, document
from service.readings import answers, correcting, history, intake, receipts, received, trend
from service.readings.answer_schemas import AnswerIn, ErrorIn
from service.readings.answering import answer, record, to_json
from service.readings.batch import rows_of, take
from service.readings.door import RefusedRow, admit, find_wards, refusal
from service.readings.receipt_schemas import ReceiptOut
from service.readings.record_schemas import ReadingPage, ReadingRecord, WardReadingPage
from service.readings.schemas import BatchIn, BatchOut, ReadingIn, ReadingOut
from service.readings.submission import Outcome, Recorded
from service.readings.trend_schemas import MOST_POINTS, TrendOut
from service.storage.session import Reads, database_of, reading, writing

router = APIRouter(prefix="/v1", tags=["readings"])

_CLIENT_KEY = TypeAdapter(ClientKey)
_REPLAYED = {"Idempotency-Replayed": "true"}


@router.post(
    "/readings",
    operation_id="post_reading",
    status_code=201,
    response_model=ReadingOut,
    responses={200: {"model": ReadingOut, "description": "The same reading again; the assessment is of now."}},
    openapi_extra=IDEMPOTENCY_KEY,
)
@reads_body(JsonBody(ReadingIn))
@self_guarded("readings:write")
async def post_reading(request: Request) -> Response:
    """Send one reading. It is answered once it is kept, judged, and its effect on the queue is visible."""
    request.state.safety_text = SAFETY_TEXT
    who = require_scope(await authenticate(request), "readings:write")
    raw = await body.read(request)
    doors = intake.of(request)
    try:
        sent = body.parse(ReadingIn, raw)
        wards = await find_wards(doors, who, (sent.stay_id,))
        place, submission = admit(who, wards, sent, _request_key(request))
    except Invalid as problem:
        raise await refusal(doors, who, RefusedRow(problem, body.peek(raw, "stay_id"))) from None
    return _answer_to((await doors.submit(*place, who.id, [submission]))[0])


@router.post(
    "/readings/{reading_id}/answers",
    operation_id="post_answer",
    status_code=201,
    response_model=ReadingOut,
    responses={200: {"model": ReadingOut, "description": "The same answer again; the assessment is of now."}},
    openapi_extra=IDEMPOTENCY_KEY,
)
@reads_body(JsonBody(AnswerIn))
async def post_answer(
    request: Request, reading_id: PathId, who: Annotated[Principal, Depends(Requires("readings:write"))]
) -> Response:
    """Answer a reading's question. The answer is kept as a reading of its own and judged with the one it answers; it
    never lowers a severity."""
    request.state.safety_text = SAFETY_TEXT
    async with reading(database_of(request)) as session:
        to = await answers.find_reading(session, who, canonical_id(reading_id))
    said = body.parse(AnswerIn, await body.read(request))
    sent = answers.submission(to, said, who, request.app.state.clock.now(), _request_key(request))
    return _answer_to((await intake.of(request).submit(to.ward_id, to.stay_id, who.id, [sent]))[0])


@router.post(
    "/readings/{reading_id}/entered-in-error", operation_id="enter_reading_in_error", response_model=ReadingRecord
)
@reads_body(JsonBody(ErrorIn))
async def enter_in_error(
    request: Request, reading_id: PathId, who: Annotated[Principal, Depends(RequiresTeam("readings:write"))]
) -> Response:
    """Say that a reading was an error. It is marked, never deleted, and the stay is judged again without it; an alert
    left without evidence becomes recovered. Staff may say it of any reading, a system of those it sent."""
    async with reading(database_of(request)) as looking:
        found = await answers.find_reading(looking, who, canonical_id(reading_id))
    said = body.parse(ErrorIn, await body.read(request))
    correction = correcting.Correction(who, said.reason, request.app.state.clock.now(), real_now())
    # What time has brought about is told as that, not as the correction's doing.
    with suppress(Overloaded):
        await intake.of(request).look_at(found.ward_id, found.stay_id, correction.at)
    async with writing(database_of(request)) as session:
        row = await correcting.enter_in_error(session, canonical_id(reading_id), correction)
    request.app.state.wakeups.wake([row["ward_id"]])
    return Response(to_json(record(row)), media_type="application/json")


@router.post("/readings/batch", operation_id="post_readings", response_model=BatchOut, openapi_extra=IDEMPOTENCY_KEY)
@reads_body(JsonBody(BatchIn, BATCH_LIMIT))
@self_guarded("readings:write")
async def post_readings(request: Request) -> Response:
    """Send up to 1000 readings. One bad row never loses the rest; after a 503 send the same body again."""
    request.state.safety_text = SAFETY_TEXT
    who = require_scope(await authenticate(request), "readings:write")
    rows = rows_of(await body.read(request, BATCH_LIMIT))
    outcomes = await take(intake.of(request), who, rows, _request_key(request))
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    found = Counter(row["status"] for row in results)
    counts = {word: found[word] for word in ("created", "replayed", "rejected")}
    return Response(to_json({**counts, "results": results}), media_type="application/json")


@router.get("/stays/{stay_id}/readings", operation_id="list_readings", response_model=ReadingPage)
async def list_readings(
    request: Request,
    stay_id: str,
    who: Annotated[Principal, Depends(Requires("readings:read"))],
    session: Reads,
    observed_from: Annotated[Instant | None, Query(alias="from", description="Observed at or after")] = None,
    observed_to: Annotated[Instant | None, Query(alias="to", description="Observed before")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The readings of a stay, newest first."""
    page = await history.list_readings(session, who, canonical_id(stay_id), observed_from, observed_to, limit, cursor)
    trail_of(request).read(who, page.ward_id, ("stay", page.stay_id), "readings.read")
    content = {"items": [record(row) for row in page.rows], "next_cursor": page.next_cursor}
    return Response(to_json(content), headers=next_link(request, page.next_cursor), media_type="application/json")


@router.get("/readings/{reading_id}/evaluation", operation_id="read_evaluation")
async def read_evaluation(
    request: Request,
    reading_id: PathId,
    who: Annotated[Principal, Depends(RequiresTeam("readings:read"))],
    session: Reads,
) -> ReceiptOut:
    """Why a reading raised an alert, or did not: what every rule said, with the numbers it compared."""
    receipt = await receipts.read_receipt(session, who, canonical_id(reading_id))
    stay = ("stay", receipt.row["stay_id"])
    trail_of(request).read(who, receipt.row["ward_id"], stay, "evaluation.read", reading_id=receipt.row["id"])
    return ReceiptOut.of(receipt)


@router.get("/stays/{stay_id}/trend", operation_id="read_trend")
async def read_trend(
    request: Request,
    stay_id: PathId,
    who: Annotated[Principal, Depends(RequiresTeam("readings:read"))],
    session: Reads,
    observed_from: Annotated[Instant | None, Query(alias="from", description="Unless said, a week before `to`")] = None,
    observed_to: Annotated[Instant | None, Query(alias="to", description="Unless said, now")] = None,
    points: Annotated[int, Query(ge=1, le=MOST_POINTS)] = 100,
) -> TrendOut:
    """A stay as a curve: what the values did, where nothing came, the limits in force, the alerts."""
    now = request.app.state.clock.now()
    span = trend.span_of(observed_from, observed_to, points, now)
    found = await trend.read_trend(session, who, canonical_id(stay_id), span, now)
    trail_of(request).read(who, found.ward_id, ("stay", found.stay_id), "trend.read")
    return TrendOut.of(found)


@router.get("/wards/{ward_id}/readings", operation_id="list_ward_readings", response_model=WardReadingPage)
async def list_ward_readings(
    request: Request,
    ward_id: Id,
    who: Annotated[Principal, Depends(RequiresOnWard("readings:read"))],
    received_after: Annotated[Instant | None, Query(description="The watermark of the walk before")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The readings of a ward in order of receipt, for records systems: complete up to the watermark."""
    trail_of(request).polled(who, (ward_id,), "ward_readings.read")
    database = database_of(request)
    complete_to = await received.watermark(database, request.app.state.clock.now())
    async with reading(database) as session:
        page = await received.list_received(session, ward_id, received_after, complete_to, limit, cursor)
    items = [{**record(row), "stay_id": row["stay_id"]} for row in page.rows]
    content = {"items": items, "next_cursor": page.next_cursor, "watermark": page.watermark}
    return Response(to_json(content), headers=next_link(request, page.next_cursor), media_type="application/json")


def _answer_to(outcome: Outcome) -> Response:
    if not isinstance(outcome, Recorded):
        raise outcome
    content = to_json(answer(outcome))
    if outcome.replayed:
        return Response(content, 200, _REPLAYED, "application/json")
    return Response(content, 201, None, "application/json")


def _request_key(request: Request) -> str | None:
    """The Idempotency-Key of the request, if it has one; raises Invalid when it cannot be a key."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    try:
        return _CLIENT_KEY.validate_python(key)
    except ValidationError:
        message = "must be 1 to 128 characters"
        raise Invalid(errors=[FieldError("/headers/Idempotency-Key", "invalid_key", message)]) from None


def _result(index: int, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, WardwatchError):
        problem = {**document(outcome), "safety_text": SAFETY_TEXT}
        return {"index": index, "status": "rejected", "problem": problem}
    status = "replayed" if outcome.replayed else "created"
    return {"index": index, "status": status, "reading": answer(outcome)}
