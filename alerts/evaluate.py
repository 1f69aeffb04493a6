"""One reading put to every rule: what was found, and why the other rules said nothing."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from alerts.case import Case, Placement, build
from alerts.limits import DAILY
from alerts.news2 import News2
from alerts.plan import Plan
from alerts.reading import LATE_AFTER, STALE_AFTER, Reading
from alerts.rule import LOW_OXYGEN, SWITCHED_OFF, Awaited, Finding, Fired, Rule, Verdict
from alerts.rule_set import DEFAULT, RuleSet
from alerts.rules import RULES
from alerts.severity import Severity

ASK_BREATHLESSNESS = "breathlessness"
_LIVE = Placement.LIVE


class Evaluation(NamedTuple):
    """`findings` are the rules that fired, `verdicts` what each rule of the rule set said, in the order of
    RULES."""

    case: Case
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]

    @property
    def reading(self) -> Reading:
        """The reading judged."""
        return self.case.reading

    @property
    def placement(self) -> Placement:
        """Where it stands among the readings of the stay."""
        return self.case.placement

    @property
    def late(self) -> bool:
        """It took more than an hour to arrive."""
        return self.case.now - self.case.reading.observed_at > LATE_AFTER

    @property
    def judged_spo2(self) -> int | None:
        """The SpO2 in whole percent as it was judged; None when the reading has none."""
        return self.case.spo2

    @property
    def news2(self) -> News2:
        """Of this reading's own values."""
        return self.case.news2

    @property
    def severity(self) -> Severity | None:
        """The worst finding, None when nothing was found."""
        return max((finding.severity for finding in self.findings), default=None)

    @property
    def ask(self) -> tuple[str, ...]:
        """The questions that go back with the answer to the reading."""
        unanswered = self.placement == Placement.LIVE and any(f.rule_id == "R4" for f in self.findings)
        return (ASK_BREATHLESSNESS,) if unanswered else ()

    @property
    def recheck_by(self) -> datetime | None:
        """When the next measurement is due at the latest, if one is asked for."""
        waits = (wait for finding in self.findings for wait in finding.waits)
        return min((wait.due_at for wait in waits if wait.awaits != Awaited.ANSWER), default=None)


def evaluate(
    window: tuple[Reading, ...],
    plan: Plan,
    now: datetime,
    *,
    placement: Placement = Placement.LIVE,
    in_order: bool = True,
    sixteen_on: date | None = None,
    rule_set: RuleSet = DEFAULT,
    zone: str = DAILY.zone,
    rest_is_newest: bool = True,
    later: tuple[Reading, ...] = (),
) -> Evaluation:
    """Judge `window[-1]`, received `now`, knowing the readings observed before it (ascending, some 48 h of
    them).

    `in_order`: nothing newer had been judged before it, so it may confirm and clear. `sixteen_on`: the date
    of the sixteenth birthday, None for adults; `zone` the ward's; `rest_is_newest`: no resting SpO2 is known that was
    observed later; `later`: what is known that was, ascending. Raises IndexError on an empty window, ValueError on NaN.
    """
    case = build(window, plan, now, placement, in_order, sixteen_on, rule_set, zone, rest_is_newest, later)
    verdicts = tuple([judge(case) for judge in _judges(rule_set.off)])
    findings = tuple(
        [_finding(rule, verdict, case) for rule, verdict in zip(RULES, verdicts, strict=True) if type(verdict) is Fired]
    )
    return Evaluation(case, verdicts, findings)


@cache
def _judges(off: tuple[str, ...]) -> tuple[Callable[[Case], Verdict], ...]:
    """How each rule judges, in the order of RULES; those that are switched off say so."""
    return tuple([_switched_off if rule.id in off else rule.judge for rule in RULES])


def _switched_off(_case: Case) -> Verdict:
    return SWITCHED_OFF


def _finding(rule: Rule, fired: Fired, case: Case) -> Finding:
    reading, placement = case.reading, _place(rule, case)
    # By position, as a case: in the order of the fields.
    return Finding(
        rule,
        fired.attached_to or rule.family,
        _in_its_place(rule, fired.severity, placement),
        reading.id,
        rule.inputs(case),
        rule.limits(case),
        fired.waits if placement == _LIVE else (),
        placement,
        case.now - reading.observed_at,
        case.carried and rule.id in LOW_OXYGEN,
        fired.attached_to is not None,
        case.rule_set.version,
    )


def _place(rule: Rule, case: Case) -> Placement:
    """What only a person can close no newer reading overtakes: for a day it is judged live (design decision, needs CSO
    sign-off). A pulse or a good SpO2 of a minute later says nothing about a collapse. And what an answer says of a low
    SpO2 is overtaken by another resting SpO2 alone, as the value itself is."""
    if case.placement != Placement.RETROSPECTIVE or case.now - case.reading.observed_at > STALE_AFTER:
        return case.placement
    if rule.clearing.by_human or (case.carried and case.rest_is_newest and rule.id in LOW_OXYGEN):
        return _LIVE
    return case.placement


def _in_its_place(rule: Rule, severity: Severity, placement: Placement) -> Severity:
    """Newer readings are known: critical becomes high, the rest low. Older than 24 h: a low oxygen value is
    high whatever its colour, and nothing is more than high (design decision, needs CSO sign-off)."""
    if placement == _LIVE:
        return severity
    if placement == Placement.STALE:
        return Severity.HIGH if rule.id in LOW_OXYGEN else min(severity, Severity.HIGH)
    return Severity.HIGH if severity == Severity.CRITICAL else Severity.LOW
