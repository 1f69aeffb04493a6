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

ABOUT = (
    "They are people in intensive care (PhysioNet/CinC Challenge 2019), not a ward at home, and the figures say "
    "nothing about one. They are far more ill: a pulse above 130 or a pressure below 90 is treated at the bedside"
    " there. They are measured every hour, not three times a day, so the same illness is seen eight times as "
    "often. Nobody asks them how breathless they are, and how much oxygen they get is not known as a flow: there "
    "is pulse, SpO2, temperature, pressure and breathing, judged under the standard plan, without a usual SpO2 "
    "and without reading times. So silent hypoxia, falls from the usual and missed readings cannot be found, and "
    "NEWS2 is never complete. What the figures are for: a change of a rule shows here on real vitals."
)

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
