"""One worker of `wardwatch serve`, which does not outlive it."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

from fastapi import FastAPI

from service.app import from_environment


def application() -> FastAPI:
    """The service, as a worker runs it. When the process that started the workers is gone nobody replaces one that
    ends, and they would keep the port from the next start: so each stops, as if it were told to."""
    if starter := multiprocessing.parent_process():
        threading.Thread(target=_stop_after, args=(starter,), daemon=True).start()
    return from_environment()


def _stop_after(starter: BaseProcess) -> None:
    starter.join()
    os.kill(os.getpid(), signal.SIGTERM)
