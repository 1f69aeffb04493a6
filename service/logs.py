"""Structured logs: one JSON object a line, with the request id. Ids and rule ids only: a test sends names,
numbers and values through the whole service and looks for them here."""

import logging
import re
import sys
import traceback
from contextvars import ContextVar
from typing import Any

import structlog

REQUEST_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
"""What is taken over as the id of a request; everything else is replaced."""

request_id: ContextVar[str] = ContextVar("request_id", default="")


def configure(level: str = "info") -> None:
    """Send every log line, ours and the libraries', to standard error as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request_id,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _frames_only,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Some of these would log URLs: ours, and those that partners gave us.
    for noisy in ("uvicorn.access", "sqlalchemy.engine", "aiosqlite", "asyncio", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _frames_only(_logger: Any, _method: str, event: Any) -> Any:
    """An exception as its type and its frames. Not its text: libraries put values into it."""
    problem = event.pop("exc_info", None)
    if problem is True:
        problem = sys.exc_info()
    if isinstance(problem, BaseException):
        problem = (type(problem), problem, problem.__traceback__)
    if problem and problem[0] is not None:
        event["error"] = problem[0].__name__
        event["frames"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(problem[2])]
    return event


def _with_request_id(_logger: Any, _method: str, event: Any) -> Any:
    if current := request_id.get():
        event["request_id"] = current
    return event


def get_logger(name: str) -> Any:
    """A logger for one module."""
    return structlog.stdlib.get_logger(name)
