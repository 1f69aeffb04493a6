"""The case put to every rule: the reading judged, what was known before it, and what follows from both,
worked out once."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from alerts import news2
from alerts.band import Band, band_of
from alerts.plan import Limits, Plan, Profile
from alerts.reading import USABLE_FROM, Context, Quality, Reading, judged_spo2
from alerts.rule_set import RuleSet

_AT_REST = (Context.REST, Context.UNKNOWN)
"""An unknown context is judged as rest, but confirms and clears nothing."""

_REST, _SLEEP, _POOR, _HYPERCAPNIC = Context.REST, Context.SLEEP, Quality.POOR, Profile.HYPERCAPNIC


class Placement(StrEnum):
    """Where a reading stands in time among what is known of the stay."""

    LIVE = "live"
    """The newest known, up to 24 h old: judged as it is, however late it arrived."""
    STALE = "stale"
    """The newest known, but older than 24 h: nothing to re-measure against, somebody must ring."""
    RETROSPECTIVE = "retrospective"
    """Not the newest: judged in its place in time."""


class Case(NamedTuple):
    """`measured` is the reading whose SpO2 R1-R4 judge, `level` that value in whole percent, `band` its
    colour; for an answer that came alone they are those of the resting reading it answers, and `carried` is
    True.

    `spo2` is the judged SpO2 of this very reading. `valid`: at rest and not poor. `counts`: valid and in
    order of time, so it may confirm and clear. `answer`: the reading that holds the breathlessness in force
    (not too old for the rule set). `on_oxygen`: as stated, else by the plan, else None. `limits`: those in force for
    this person under the rule set. `zone`: the ward's, for what goes by the calendar. `rest_is_newest`: no resting SpO2
    is known that was observed after this reading. `later`: the readings of any kind that were, and had come before it.
    """

    reading: Reading
    window: tuple[Reading, ...]
    plan: Plan
    rule_set: RuleSet
    limits: Limits
    zone: str
    now: datetime
    placement: Placement
    in_order: bool
    resting: bool
    asleep: bool
    valid: bool
    counts: bool
    spo2: int | None
    measured: Reading | None
    level: int | None
    carried: bool
    band: Band | None
    answer: Reading | None
    on_oxygen: bool | None
    news2: news2.News2
    rest_is_newest: bool
    later: tuple[Reading, ...]

    @property
    def red_at(self) -> int:
        """The red limit in force for what the person was doing, in percent."""
        return self.limits.red_at - (self.rule_set.sleep_allowance if self.asleep else 0)

    @property
    def low_again(self) -> bool:
        """This is a second value too low to be used: the measurement that was asked for after the first one."""
        return self.band == Band.RED and self.level is not None and self.level < USABLE_FROM

    @property
    def breathlessness(self) -> float | None:
        """The Borg answer in force, or None when nobody answered."""
        return None if self.answer is None else self.answer.breathlessness

    def earlier(self, within: timedelta | None = None) -> Iterator[Reading]:
        """The readings before this one, newest first, at most `within` older."""
        oldest = None if within is None else self.reading.observed_at - within
        for index in range(len(self.window) - 2, -1, -1):
            reading = self.window[index]
            if oldest is not None and reading.observed_at < oldest:
                return
            yield reading

    def last_valid(self, count: int) -> list[Reading]:
        """The last `count` resting, usable, non-poor readings, newest first: this one, if it is one."""
        found: list[Reading] = []
        for reading in reversed(self.window):
            if reading.counts_for_spo2:
                found.append(reading)
                if len(found) == count:
                    break
        return found

    def values(self, readings: Iterable[Reading]) -> list[int]:
        """The judged SpO2 of readings that have one."""
        return [judged(reading, self.plan) for reading in readings]


def build(
    window: tuple[Reading, ...],
    plan: Plan,
    now: datetime,
    placement: Placement,
    in_order: bool,
    sixteen_on: date | None,
    rule_set: RuleSet,
    zone: str,
    rest_is_newest: bool,
    later: tuple[Reading, ...],
) -> Case:
    """The case of `window[-1]`. `now` is its receipt; `sixteen_on` the sixteenth birthday, None if an
    adult."""
    reading = window[-1]
    resting = reading.context in _AT_REST
    asleep = reading.context == _SLEEP
    limits = rule_set.limits(plan)
    valid = reading.context == _REST and reading.quality != _POOR
    spo2 = None if reading.spo2 is None else judged(reading, plan)
    measured, level = (reading, spo2) if spo2 is not None else _answered(window, later, plan, rule_set)
    known = (*window, *later) if later else window
    # By position, in the order of the fields: one is made for every reading, and each name would be looked up.
    return Case(
        reading,
        window,
        plan,
        rule_set,
        limits,
        zone,
        now,
        placement,
        in_order,
        resting,
        asleep,
        valid,
        valid and in_order,
        spo2,
        measured,
        level,
        spo2 is None and measured is not None,
        band_of(known, measured, limits, level, resting, rule_set.sleep_allowance if asleep else None),
        _answer_in_force(window, rule_set.answer_holds),
        on_oxygen(reading, plan),
        _news2(reading, spo2, plan, sixteen_on),
        rest_is_newest or _newest_at_rest(measured, later),
        later,
    )


def judged(reading: Reading, plan: Plan) -> int:
    """The SpO2 of a reading that has one, as judged under the plan, in whole percent."""
    spo2 = reading.spo2
    if spo2 is None:
        raise ValueError("a reading without SpO2 has nothing to judge")
    if plan.profile == _HYPERCAPNIC and on_oxygen(reading, plan):
        return judged_spo2(spo2, scale2_on_oxygen=True)
    return judged_spo2(spo2)


def on_oxygen(reading: Reading, plan: Plan) -> bool | None:
    """As the reading states it, else as the plan prescribes it, else None."""
    flow = reading.oxygen_flow if reading.oxygen_flow is not None else plan.prescribed_oxygen_flow
    return None if flow is None else flow > 0


def _answered(
    window: tuple[Reading, ...], later: tuple[Reading, ...], plan: Plan, rule_set: RuleSet
) -> tuple[Reading | None, int | None]:
    """The reading, and its judged SpO2, that an answer without a measurement belongs to: the one it names, else the
    latest at rest; never one that is more than `holds` older than the answer. A low one that was observed after the
    answer and came before it is answered by it too, unless a newer answer is known."""
    reading = window[-1]
    if reading.breathlessness is None or reading.context not in _AT_REST:
        return None, None
    holds, amber_at = rule_set.answer_holds, rule_set.limits(plan).amber_at
    newer = () if any(one.breathlessness is not None for one in later) else later
    low = [one for one in newer if one.spo2 is not None and judged(one, plan) <= amber_at]
    for earlier in (*reversed(low), *reversed(window)):
        if earlier.observed_at - reading.observed_at > holds:
            continue
        if reading.observed_at - earlier.observed_at > holds:
            break
        if reading.answers is not None and earlier.id != reading.answers:
            continue
        if earlier.spo2 is not None and earlier.context in _AT_REST:
            return earlier, judged(earlier, plan)
    return None, None


def _newest_at_rest(measured: Reading | None, later: tuple[Reading, ...]) -> bool:
    """Was it observed later than the answer to it, and is no resting SpO2 newer?"""
    for reading in reversed(later):
        if reading is measured:
            return True
        if reading.counts_for_spo2:
            break
    return False


def _answer_in_force(window: tuple[Reading, ...], holds: timedelta) -> Reading | None:
    observed_at = window[-1].observed_at
    for reading in reversed(window):
        if observed_at - reading.observed_at > holds:
            return None
        if reading.breathlessness is not None:
            return reading
    return None


def _news2(reading: Reading, spo2: int | None, plan: Plan, sixteen_on: date | None) -> news2.News2:
    """Of this reading's own values only: an old value is not a current one."""
    if plan.pregnant or (sixteen_on is not None and reading.observed_at.date() < sixteen_on):
        return news2.not_applicable(plan.news2_scale)
    return news2.score(
        scale=plan.news2_scale,
        respiratory_rate=reading.respiratory_rate,
        spo2=spo2 if spo2 is not None and spo2 >= USABLE_FROM else None,
        on_oxygen=None if reading.oxygen_flow is None else reading.oxygen_flow > 0,
        systolic_bp=reading.systolic_bp,
        pulse_rate=reading.pulse_rate,
        consciousness=reading.consciousness,
        temperature=reading.temperature,
    )
