"""Playing a simulated ward against a running service, at the pace of its clinical clock."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from service.clock import Clock
from service.sandbox.caller import Caller, expect, refusal_of
from service.sandbox.patient import Sending, SimulatedPatient
from service.sandbox.ward import SimulatedWard

HISTORY_DAYS = 2
LAST_EVENTS = 12


@dataclass(slots=True)
class Played:
    """What has happened so far: readings by what became of them, refusals by reason, and the ward's feed.

    `names` are the patients' by stay id; `new_events` those that nobody has taken yet, oldest first."""

    ward_id: str
    names: dict[str, str] = field(default_factory=dict)
    kept: int = 0
    replayed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    open_by_severity: Mapping[str, int] = field(default_factory=dict)
    last_number: int = 0
    new_events: deque[dict[str, Any]] = field(default_factory=deque)

    @property
    def sent(self) -> int:
        """Readings sent: kept, replayed or refused."""
        return self.kept + self.replayed + self.refused.total()


async def admit_all(sender: Caller, ward: SimulatedWard, played: Played) -> list[str]:
    """Register and admit the patients over the API; gives the ids of their stays, in the order of the patients."""
    stays = []
    for patient in ward.patients:
        registered = await sender.post(f"/v1/wards/{played.ward_id}/patients", patient.person.as_patient())
        stay = await sender.post(
            f"/v1/wards/{played.ward_id}/stays", {"patient_id": registered["id"], "plan": patient.plan}
        )
        stays.append(stay["id"])
        played.names[stay["id"]] = f"{patient.person.given_name} {patient.person.family_name}"
    return stays


async def send_history(sender: Caller, ward: SimulatedWard, stays: Sequence[str], clock: Clock, played: Played) -> None:
    """Send two days of readings from before the admission, a patient's in one batch."""
    for patient, stay_id in zip(ward.patients, stays, strict=True):
        history = patient.history(clock.now(), HISTORY_DAYS)
        rows = [{"stay_id": stay_id, **sending.body} for sending in history]
        answer = expect(await sender.call("POST", "/v1/readings/batch", json={"readings": rows}), 200)
        played.kept += answer["created"]
        played.replayed += answer["replayed"]
        played.refused["history"] += answer["rejected"]
    played.refused += Counter()  # drops reasons that were never given


async def play(sender: Caller, ward: SimulatedWard, stays: Sequence[str], clock: Clock, played: Played) -> None:
    """Send what the patients measure, when they measure it, until cancelled."""
    while True:
        await send_due(sender, ward, stays, clock, played)
        await asyncio.sleep(max(0.0, clock.seconds_until(ward.next_at)))


async def send_due(sender: Caller, ward: SimulatedWard, stays: Sequence[str], clock: Clock, played: Played) -> None:
    """Send what is due now: patients at the same time, one patient's readings one after the other."""
    due = ward.act(clock.now())
    by_patient = [list(group) for _, group in groupby(due, key=lambda sending: sending.patient)]
    await asyncio.gather(
        *(_send(sender, ward.patients[own[0].patient], stays, own, clock, played) for own in by_patient)
    )


async def follow(reader: Caller, played: Played) -> None:
    """Bring the ward's feed and the queue's counts up to date."""
    while True:
        page = await reader.get(f"/v1/wards/{played.ward_id}/events", after=str(played.last_number), limit="200")
        played.last_number = page["last_number"]
        for event in page["items"]:
            if event["type"] == "alert.opened":
                # The feed carries no values: why it was raised is asked for by whoever may see it.
                alert = await reader.get(f"/v1/alerts/{event['subject']['id']}")
                event["explanation"] = alert["explanation"]
            _take(event, played)
        if not page["items"]:
            break
    queue = await reader.get("/v1/alerts", ward_id=played.ward_id, limit="1")
    played.open_by_severity = queue["meta"]["counts"]["by_severity"]


def _take(event: dict[str, Any], played: Played) -> None:
    if not event["type"].startswith("alert."):
        return
    played.new_events.append(event)
    if event["type"] == "alert.opened":
        played.opened[event["data"]["severity"]] += 1
        played.families[event["data"]["family"]] += 1


async def _send(
    sender: Caller,
    patient: SimulatedPatient,
    stays: Sequence[str],
    sendings: Sequence[Sending],
    clock: Clock,
    played: Played,
) -> None:
    for sending in sendings:
        # The app stamps what it sends with its own clock, right or wrong.
        sent_at = clock.now() + patient.device.ahead
        body = {"stay_id": stays[patient.index], **sending.body, "client_sent_at": sent_at.isoformat()}
        answer = await sender.call("POST", "/v1/readings", json=body)
        if answer.status_code not in (200, 201):
            played.refused[refusal_of(answer)] += 1
            continue
        played.kept += answer.status_code == 201
        played.replayed += answer.status_code == 200
        assessment = answer.json()["assessment"]
        patient.told(clock.now(), assessment["advice_code"], assessment["ask"])
