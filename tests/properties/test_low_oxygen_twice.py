"""R1, R2 and R4 written a second time, from the clinical rules alone: for histories at random of good and poor readings
at rest, with and without an answer, both come to the same alert."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from alerts.judge import judge
from alerts.reading import Quality, Reading
from alerts.record import Record
from alerts.severity import Family
from tests.alerts.stay import MIDNIGHT

MEDIUM, HIGH, CRITICAL = 2, 3, 4
Shown = tuple[int, str, bool | None] | None
"""Severity, state, and of a critical alert whether it is confirmed; None without an alert."""


@dataclass
class Low:
    """What one of the three rules has found, in minutes: `due` is when it escalates by itself."""

    severity: int
    due: int | None
    confirmed: bool = False
    stands: bool = True
    good: list[int] = field(default_factory=list)

    def again(self, severity: int, due: int | None) -> None:
        self.severity, self.stands, self.good = max(self.severity, severity), True, []
        if due is not None and not self.confirmed:
            self.due = due if self.due is None else min(due, self.due)

    def is_green(self, at: int) -> None:
        self.good.append(at)
        if len(self.good) > 1 and at - self.good[0] >= 15:
            self.stands, self.due = False, None


@dataclass
class Nurse:
    """STANDARD plan, usual SpO2 unknown, nobody acts."""

    red: Low | None = None
    amber: Low | None = None
    unasked: Low | None = None
    recovered: bool = False
    peak: int = 0
    answers: list[tuple[int, float]] = field(default_factory=list)

    @property
    def found(self) -> list[Low]:
        return [low for low in (self.red, self.amber, self.unasked) if low is not None]

    @property
    def shown(self) -> Shown:
        if not self.found:
            return None
        severity = max(low.severity for low in self.found)
        confirmed = self.red is not None and self.red.confirmed
        return severity, "recovered" if self.recovered else "open", confirmed if severity == CRITICAL else None

    def waits_until(self, now: int) -> None:
        while due := [low for low in self.found if low.stands and low.due is not None and low.due <= now]:
            low = min(due, key=lambda low: low.due or 0)
            low.due = None
            if low is not self.red:
                low.severity = max(low.severity, HIGH)
            low.confirmed = low is not self.unasked
            self._looks()

    def reads(self, at: int, spo2: int, *, poor: bool, answer: float | None) -> None:
        self.waits_until(at)
        if answer is not None:
            self.answers.append((at, answer))
            if self.unasked is not None:
                self.unasked.due = None
        known = next((borg for then, borg in reversed(self.answers) if at - then <= 60), None)
        if spo2 <= 92:
            self._is_red(at, poor=poor)
        elif spo2 <= 94:
            self._is_amber(at, spo2, known, poor=poor)
        elif not poor:
            self._is_green(at)
        if spo2 <= 94:
            self._asks(at, spo2, known, poor=poor)
        self._looks()

    def _is_red(self, at: int, *, poor: bool) -> None:
        if self.red is None:
            self.red = Low(CRITICAL, at + 15)
        else:
            self._confirms(self.red, by=not poor and self.red.stands)
            self.red.again(CRITICAL, at + 15)
        if self.amber is not None and self.amber.stands and not poor:
            self._confirms(self.amber, by=True)
            self.amber.again(HIGH, None)

    def _is_amber(self, at: int, spo2: int, known: float | None, *, poor: bool) -> None:
        severe = known is not None and (spo2 < 94 or known >= 3)
        if self.amber is None:
            self.amber = Low(HIGH if severe else MEDIUM, at + 60)
        else:
            again = not poor and self.amber.stands
            self._confirms(self.amber, by=again)
            self.amber.again(HIGH if severe or again else MEDIUM, at + 60)
        if self.red is not None and self.red.stands and not poor:
            self._confirms(self.red, by=self.red.severity == CRITICAL)
            self.red.good = []

    def _is_green(self, at: int) -> None:
        for low in self.found:
            if low.stands:
                low.is_green(at)
        red = self.red
        if red is not None and not red.confirmed and len(red.good) > 1 and at - red.good[0] >= 5:
            red.severity, red.due = MEDIUM, None
        if self.amber is not None:
            self.amber.due = None

    def _asks(self, at: int, spo2: int, known: float | None, *, poor: bool) -> None:
        """R4 of a red value is as severe as the red and ends with it, so only amber counts here."""
        if known is None:
            due = None if spo2 <= 92 else at + (60 if spo2 == 94 else 15)
            self.unasked = self.unasked or Low(MEDIUM, None)
            self.unasked.again(MEDIUM, due if self.unasked.severity < HIGH else None)
        elif self.unasked is not None and not poor:
            self.unasked.good = []

    @staticmethod
    def _confirms(low: Low, *, by: bool) -> None:
        if by:
            low.confirmed, low.due = True, None

    def _looks(self) -> None:
        self.peak = max(self.peak, *(low.severity for low in self.found), 0)
        self.recovered = bool(self.found) and not any(low.stands for low in self.found)
        if self.recovered and self.peak <= MEDIUM:
            self.red = self.amber = self.unasked = None
            self.recovered, self.peak = False, 0


def histories(seed: int) -> Iterator[Reading]:
    """Some readings at rest, with gaps at, just under and just over every limit."""
    dice, at = random.Random(seed), 480
    for number in range(dice.randint(2, 9)):
        at += dice.choice([1, 3, 4, 5, 6, 7, 9, 10, 11, 14, 16, 20, 29, 31, 59, 61, 90])
        yield Reading(
            id=str(number),
            observed_at=MIDNIGHT + timedelta(minutes=at),
            received_at=MIDNIGHT + timedelta(minutes=at),
            spo2=dice.choice([90, 91, 92, 93, 94, 95, 97]),
            quality=Quality.POOR if dice.random() < 0.3 else Quality.GOOD,
            breathlessness=dice.choice([None, None, 0, 1, 2.5, 3, 4]),
        )


@pytest.mark.parametrize("first", range(0, 600, 200))
def test_the_engine_and_the_rules_read_by_hand_come_to_the_same_alert(first: int) -> None:
    for seed in range(first, first + 200):
        nurse, record = Nurse(), Record()
        for reading in histories(seed):
            at = (reading.observed_at - MIDNIGHT) // timedelta(minutes=1)
            poor = reading.quality == Quality.POOR
            nurse.reads(at, int(reading.spo2 or 0), poor=poor, answer=reading.breathlessness)
            record = judge(record, [reading]).record
            alert, shown = record.episodes.get(Family.OXYGEN), None
            if alert is not None:
                severity = int(alert.severity)
                shown = severity, str(alert.state), alert.confirmed if severity == CRITICAL else None
            assert shown == nurse.shown, (seed, at)
