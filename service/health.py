"""For whoever keeps the service running: is the process alive, and may requests be sent to it?

Both addresses are open to everybody, so they tell little and cost little."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from service.access.guards import public
from service.errors import NotReady
from service.storage.readiness import EXPLANATIONS, standing

REMEMBER_SECONDS = 1.0

router = APIRouter(tags=["operation"])


class Readiness:
    """One check at a time, remembered for a second: probes never become a load on the database."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._known_until = 0.0
        self._reason: str | None = None

    def forget(self) -> None:
        """Check again the next time."""
        self._known_until = 0.0

    async def reason(self, app: Any) -> str | None:
        """Why no requests should be sent here; None when they may."""
        now = asyncio.get_running_loop().time
        async with self._one_at_a_time:
            if now() >= self._known_until:
                self._reason = await _check(app)
                self._known_until = now() + REMEMBER_SECONDS
            return self._reason


async def _check(app: Any) -> str | None:
    found = await standing(app.state.served)
    # A newer release has migrated and this one is still serving while replicas are replaced one by one.
    if found not in ("ready", "ahead"):
        return EXPLANATIONS[found]
    intake = getattr(app.state, "intake", None)
    if intake is not None and not intake.alive:
        return "Readings are not being committed."
    return None


@router.get("/livez", operation_id="livez", summary="Is the process alive?")
@public("whoever watches the process has no account; it tells nothing")
async def livez() -> dict[str, str]:
    """The process answers; it says nothing about the database. Restart the process when this fails."""
    return {"status": "alive"}


@router.get("/readyz", operation_id="readyz", summary="May requests be sent here?")
@public("load balancers have no account; it tells only whether to send requests")
async def readyz(request: Request) -> dict[str, str]:
    """The database is migrated and can be written to, and readings are being committed. 503 when not.

    `degraded`: requests may be sent, but work named in `late` is more than 5 minutes behind; the wards are told."""
    if reason := await request.app.state.readiness.reason(request.app):
        raise NotReady(reason)
    late: tuple[str, ...] = request.app.state.watchdog.late
    return {"status": "degraded", "late": ", ".join(late)} if late else {"status": "ready"}
