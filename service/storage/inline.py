"""Running a use case written with `await` in one step of the database library.

SQLAlchemy's asyncio is a thin layer: each `await connection.execute()` enters a greenlet, runs the synchronous library
and leaves it again. A group of readings makes ten such calls one after the other and waits for nothing but the
database, so the whole of it runs inside one greenlet. Everybody else uses the same functions with a session."""

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable
from sqlalchemy.engine import Connection, CursorResult, Dialect

Value = TypeVar("Value")


class Where(Protocol):
    """Where a statement is carried out: what an AsyncConnection, an AsyncSession and an Inline have in common."""

    async def execute(self, statement: Any, parameters: Any = None, /) -> Any:
        """The result of one statement."""


class Inline:
    """A connection inside its greenlet, with the `execute` of an asynchronous one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]:
        """Carry out a statement; the greenlet waits, the coroutine does not."""
        return self._connection.execute(statement, parameters)


def run_inline(work: Coroutine[Any, Any, Value]) -> Value:
    """What the coroutine returns; raises RuntimeError if it waits for anything but its Inline."""
    try:
        work.send(None)
    except StopIteration as done:
        value: Value = done.value
        return value
    work.close()
    raise RuntimeError("work inside a transaction may wait for the database alone")
