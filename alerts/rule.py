"""What a rule is, what it can say about a case, and what follows from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from alerts.case import Case, Placement
from alerts.reading import LATE_AFTER
from alerts.rule_set import DEFAULT
from alerts.severity import Family, Severity

Value = float | int | str | None

MEASURED_LOW, NAMED_LOW = ("R1", "R2"), ("R3", "R4")
LOW_OXYGEN = (*MEASURED_LOW, *NAMED_LOW)
"""The rules that speak of one low SpO2: red or amber, and what it is called beside the answer about breathlessness."""


class Awaited(StrEnum):
    """What has to come before a wait runs out."""

    RECHECK = "recheck"
    """A valid resting SpO2."""
    CLEARING = "clearing"
    """Two clearing readings; nothing less ends it."""
    VALID_SPO2 = "valid_spo2"
    """A resting SpO2 that is usable as a value."""
    ANSWER = "answer"
    """An answer about breathlessness."""


class Input(NamedTuple):
    """One value a rule looked at, and where it came from. A named tuple, as a limit is: a receipt holds dozens."""

    name: str
    value: Value
    unit: str
    reading_id: str | None
    observed_at: datetime | None


class Limit(NamedTuple):
    """One limit a rule compared it with."""

    name: str
    value: Value
    unit: str


def no_inputs(_case: Case) -> tuple[Input, ...]:
    """For a rule that looks at no value."""
    return ()


def no_limits(_case: Case) -> tuple[Limit, ...]:
    """For a rule that compares with no number."""
    return ()


def spo2_input(case: Case) -> Input:
    """The judged SpO2 of the reading itself, in percent."""
    return Input("spo2", case.spo2, "%", case.reading.id, case.reading.observed_at)


class Wait(NamedTuple):
    """What an alert waits for, and what follows at `due_at` if it has not come: rule `key` rises to
    `severity`, is confirmed if `confirms`, or rule `raises` begins on the evidence of the `inputs`."""

    key: str
    awaits: Awaited
    due_at: datetime
    severity: Severity | None
    confirms: bool = False
    raises: str | None = None
    inputs: tuple[Input, ...] = ()


class Say(StrEnum):
    """What a rule says about a case when it does not fire, as far as clearing is concerned."""

    CLEARS = "clears"
    """The condition is not met, with its margin: counts towards clearing."""
    HOLDS = "holds"
    """Not met, yet not clear either: clearing begins again."""
    NEUTRAL = "neutral"
    """Nothing to go by."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule that did not fire, and why."""

    say: Say
    reason: str


CLEAR = Silent(Say.CLEARS, "not_met")
WITHIN_MARGIN = Silent(Say.HOLDS, "within_margin")
NOT_ENOUGH = Silent(Say.HOLDS, "not_often_enough")
OTHER_RULE = Silent(Say.HOLDS, "another_rule_applies")
NOT_GIVEN = Silent(Say.NEUTRAL, "value_not_given")
NOT_APPLICABLE = Silent(Say.NEUTRAL, "not_applicable")
NOT_IN_PLAN = Silent(Say.NEUTRAL, "not_in_plan")
NOT_AT_REST = Silent(Say.NEUTRAL, "not_at_rest")
TOO_LOW_TO_USE = Silent(Say.NEUTRAL, "too_low_to_use")
NOT_VALID = Silent(Say.NEUTRAL, "not_valid")
TOO_FEW_READINGS = Silent(Say.NEUTRAL, "too_few_readings")
SWITCHED_OFF = Silent(Say.NEUTRAL, "switched_off")
DECIDED_BY_TIME = Silent(Say.NEUTRAL, "decided_by_time")
ANSWER_ALONE = Silent(Say.NEUTRAL, "answer_without_measurement")


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired: how severe, what it waits for, and the family of the alert it is attached to, if
    any."""

    severity: Severity
    waits: tuple[Wait, ...] = ()
    attached_to: Family | None = None


Verdict = Fired | Silent


@dataclass(frozen=True, slots=True)
class Clearing:
    """How a rule that fired is cleared: `count` readings that do not meet it, first and last at least `gap`
    apart.

    `any_context`: readings that are poor or not at rest count too. `by_receipt`: that something
    arrives is what clears it, also late or observed before the breach. `by_human`: no reading ever clears it.
    `transient_gap`: while unconfirmed, two such readings this far apart lower it to medium, "transient".
    """

    count: int = 2
    gap: timedelta = timedelta(minutes=15)
    any_context: bool = False
    by_receipt: bool = False
    by_human: bool = False
    transient_gap: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of the clinic. `judge` decides; `inputs` and `limits` are what it compared, whether it fired
    or not; `says` words a finding. `source` is the clinical authority. `rank` orders names of equal
    severity.

    `repeats`: it opens unconfirmed and a second reading (or time) confirms it, raising it to
    `confirmed_severity`. Any other rule is confirmed by its first good reading, or its first of all unless
    it `needs_signal`.
    """

    id: str
    name: str
    family: Family
    source: str
    judge: Callable[[Case], Verdict]
    inputs: Callable[[Case], tuple[Input, ...]] = no_inputs
    limits: Callable[[Case], tuple[Limit, ...]] = no_limits
    says: Callable[["Finding"], str]
    aspect: str = ""
    clearing: Clearing = Clearing()
    repeats: bool = False
    needs_signal: bool = True
    confirmed_severity: Severity | None = None
    rank: int = 0
    version: int = 1
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.id}:{self.aspect}" if self.aspect else self.id)


class Finding(NamedTuple):
    """One rule's result for one reading. `late_by` is how old the reading was at receipt, None where no reading was
    judged; `carried` marks an earlier SpO2 judged again with a new answer; `attached` a finding that only adds its
    text."""

    rule: Rule
    family: Family
    severity: Severity
    reading_id: str | None
    inputs: tuple[Input, ...]
    limits: tuple[Limit, ...]
    waits: tuple[Wait, ...] = ()
    placement: Placement = Placement.LIVE
    late_by: timedelta | None = None
    carried: bool = False
    attached: bool = False
    rule_set_version: str = DEFAULT.version

    @property
    def rule_id(self) -> str:
        """R1, R2 …"""
        return self.rule.id

    @property
    def name(self) -> str:
        """The rule's name in lower case, such as silent_hypoxia."""
        return self.rule.name

    @property
    def aspect(self) -> str:
        """The parameter, for a rule that judges several one by one; else empty."""
        return self.rule.aspect

    @property
    def source(self) -> str:
        """The clinical authority."""
        return self.rule.source

    def value(self, name: str) -> Value:
        """The value of an input or a limit by its name; None when the finding has none of that name."""
        items: tuple[Input | Limit, ...] = (*self.inputs, *self.limits)
        for item in items:
            if item.name == name:
                return item.value
        return None


def explain(finding: Finding) -> str:
    """The finding in words for the clinical team. A late value never stands without its age."""
    text = finding.rule.says(finding)
    if finding.late_by is not None and finding.late_by > LATE_AFTER:
        text += f" Taken {_hours(finding.late_by)} before it arrived."
    if finding.placement == Placement.STALE:
        text += " Nothing newer is known: call the patient."
    if finding.placement == Placement.RETROSPECTIVE:
        text += " Newer readings were already known."
    return text


def spoken(value: Value) -> str:
    """A value as it is written in a sentence: no needless decimals, words for words."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _hours(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min"
