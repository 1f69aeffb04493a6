"""Recorded hourly vitals (files `*.psv`, PhysioNet/CinC Challenge 2019) as readings the API takes.

What becomes of a column:

* `HR`, `SBP`, `DBP`, `Resp`: the API takes whole numbers. Rounded to the nearest; a tie (84.5) goes away from
  the middle of what NEWS2 scores 0, so to the abnormal side, as the service rounds SpO2.
* `O2Sat`, `Temp`: sent as recorded, decimals too.
* `FiO2` is the share of oxygen breathed in, not a flow. What flow makes 0.4 depends on mask or cannula and on
  how deeply somebody breathes: inventing litres would invent findings. Nothing is sent, with one exception:
  0.21 is room air, and room air is 0 L/min.
* NaN or an empty cell is not measured, and not sent. A cell that holds no number is sent as it stands: the
  service refuses it and says why. So are numbers outside its limits."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from service.errors import WardwatchError

WHOLE = {
    "HR": ("pulse_rate", 70.5),
    "SBP": ("systolic_bp", 165.0),
    "DBP": ("diastolic_bp", 80.0),
    "Resp": ("respiratory_rate", 16.0),
}
"""Column: (field, middle of its usual range). NEWS2 does not score diastolic pressure; 80 is a convention."""

AS_RECORDED = {"O2Sat": "spo2", "Temp": "temperature"}
ROOM_AIR = 0.21
UNKNOWN_BIRTH = date(1950, 1, 1)
"""Stands for an age that was not recorded: the API needs a day."""


class NothingRecorded(WardwatchError):
    """There are no recorded vitals there."""

    code = "nothing_recorded"


@dataclass(frozen=True, slots=True)
class Recording:
    """One stay: its rows as readings without time and stay, in order; an empty one where nothing was
    measured."""

    name: str
    age: float | None
    rows: tuple[Mapping[str, Any], ...]

    def as_patient(self, today: date) -> dict[str, Any]:
        """The body of `POST /v1/wards/{id}/patients`: a made-up name, and the file's name as hospital
        number."""
        born = UNKNOWN_BIRTH if self.age is None else date(max(1900, today.year - int(self.age)), 1, 1)
        return {
            "family_name": "Recorded",
            "given_name": self.name,
            "birth_date": born.isoformat(),
            "identifiers": [{"system": "mrn", "value": self.name}],
        }


def find_recordings(folder: Path) -> list[Path]:
    """The files of a folder, by name; raises NothingRecorded when there is none."""
    if not folder.is_dir():
        raise NothingRecorded(f"{folder} is not a folder.")
    found = sorted(folder.glob("*.psv"))
    if not found:
        raise NothingRecorded(f"{folder} holds no *.psv file: nothing was sent.")
    return found


def read_recording(file: Path) -> Recording:
    """One file; raises NothingRecorded when it is no table with at least one column that can be sent."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise NothingRecorded(f"{file.name} cannot be read: {type(problem).__name__}.") from problem
    columns = lines[0].split("|") if lines else []
    if not {*WHOLE, *AS_RECORDED}.intersection(columns):
        known = ", ".join((*WHOLE, *AS_RECORDED))
        raise NothingRecorded(f"{file.name} has none of the columns {known}, separated by |.")
    cells = [dict(zip(columns, line.split("|"), strict=False)) for line in lines[1:] if line.strip()]
    ages = (_number(row.get("Age", "")) for row in cells)
    age = next((found for found in ages if isinstance(found, float) and 0 <= found < 130), None)
    return Recording(file.stem, age, tuple(dict(_reading(row)) for row in cells))


def _reading(row: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """The fields of one row; nothing at all when no column that is sent was measured."""
    measured = False
    for column, field in AS_RECORDED.items():
        if (value := _number(row.get(column, ""))) is not None:
            measured = True
            yield field, value
    for column, (field, middle) in WHOLE.items():
        if (value := _number(row.get(column, ""))) is not None:
            measured = True
            yield field, value if isinstance(value, str) else whole(value, middle)
    if measured and _number(row.get("FiO2", "")) == ROOM_AIR:
        yield "oxygen_flow", 0


def whole(value: float, middle: float) -> int:
    """The nearest whole number; a tie goes away from the middle."""
    return math.ceil(value - 0.5) if value < middle else math.floor(value + 0.5)


def _number(cell: str) -> float | str | None:
    """The number in a cell; None when nothing was measured, the text itself when it is no number."""
    text = cell.strip()
    if not text or text.lower() == "nan":
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text
