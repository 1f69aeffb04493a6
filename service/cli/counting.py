"""The folder that the workers of one `wardwatch serve` count into."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.clock import real_now

PREFIX = "wardwatch-metrics-"
SETTLED_SECONDS = 60
"""A folder that changed since may belong to somebody who is about to lock it."""


@contextmanager
def counting_folder() -> Iterator[Path]:
    """A folder, gone at the end; those that services left which were killed are gone with the start of the next."""
    _clear_abandoned()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        held = os.open(folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield Path(folder)
        finally:
            os.close(held)


def _clear_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # somebody else's, or gone meanwhile
        try:
            if _is_abandoned(held, folder):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(held)


def _is_abandoned(held: int, folder: Path) -> bool:
    """Whether nobody uses it any more. The system lets go of the lock when its holder ends, however it ends; a worker
    may outlive it, and has a file with its number."""
    if real_now().timestamp() - os.fstat(held).st_mtime < SETTLED_SECONDS:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return not any(runs(int(file.stem.rpartition("_")[2])) for file in folder.glob("*_*.db"))


def runs(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
