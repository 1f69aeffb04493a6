"""A batch: every row stands alone. Good rows are kept together with others of their stay; bad ones are answered with
their own problem."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import Field, ValidationError

from service.access.principals import Principal
from service.body import NAME_TWICE, Schema, parse
from service.errors import DatabaseUnavailable, FieldError, Invalid, MalformedJson, NotFound, Overloaded, WardwatchError
from service.logs import get_logger
from service.problems import field_errors, pointer
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
    if isinstance(whole, _Doubled):
        raise MalformedJson(NAME_TWICE)
    try:
        envelope = _Envelope.model_validate(whole)
    except ValidationError as problem:
        raise Invalid(errors=field_errors(problem)) from None
    return [_row(index, row) for index, row in enumerate(envelope.readings)]


class _Doubled(dict[str, Any]):
    """An object that gives names twice, or holds one that does under them: without those names. `twice` has them."""

    twice: list[str]


def _loaded(raw: bytes) -> Any:
    """What a JSON text says. Half an emoji, as a text has that was cut to a length, and a name given twice are the
    faults of their rows, for which the schemas' own reader gives up the whole; here the row's schema finds them."""
    try:
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_int=_whole_number)
    except (ValueError, RecursionError):
        raise MalformedJson from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs) and not any(isinstance(value, _Doubled) for value in found.values()):
        return found
    times = Counter(name for name, _ in pairs)
    twice = {name: None for name, value in pairs if times[name] > 1 or isinstance(value, _Doubled)}
    doubled = _Doubled({name: value for name, value in pairs if name not in twice})
    doubled.twice = list(twice)
    return doubled


def _whole_number(digits: str) -> float:
    """Python takes no whole number of thousands of digits: far too large for any field, it is the fault of its row."""
    return int(digits) if len(digits) < 20 else float(digits)


def _row(index: int, row: Any) -> Row:
    place = ("readings", index)
    try:
        if isinstance(row, _Doubled):
            raise Invalid(errors=_given_twice(row, place))
        return ReadingIn.model_validate(row)
    except ValidationError as problem:
        refused = Invalid(errors=field_errors(problem, under=place))
    except Invalid as problem:
        refused = problem
    stay_id = row.get("stay_id") if isinstance(row, dict) else None
    return RefusedRow(refused, stay_id if isinstance(stay_id, str) else None)


def _given_twice(row: _Doubled, place: tuple[str | int, ...]) -> list[FieldError]:
    """One error for each field of a reading; for names that are no field, one for the row."""
    places = dict.fromkeys((*place, name) if name in ReadingIn.model_fields else place for name in row.twice)
    return [FieldError(pointer(each), "given_twice", "is given twice") for each in places]


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
