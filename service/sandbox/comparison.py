"""Rule sets side by side: the figures that the table, the picture and the files show."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from statistics import median

from alerts.figures import Compared, Event, Found, Lived, Load, Side, compare, event_of, load_of
from alerts.rule_set import RuleSet
from alerts.rules import RULES
from alerts.severity import Channel, Severity

SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
NAMES = {rule.id: rule.name for rule in RULES}

LEADS = (
    ("more than 24 h before", timedelta(hours=24), None),
    ("12 to 24 h before", timedelta(hours=12), timedelta(hours=24)),
    ("6 to 12 h before", timedelta(hours=6), timedelta(hours=12)),
    ("1 to 6 h before", timedelta(hours=1), timedelta(hours=6)),
    ("less than 1 h before", timedelta(0), timedelta(hours=1)),
    ("less than 6 h after", -timedelta(hours=6), timedelta(0)),
    ("6 h after or later", None, -timedelta(hours=6)),
)
"""Classes of lead times: over the first bound, up to and including the second."""
MISSED = "never"


@dataclass(frozen=True)
class Trial:
    """What one rule set made of all stays. `letter` is A or B."""

    letter: str
    rule_set: RuleSet
    lives: tuple[Lived, ...]

    @cached_property
    def load(self) -> Load:
        """The alarm load of all stays together."""
        return load_of(self.lives)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The true deteriorations."""
        return tuple(event for event in map(event_of, self.lives) if event is not None)

    @property
    def leads(self) -> list[timedelta]:
        """The lead times of those that were found before the true value reached red, shortest first."""
        return sorted(e.lead for e in self.events if e.lead is not None and e.found == Found.BEFORE)

    @property
    def median_lead(self) -> timedelta | None:
        """Of those found before."""
        return timedelta(seconds=median(lead.total_seconds() for lead in self.leads)) if self.leads else None

    def found(self, how: Found) -> int:
        """How many true deteriorations were found so."""
        return sum(event.found == how for event in self.events)

    def lead_classes(self) -> list[tuple[str, int]]:
        """How many lead times lie in each class, and how many deteriorations were never found."""
        leads = [event.lead for event in self.events]
        counts = [(name, sum(_within(lead, over, up_to) for lead in leads)) for name, over, up_to in LEADS]
        return [*counts, (MISSED, leads.count(None))]

    def kinds(self) -> Iterator[tuple[str, int, float, float]]:
        """By kind of patient where it is known: its stays, clinical alerts per patient-day, and its share of them."""
        total = sum(n for (channel, _, _), n in self.load.alerts.items() if channel == Channel.CLINICAL)
        for kind in sorted({life.truth.kind for life in self.lives if life.truth is not None}):
            lives = [life for life in self.lives if life.truth is not None and life.truth.kind == kind]
            load = load_of(lives)
            rate = load.rate(channel=Channel.CLINICAL)
            yield kind, len(lives), rate, rate * load.patient_days / total if total else 0.0


@dataclass(frozen=True)
class Comparison:
    """One or two trials on the same stays. `about` says in words what they were tried on."""

    about: str
    trials: tuple[Trial, ...]

    @cached_property
    def compared(self) -> tuple[Compared, ...]:
        """Every alert of A and B beside what the other made of it; empty with one rule set."""
        if len(self.trials) < 2:
            return ()
        pairs = zip(self.trials[0].lives, self.trials[1].lives, strict=True)
        return tuple(each for a, b in pairs for each in compare(a, b))

    def rows(self) -> list[tuple[Channel, str, Severity]]:
        """Every channel, rule and severity that any of them raised: clinical first, then by rule and severity."""
        found = {key for trial in self.trials for key in trial.load.alerts}
        channels = list(Channel)
        return sorted(found, key=lambda key: (channels.index(key[0]), rule_order(key[1]), -key[2]))

    def changed(self) -> list[tuple[str, str, Counter[Side], Counter[str]]]:
        """By rule that led: how many alerts only A, only B or both raised; and of both, where B is milder, more severe
        or the same, and opened earlier or later."""
        rules: dict[str, tuple[Counter[Side], Counter[str]]] = {}
        for each in self.compared:
            alert = each.a or each.b
            assert alert is not None  # noqa: S101
            sides, both = rules.setdefault(alert.rule_id, (Counter(), Counter()))
            sides[each.side] += 1
            if each.a is not None and each.b is not None:
                both["milder"] += each.b.severity < each.a.severity
                both["more severe"] += each.b.severity > each.a.severity
                both["earlier"] += each.b.opened_at < each.a.opened_at
                both["later"] += each.b.opened_at > each.a.opened_at
        return [(rule, NAMES.get(rule, ""), *rules[rule]) for rule in sorted(rules, key=rule_order)]

    def remarks(self) -> Iterator[str]:
        """What a reader should not overlook, in sentences."""
        for trial in self.trials:
            rate = trial.load.rate(channel=Channel.CLINICAL)
            kept = "within" if trial.load.within_budget else "over"
            yield (
                f"{trial.letter} is {kept} the budget: {rate:.3f} clinical alerts per patient-day. "
                f"Most come from {_named(_largest(trial))}.{_from_kinds(trial)}"
            )


def rule_order(rule_id: str) -> tuple[int, str]:
    """R2 before R10, R9 before R9b."""
    digits = "".join(character for character in rule_id if character.isdigit())
    return int(digits or 0), rule_id


def rules_that_differ(a: RuleSet, b: RuleSet) -> list[tuple[str, str, str]]:
    """The numbers in which two rule sets differ: name, in A, in B."""
    ours, theirs = a.to_mapping(), b.to_mapping()
    return [(name, _said(ours[name]), _said(theirs[name])) for name in ours if ours[name] != theirs[name]]


def hours(length: timedelta | None) -> str:
    """A lead time as it is written: 7 h 12 min."""
    if length is None:
        return "–"
    minutes = round(abs(length).total_seconds() / 60)
    sign = "-" if length < timedelta(0) else ""
    return f"{sign}{minutes // 60} h {minutes % 60:02d} min"


def quartiles(leads: Sequence[timedelta]) -> tuple[timedelta | None, timedelta | None]:
    """The lower and the upper quartile of sorted lead times."""
    if not leads:
        return None, None
    last = len(leads) - 1
    return leads[round(last * 0.25)], leads[round(last * 0.75)]


def _said(value: object) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, list) else str(value)


def _within(lead: timedelta | None, over: timedelta | None, up_to: timedelta | None) -> bool:
    return lead is not None and (over is None or lead > over) and (up_to is None or lead <= up_to)


def _largest(trial: Trial) -> list[tuple[str, float]]:
    rules = {rule for channel, rule, _ in trial.load.alerts if channel == Channel.CLINICAL}
    rates = [(rule, trial.load.rate(channel=Channel.CLINICAL, rule_id=rule)) for rule in rules]
    return sorted(rates, key=lambda item: (-item[1], rule_order(item[0])))[:3]


def _named(largest: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{rule} {NAMES.get(rule, '')} ({rate:.3f})" for rule, rate in largest) or "no rule"


def _from_kinds(trial: Trial) -> str:
    most = sorted(trial.kinds(), key=lambda kind: -kind[2])[:3]
    if not most:
        return ""
    said = ", ".join(f"{kind.replace('_', ' ')} {rate:.2f}" for kind, _, rate, _ in most)
    return f" Per patient-day most are raised for these kinds of patient: {said}."
