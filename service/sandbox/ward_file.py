"""A simulated ward in a file: JSON lines, each a stay, a reading or a truth (docs/sandbox.md)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from alerts.figures import Truth
from alerts.plan import Plan, PlanInvalid
from alerts.replay import Arrival
from service.errors import WardwatchError
from service.fields import utc_text
from service.readings.schemas import ReadingIn
from service.sandbox.home import plan_from
from service.sandbox.stays import Recorded, to_reading
from service.sandbox.trying import Written

FORMAT = "wardwatch-ward-1"
_STAY, _TRUTH = {"stay", "plan", "from", "until"}, {"truth", "kind", "falls_from", "red_from", "true_spo2"}
_PLAN = {each.name for each in fields(Plan) if each.init}
_BROKEN = ("extra_forbidden", "missing")
"""What is wrong with the file; anything else is wrong with the value, and the service would refuse the reading."""


class FileRefused(WardwatchError):
    """The file cannot be used."""

    code = "file_refused"


def write_ward(out: TextIO, about: Mapping[str, Any], stays: Iterable[Written]) -> None:
    """Write a ward: what it is, then stay by stay. `about` holds plain JSON values."""
    _line(out, {"format": FORMAT, **about})
    for stay in stays:
        truth = stay.lived.truth
        _line(out, {"stay": stay.stay_id, "plan": stay.plan, "from": stay.lived.from_at, "until": stay.lived.until})
        for received_at, body in stay.sent:
            _line(out, {"reading": stay.stay_id, "received_at": received_at, **body})
        if truth is not None:
            _line(
                out,
                {"truth": stay.stay_id, "kind": truth.kind, "falls_from": truth.falls_from}
                | {"red_from": truth.red_from, "true_spo2": stay.true_spo2},
            )


def read_ward(file: Path) -> list[Recorded]:
    """The stays of a file; raises FileRefused naming the line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise FileRefused(f"{file} cannot be read: {type(problem).__name__}.") from problem
    reader = _Reader(file)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            reader.take(number, line)
    stays = list(reader.stays())
    if not any(arrival.readings for stay in stays for arrival in stay.arrivals):
        raise FileRefused(f"{file} holds no readings.")
    return stays


LONGEST_STAY = timedelta(days=3653)
"""Longer, and somebody mistyped a year: every missed reading of ten years is lived through."""


@dataclass(slots=True)
class _Open:
    plan: Plan
    from_at: datetime | None
    until: datetime | None
    arrivals: list[Arrival] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    truth: Truth | None = None


@dataclass(slots=True)
class _Reader:
    file: Path
    number: int = 0
    offset: tuple[timedelta, int] | None = None
    found: dict[str, _Open] = field(default_factory=dict)

    def take(self, number: int, line: str) -> None:
        """One line of the file."""
        self.number = number
        try:
            said = json.loads(line)
        except ValueError:
            raise self._refused("no JSON") from None
        if not isinstance(said, dict):
            raise self._refused("no JSON object")
        if number == 1 and "format" in said:
            if said["format"] != FORMAT:
                raise self._refused(f"format is not {FORMAT}")
        elif "stay" in said:
            self._stay(said)
        elif "reading" in said:
            self._reading(said)
        elif "truth" in said:
            self._truth(said)
        else:
            raise self._refused("neither stay, reading nor truth")

    def stays(self) -> Iterator[Recorded]:
        """What was found, in the order of the file."""
        for stay_id, found in self.found.items():
            if not found.arrivals and (found.from_at is None or found.until is None):
                continue
            from_at = found.from_at or found.arrivals[0].at
            until = found.until or found.arrivals[-1].at
            yield Recorded(stay_id, found.plan, from_at, until, tuple(found.arrivals), truth=found.truth)

    def _stay(self, said: dict[str, Any]) -> None:
        self._known(said, _STAY)
        stay_id = str(said["stay"])
        if stay_id in self.found:
            raise self._refused(f"stay {stay_id} is there twice")
        self.found[stay_id] = _Open(
            self._plan(said.get("plan", {})), self._instant(said, "from"), self._instant(said, "until")
        )

    def _plan(self, values: Any) -> Plan:
        if not isinstance(values, dict):
            raise self._refused("plan holds no fields")
        if unknown := sorted(set(values) - _PLAN):
            raise self._refused(f"plan: unknown key {unknown[0]}")
        try:
            return plan_from(values)
        except PlanInvalid as problem:
            raise self._refused(f"plan: {problem}") from problem
        except (TypeError, ValueError) as problem:
            raise self._refused("plan: a field holds what it cannot") from problem

    def _reading(self, said: dict[str, Any]) -> None:
        stay = self._of(said, "reading")
        body = {name: value for name, value in said.items() if name not in ("reading", "received_at")}
        received_at = self._instant(said, "received_at") or self._instant(said, "observed_at")
        self._instant(said, "observed_at")
        if received_at is None:
            raise self._refused("observed_at is missing")
        if stay.arrivals and received_at < stay.arrivals[-1].at:
            raise self._refused("received before the line above it")
        begins = stay.from_at or (stay.arrivals[0].at if stay.arrivals else received_at)
        if not begins <= received_at <= begins + LONGEST_STAY:
            raise self._refused("received before the stay began, or more than ten years after")
        try:
            reading = to_reading(ReadingIn.model_validate(body), received_at)
        except ValidationError as problem:
            broken = [each for each in problem.errors() if each["type"] in _BROKEN]
            if broken:
                raise self._refused(f"{broken[0]['loc'][0]}: {broken[0]['msg']}") from None
            stay.arrivals.append(Arrival(received_at, refused=1))
            return
        if reading.id not in stay.seen:  # sent again, it is kept once
            stay.seen.add(reading.id)
            stay.arrivals.append(Arrival(received_at, (reading,)))

    def _truth(self, said: dict[str, Any]) -> None:
        self._known(said, _TRUTH)
        falls, red = self._instant(said, "falls_from"), self._instant(said, "red_from")
        self._of(said, "truth").truth = Truth(str(said.get("kind", "")), falls, red)

    def _of(self, said: dict[str, Any], name: str) -> _Open:
        if str(said[name]) not in self.found:
            raise self._refused(f"{name} of a stay that no line above names")
        return self.found[str(said[name])]

    def _instant(self, said: dict[str, Any], name: str) -> datetime | None:
        """The instant of that name; all of a file have one offset, so that a wrong one cannot hide."""
        if said.get(name) is None:
            return None
        try:
            instant = datetime.fromisoformat(said[name])
        except (TypeError, ValueError):
            raise self._refused(f"{name} is no time") from None
        offset = instant.utcoffset()
        if offset is None:
            raise self._refused(f"{name} has no offset from UTC")
        if self.offset is None:
            self.offset = (offset, self.number)
        if offset != self.offset[0]:
            raise self._refused(f"{name} is in another time zone than line {self.offset[1]}: write all times in UTC")
        return instant

    def _known(self, said: dict[str, Any], names: set[str]) -> None:
        unknown = sorted(set(said) - names)
        if unknown:
            raise self._refused(f"unknown key {unknown[0]}")

    def _refused(self, why: str) -> FileRefused:
        return FileRefused(f"{self.file}, line {self.number}: {why}.")


def _line(out: TextIO, said: Mapping[str, Any]) -> None:
    out.write(json.dumps(said, default=utc_text, ensure_ascii=False) + "\n")
