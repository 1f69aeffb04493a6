"""What an error of the database means: that it is away, that others were in the way, or neither."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SERIALIZATION_STATES = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of serialization failure, deadlock and lock not available: the whole transaction may be tried again."""

UNAVAILABLE_CLASSES = ("08", "53", "57", "58", "25006", "25P03")
"""SQLSTATE beginnings: connection lost, out of resources, somebody ended it (a server that stops, a statement's time
limit), system error, a stand-by that only reads, a transaction that stood still."""
SQLITE_UNAVAILABLE = (
    "database is locked",
    "unable to open",
    "disk I/O",
    "database or disk is full",
    "no active connection",
)
"""The same on SQLite, which has only words."""


def is_unavailable(problem: BaseException) -> bool:
    """Whether an error means that the database cannot be reached or used now, and may be later."""
    if isinstance(problem, (OSError, PoolTimeout)) or _driver_lost(problem):
        return True
    if isinstance(problem, DBAPIError) and problem.connection_invalidated:
        return True
    state = _state_of(problem)
    if state:
        return state.startswith(UNAVAILABLE_CLASSES)
    return isinstance(problem, DBAPIError) and any(sign in str(problem.orig) for sign in SQLITE_UNAVAILABLE)


def may_be_retried(problem: BaseException) -> bool:
    """Whether a transaction failed only because of others running beside it, or because the tables were migrated
    since its statements were prepared. A SQLite file that is locked is not that: our own writers take turns, and for
    another program's it has waited already."""
    return _state_of(problem) in SERIALIZATION_STATES or is_outdated(problem)


def _driver_lost(problem: BaseException) -> bool:
    """Whether the driver itself cannot go on, as after a server's last word. A value it cannot send, or a table it does
    not know any more, is not that."""
    if isinstance(problem, asyncpg.InternalClientError):
        return True
    if isinstance(problem, InterfaceError):
        return not isinstance(getattr(problem.orig, "__cause__", None), ValueError)
    return (
        isinstance(problem, asyncpg.InterfaceError) and not isinstance(problem, ValueError) and not is_outdated(problem)
    )


def is_outdated(problem: BaseException) -> bool:
    """Whether a statement fails because the tables are no longer as they were when it was prepared."""
    return isinstance(problem, (asyncpg.DatatypeMismatchError, asyncpg.OutdatedSchemaCacheError))


def _state_of(problem: BaseException) -> str:
    """The SQLSTATE of an error of the driver, wrapped or not; empty when it has none."""
    origin = problem.orig if isinstance(problem, DBAPIError) else problem
    return str(getattr(origin, "sqlstate", None) or "")
