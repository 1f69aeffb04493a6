"""Sending recordings to a running service: in order within a stay, many stays at a time.

Rows go one by one and not in batches: readings of one request count as received together, and these are hours
apart. It costs little, because the service keeps all that is waiting in one transaction anyway."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from service.sandbox.caller import Caller, expect, refusal_of
from service.sandbox.recorded import NothingRecorded, Recording, read_recording

STAYS_AT_A_TIME = 32


@dataclass(slots=True)
class Uploaded:
    """What became of the rows that were read, and which alerts they opened.

    `stays` were sent to their end. `unreadable`: files, not rows."""

    stays: int = 0
    read: int = 0
    accepted: int = 0
    replayed: int = 0
    empty: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """Rows of which it is known what became of them."""
        return self.accepted + self.replayed + self.refused.total() + self.empty

    @property
    def adds_up(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.read == self.answered


class Pace:
    """Lets so many rows a second pass, over all stays together; 0 is as fast as it goes."""

    def __init__(self, rows_per_second: float) -> None:
        self._gap = 1 / rows_per_second if rows_per_second > 0 else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        """Come back when the next row may go."""
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        self._next = max(self._next + self._gap, now)
        await asyncio.sleep(self._next - now)


@dataclass(slots=True)
class Upload:
    """One run. `run` makes its readings different from those of another run: each is taken anew.

    `moved` is told after each row and each file how far it is."""

    caller: Caller
    ward_id: str
    run: str
    pace: Pace
    now: Callable[[], datetime]
    moved: Callable[[Uploaded], None]
    done: Uploaded = field(default_factory=Uploaded)

    async def send(self, files: Sequence[Path]) -> None:
        """Send every file; raises ServiceUnreachable, and CallRefused when a stay cannot be made."""
        waiting = iter(files)
        tasks = [asyncio.create_task(self._work(waiting)) for _ in range(min(STAYS_AT_A_TIME, len(files)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, waiting: Iterator[Path]) -> None:
        for file in waiting:
            try:
                recording = read_recording(file)
            except NothingRecorded as problem:
                self.done.unreadable.append(problem.detail)
                continue
            self.done.read += len(recording.rows)
            stay_id = await self._stay(recording)
            for number, row in enumerate(recording.rows, start=1):
                await self._row(stay_id, f"{recording.name}-{self.run}-{number}", row)
            self.done.stays += 1
            self.moved(self.done)

    async def _stay(self, recording: Recording) -> str:
        """The patient's stay on the ward: a new one, or the one that is there from an earlier run."""
        patient_id = await self._patient(recording)
        answer = await self.caller.call("POST", f"/v1/wards/{self.ward_id}/stays", json={"patient_id": patient_id})
        if answer.status_code == 409 and "stay_id" in (problem := answer.json()):
            return str(problem["stay_id"])
        return str(expect(answer, 201)["id"])

    async def _patient(self, recording: Recording) -> str:
        body = recording.as_patient(self.now().date())
        answer = await self.caller.call("POST", f"/v1/wards/{self.ward_id}/patients", json=body)
        if answer.status_code == 409:
            # Registered in another year, with another year of birth: the hospital number is what counts.
            found = await self.caller.post(f"/v1/wards/{self.ward_id}/patients/lookup", body["identifiers"][0])
            return str(found["items"][0]["id"])
        return str(expect(answer, 200, 201)["id"])

    async def _row(self, stay_id: str, name: str, row: Mapping[str, Any]) -> None:
        if not row:
            self.done.empty += 1
            self.moved(self.done)
            return
        await self.pace.wait()
        body = {
            "stay_id": stay_id,
            "client_reading_id": name,
            "observed_at": self.now().isoformat(),
            "source": "device",
            **row,
        }
        answer = await self.caller.call("POST", "/v1/readings", json=body)
        self._count(answer)
        self.moved(self.done)

    def _count(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            self.done.refused[refusal_of(answer)] += 1
            return
        self.done.accepted += answer.status_code == 201
        self.done.replayed += answer.status_code == 200
        self.done.opened.update(alert["severity"] for alert in answer.json()["alerts"] if alert["change"] == "opened")
