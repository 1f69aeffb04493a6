"""Recorded hourly vitals as stays that a rule set can be tried on."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.plan import Plan
from alerts.replay import Arrival
from service.sandbox.recorded import Recording, find_recordings, read_recording
from service.sandbox.stays import Recorded, arrival

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""The recordings hold hours, and no day."""

HOUR = timedelta(hours=1)
ADULT_AT = 16


def read_recordings(folder: Path) -> list[Recorded]:
    """The stays of a folder, by name, under the standard plan: nothing else is known of these people. Raises
    NothingRecorded naming the file that is no recording."""
    return [recorded_stay(read_recording(file)) for file in find_recordings(folder)]


def recorded_stay(recording: Recording) -> Recorded:
    """A recording as a stay: one row an hour, each received when it was measured."""
    arrivals = tuple(_arrivals(recording))
    until = BEGIN + len(recording.rows) * HOUR
    sixteen_on = None
    if recording.age is not None and recording.age < ADULT_AT:
        sixteen_on = date(BEGIN.year + ADULT_AT - int(recording.age), 1, 1)
    return Recorded(recording.name, Plan(), BEGIN, until, arrivals, sixteen_on=sixteen_on, watched=False)


def _arrivals(recording: Recording) -> Iterator[Arrival]:
    for hour, row in enumerate(recording.rows):
        if row:
            at = BEGIN + hour * HOUR
            body: Mapping[str, Any] = {"observed_at": at.isoformat(), "source": "device", **row}
            yield arrival(at, body)
