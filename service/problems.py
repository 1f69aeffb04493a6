"""The one renderer of errors: RFC 9457 `application/problem+json`, never with the rejected value in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service import metrics
from service.errors import (
    BadRequest,
    DatabaseUnavailable,
    FieldError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    WardwatchError,
)
from service.logs import get_logger, request_id

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
MAX_ERRORS = 100
FRAMEWORK: dict[int, type[WardwatchError]] = {404: NotFound, 405: MethodNotAllowed}
"""What the framework refuses before a route is reached."""

_IF_UNWELL = (
    "If you feel very unwell, are struggling to breathe or are worried, do what was agreed with your team; "
    "if nothing was agreed, call 999. For other urgent help call your team or 111."
)
SAFETY_TEXT = "This reading was not recorded and nobody has seen it. Please check it and send it again. " + _IF_UNWELL
"""What every refusal of a reading says: the person must not believe that it arrived."""
NOT_PAIRED_TEXT = "Readings that are still in this app were not recorded and nobody has seen them. " + _IF_UNWELL
"""The same for an app that is told, before it sends anything, that nothing of it is received any more."""


def document(problem: WardwatchError) -> dict[str, Any]:
    """The problem document for an error, as the API shows it."""
    return {
        "type": f"urn:wardwatch:problem:{problem.code}",
        "title": " ".join((type(problem).__doc__ or "").split()),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id.get(),
        "errors": [{"pointer": e.pointer, "code": e.code, "message": e.message} for e in problem.errors],
        **problem.extra,
    }


def respond(problem: WardwatchError, request: Request | None = None) -> Response:
    """The answer for an error: the document with its status and headers, and the safety text where the
    request set one."""
    metrics.REFUSALS.labels(problem.code).inc()
    headers = dict(problem.headers)
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="wardwatch"')
    if problem.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    content = document(problem)
    if request is not None and (safety_text := getattr(request.state, "safety_text", None)):
        content["safety_text"] = safety_text
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), problem.status, headers, MEDIA_TYPE)


def field_errors(
    problem: ValidationError | RequestValidationError, under: tuple[str | int, ...] = ()
) -> list[FieldError]:
    """The refused fields of a pydantic error, the first hundred; `under` is the place of the whole. The framework says
    first where in a request a field is, which is no part of its name."""
    found = problem.errors()[:MAX_ERRORS]
    said = 1 if isinstance(problem, RequestValidationError) else 0
    return [FieldError(pointer((*under, *e["loc"][said:])), e["type"], _message(e)) for e in found]


def pointer(place: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901) to a place in the body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] in ("value_error", "assertion_error"):
        return str(error["ctx"]["error"])
    if error["type"] == "extra_forbidden":
        return "is not a field of this call"
    if error["type"] == "model_type":
        return "Input should be an object"
    return str(error["msg"])


def install(
    app: FastAPI,
    is_unavailable: Callable[[BaseException], bool],
    methods_at: Callable[[str], Sequence[str]] = lambda _path: (),
    is_for_readings: Callable[[str], bool] = lambda _path: False,
) -> None:
    """Make the application answer every error as a problem document.

    `is_unavailable` tells an unreachable database from a fault of ours, `methods_at` the methods a path takes,
    `is_for_readings` whether what is sent to a path is meant to be a reading, though no call may be there."""

    async def refused(request: Request, problem: Any) -> Response:
        return respond(problem, request)

    async def invalid(request: Request, problem: Any) -> Response:
        return respond(Invalid(errors=field_errors(problem)), request)

    async def http(request: Request, problem: Any) -> Response:
        other = BadRequest if problem.status_code < 500 else WardwatchError
        found = FRAMEWORK.get(problem.status_code, other)
        headers = dict(problem.headers or {})
        if is_for_readings(request.url.path):
            request.state.safety_text = SAFETY_TEXT
        if found is MethodNotAllowed and (methods := methods_at(request.url.path)):
            headers = {name: value for name, value in headers.items() if name.lower() != "allow"}
            headers["Allow"] = ", ".join(methods)
        return respond(found(headers=headers), request)

    async def unexpected(request: Request, problem: Exception) -> Response:
        if is_unavailable(problem):
            log.warning("database_unavailable", error=type(problem).__name__)
            return respond(DatabaseUnavailable(), request)
        log.error("unexpected_error", exc_info=problem)
        return respond(WardwatchError("Something went wrong here; the request id finds it in our logs."), request)

    async def gone(_request: Request, _problem: Any) -> Response:
        """The sender hung up before the body was there: nobody is left to read an answer."""
        log.info("sender_gone")
        return Response(status_code=400)

    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(WardwatchError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    for fault in (SQLAlchemyError, OSError):
        app.add_exception_handler(fault, unexpected)
    app.add_exception_handler(Exception, unexpected)
