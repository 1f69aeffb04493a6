"""The nurse of a demonstration: on duty by the ward's calendar, and working the queue as a person would, over HTTP."""

import asyncio
from datetime import timedelta
from random import Random
from typing import Any

from alerts.calendar import WEEKDAYS
from service.clock import Clock
from service.sandbox.caller import Caller

LOOKS_EVERY = timedelta(minutes=6)
"""Between two looks at the queue, clinical time."""
LEAVES = 0.4
"""The chance that an alert is left for later, so that limits pass and are seen to pass."""
REACHED = 0.8
"""The chance that somebody answers the telephone."""

_SHIFT = {"starts": "08:00", "ends": "20:00"}


async def put_on_duty(lead: Caller, nurse: Caller, ward_id: str) -> None:
    """The nurse's shifts in the ward's coverage: every day from 08:00 to 20:00."""
    staff_id = (await nurse.get("/v1/me"))["principal"]["id"]
    body = {
        "service_hours": {"week": {day: [_SHIFT] for day in WEEKDAYS}},
        "on_duty": {"week": {day: [{**_SHIFT, "staff_id": staff_id}] for day in WEEKDAYS}},
        "version": (await lead.get(f"/v1/wards/{ward_id}/coverage"))["version"],
    }
    await lead.call("PUT", f"/v1/wards/{ward_id}/coverage", json=body)


class Nurse:
    """Somebody at the queue, who leaves some alerts for later. Two with the same seed do the same."""

    def __init__(self, caller: Caller, ward_id: str, seed: int) -> None:
        self._caller = caller
        self._ward_id = ward_id
        self._random = Random(f"nurse {seed}")  # noqa: S311 - a simulation
        self._left: set[tuple[str, int]] = set()

    async def work(self, clock: Clock) -> None:
        """Look at the queue again and again until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY.total_seconds() / clock.speed)
            await self.look()

    async def look(self) -> None:
        """See to the most urgent alert that is not left for later: one, for that takes its time."""
        for alert in (await self._caller.get("/v1/alerts", ward_id=self._ward_id, limit="50"))["items"]:
            seen = alert["id"], alert["version"]
            if seen in self._left:
                continue
            if self._random.random() >= LEAVES:
                await _see_to(self._caller, alert, self._random)
                return
            self._left.add(seen)


async def _see_to(nurse: Caller, alert: dict[str, Any], random: Random) -> None:
    """The next thing that has to be done about an alert. A refusal (somebody was faster) is no trouble."""
    path, version = f"/v1/alerts/{alert['id']}", alert["version"]
    if alert["recovered_at"] is None and alert["state"] != "acknowledged":
        await nurse.call("POST", f"{path}/acknowledge", json={"version": version})
    elif alert["recovered_at"] is None and alert["respond_by"] is not None:
        result = "reached" if random.random() < REACHED else "unreachable"
        await nurse.call("POST", f"{path}/contact", json={"method": "phone", "result": result})
    else:
        outcome = "advice_given" if alert["channel"] == "clinical" else "no_action_needed"
        await nurse.call("POST", f"{path}/resolve", json={"outcome": outcome, "version": version})
