"""A batch: every row stands alone. Good rows are kept together with others of their stay; bad ones are answered with
their own problem."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import Field, ValidationError

from service.access.principals import Principal
from service.body import ANY_JSON, Schema, parse, require_single_names
from service.errors import DatabaseUnavailable, Invalid, MalformedJson, NotFound, Overloaded, WardwatchError
from service.logs import get_logger
from service.problems import field_errors
from service.readings.door import Place, RefusedRow, admit, find_wards, refusal
from service.readings.group import GroupResult
from service.readings.intake import Intake
from service.readings.schemas import BATCH_ROWS, BatchIn, ReadingIn
from service.readings.submission import Outcome, Submission

log = get_logger(__name__)

Row = ReadingIn | RefusedRow


class _Envelope(Schema):
    readings: list[Any] = Field(min_length=1, max_length=BATCH_ROWS)


def rows_of(raw: bytes) -> list[Row]:
    """The rows of a batch, each valid or refused by itself; raises when the batch as a whole is not one."""
    try:
        return list(parse(BatchIn, raw).readings)
    except (Invalid, MalformedJson):
        whole = _loaded(raw)
    require_single_names(raw)
    try:
        envelope = _Envelope.model_validate(whole)
    except ValidationError as problem:
        raise Invalid(errors=field_errors(problem)) from None
    return [_row(index, row) for index, row in enumerate(envelope.readings)]


def _loaded(raw: bytes) -> Any:
    try:
        return ANY_JSON.validate_json(raw)
    except ValidationError:
        return _with_halves(raw)


def _with_halves(raw: bytes) -> Any:
    """Half an emoji, as a text has that was cut to a length, is the fault of its row. The schemas' own reader gives up
    the whole for it; here the row's schema finds it."""
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise MalformedJson from None


def _row(index: int, row: Any) -> Row:
    try:
        return ReadingIn.model_validate(row)
    except ValidationError as problem:
        stay_id = row.get("stay_id") if isinstance(row, dict) else None
        refused = Invalid(errors=field_errors(problem, under=("readings", index)))
        return RefusedRow(refused, stay_id if isinstance(stay_id, str) else None)


async def take(intake: Intake, who: Principal, rows: Sequence[Row], request_key: str | None) -> list[Outcome]:
    """Keep and judge the rows; gives what became of each, in the order sent.

    Raises Overloaded or DatabaseUnavailable if some could not be kept: the same batch may be sent again."""
    outcomes: dict[int, Outcome] = {}
    refused: dict[int, RefusedRow] = {}
    places: dict[Place, list[tuple[int, Submission]]] = {}
    wards = await find_wards(intake, who, {row.stay_id for row in rows if isinstance(row, ReadingIn)})
    for index, row in enumerate(rows):
        if isinstance(row, RefusedRow):
            refused[index] = row
            continue
        key = None if request_key is None else f"{request_key}:{index}"
        try:
            place, submission = admit(who, wards, row, key)
            places.setdefault(place, []).append((index, submission))
        except NotFound as problem:
            outcomes[index] = problem
        except Invalid as problem:
            refused[index] = RefusedRow(_in_batch(problem, index), row.stay_id)
    # Together, so that they share commits.
    told = await asyncio.gather(*(refusal(intake, who, row) for row in refused.values()))
    outcomes.update(zip(refused, told, strict=True))
    outcomes.update(await _keep(intake, who, places))
    return [outcomes[index] for index in range(len(rows))]


def _in_batch(problem: Invalid, index: int) -> Invalid:
    """The same problem, pointing into the batch."""
    return Invalid(errors=[replace(error, pointer=f"/readings/{index}{error.pointer}") for error in problem.errors])


async def _keep(
    intake: Intake, who: Principal, places: Mapping[Place, Sequence[tuple[int, Submission]]]
) -> dict[int, Outcome]:
    """The outcomes of the valid rows. A fault of one stay does not refuse the others; a stay that could not be kept for
    want of room, or of the database, is raised once the others are done."""
    waiting: dict[Place, asyncio.Future[GroupResult]] = {}
    try:
        for place, sent in places.items():
            waiting[place] = intake.send(*place, who.id, [submission for _, submission in sent])
    finally:
        # One after the other: they come in groups, and most are there when the first of them is.
        for each in waiting.values():
            with suppress(Exception):  # what it failed with is told by `_outcomes`
                await each
    outcomes: dict[int, Outcome] = {}
    for place, sent in places.items():
        answers = _outcomes(place, waiting[place], len(sent))
        await intake.note_differing(*place, answers)
        outcomes.update(zip((index for index, _ in sent), answers, strict=True))
    return outcomes


def _outcomes(place: Place, done: "asyncio.Future[GroupResult]", count: int) -> Sequence[Outcome]:
    problem = done.exception()
    if problem is None:
        return done.result().outcomes
    if isinstance(problem, (Overloaded, DatabaseUnavailable)):
        raise problem
    log.error("stay_not_kept", stay_id=place[1], exc_info=problem)
    failed = problem if isinstance(problem, WardwatchError) else WardwatchError("This row could not be kept.")
    return [failed] * count
