"""A comparison of rule sets as a document."""

from collections.abc import Iterable, Iterator, Sequence

from alerts.figures import BUDGET, Found, Side
from alerts.severity import Channel
from service.sandbox.comparison import NAMES, SEVERITIES, Comparison, Trial, hours, quartiles, rules_that_differ


def markdown(comparison: Comparison, picture: str) -> str:
    """The comparison as a document; `picture` is the file name of its picture."""
    parts = [
        "# A rule set tried out",
        "Written by `wardwatch replay`; do not edit. `docs/sandbox.md` says how each figure is counted.",
        comparison.about,
        *_rule_sets(comparison),
        f"![Alerts per patient-day by rule, and how long before the true red value somebody was called]({picture})",
        "## In short",
        *_summary(comparison),
        *(f"* {remark}" for remark in comparison.remarks()),
        "## Alerts per patient-day",
        *_rates(comparison),
        *_events(comparison),
        *_kinds(comparison),
        *_changed(comparison),
    ]
    return "\n\n".join(_joined(parts)) + "\n"


def _joined(parts: Iterable[str]) -> Iterator[str]:
    """Lines of one list or table stand together, everything else apart."""
    block: list[str] = []
    for part in parts:
        if not part.startswith(("|", "* ")) or (block and block[-1][0] != part[0]):
            if block:
                yield "\n".join(block)
            block = []
        if part.startswith(("|", "* ")):
            block.append(part)
        else:
            yield part
    if block:
        yield "\n".join(block)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"


def _rule_sets(comparison: Comparison) -> Iterator[str]:
    for trial in comparison.trials:
        yield f"* {trial.letter}: rule set `{trial.rule_set.version}`"
    if len(comparison.trials) > 1:
        a, b = (trial.rule_set for trial in comparison.trials)
        yield from _table(("number", "A", "B"), [row for row in rules_that_differ(a, b) if row[0] != "version"])


def _summary(comparison: Comparison) -> Iterator[str]:
    trials = comparison.trials
    yield from _table(("", *(trial.letter for trial in trials)), summary(trials))


def summary(trials: Sequence[Trial]) -> list[list[str]]:
    """What matters most: rows of a name and a figure for each rule set."""
    clinical = Channel.CLINICAL
    rows = [
        ["patient-days", *(f"{trial.load.patient_days:.0f}" for trial in trials)],
        ["readings", *(str(trial.load.readings) for trial in trials)],
        ["readings refused", *(str(trial.load.refused) for trial in trials)],
        [
            f"clinical alerts per patient-day (budget {BUDGET})",
            *(f"{trial.load.rate(channel=clinical):.3f}" for trial in trials),
        ],
        *(
            [f"of these {severity.word}", *(f"{t.load.rate(channel=clinical, severity=severity):.3f}" for t in trials)]
            for severity in SEVERITIES
        ),
        [
            "clinical calls per patient-day (re-alarms count)",
            *(f"{trial.load.call_rate(channel=clinical):.3f}" for trial in trials),
        ],
    ]
    return rows if not any(trial.events for trial in trials) else [*rows, *_found(trials)]


def _found(trials: Sequence[Trial]) -> Iterator[list[str]]:
    yield ["true deteriorations", *(str(len(trial.events)) for trial in trials)]
    yield [
        "HIGH or CRITICAL before the true value reached red",
        *(f"{t.found(Found.BEFORE)} ({t.found(Found.BEFORE) / max(1, len(t.events)):.0%})" for t in trials),
    ]
    yield ["only afterwards", *(str(trial.found(Found.AFTER)) for trial in trials)]
    yield ["missed", *(str(trial.found(Found.MISSED)) for trial in trials)]
    yield ["median lead time of those before", *(hours(trial.median_lead) for trial in trials)]
    spans = [quartiles(trial.leads) for trial in trials]
    yield ["middle half of the lead times", *(f"{hours(low)} to {hours(high)}" for low, high in spans)]


def _rates(comparison: Comparison) -> Iterator[str]:
    trials = comparison.trials
    head = ("channel", "rule", "", "severity", *(trial.letter for trial in trials))
    rows = [
        (
            channel,
            rule,
            NAMES.get(rule, "").replace("_", " "),
            severity.word,
            *(f"{trial.load.rate(channel=channel, rule_id=rule, severity=severity):.4f}" for trial in trials),
        )
        for channel, rule, severity in comparison.rows()
    ]
    totals = [
        (channel, "**all**", "", "", *(f"**{trial.load.rate(channel=channel):.4f}**" for trial in trials))
        for channel in Channel
    ]
    yield from _table(head, [*rows, *totals])


def _events(comparison: Comparison) -> Iterator[str]:
    trials = comparison.trials
    if not any(trial.events for trial in trials):
        return
    yield "## When somebody was called, from the first HIGH or CRITICAL to the true red value"
    classes = [trial.lead_classes() for trial in trials]
    rows = [(name, *(counts[place][1] for counts in classes)) for place, (name, _) in enumerate(classes[0])]
    yield from _table(("lead time", *(trial.letter for trial in trials)), rows)


def _kinds(comparison: Comparison) -> Iterator[str]:
    first = list(comparison.trials[0].kinds())
    if not first:
        return
    yield "## By kind of patient"
    rates = [{kind: (rate, share) for kind, _, rate, share in trial.kinds()} for trial in comparison.trials]
    head = ("kind", "stays", *(f"{trial.letter}: per patient-day, share" for trial in comparison.trials))
    rows = [
        (kind.replace("_", " "), stays, *(f"{found[kind][0]:.3f}, {found[kind][1]:.0%}" for found in rates))
        for kind, stays, _, _ in first
    ]
    yield from _table(head, rows)


def _changed(comparison: Comparison) -> Iterator[str]:
    if len(comparison.trials) < 2:
        return
    yield "## What changed from A to B"
    head = ("rule", "", "only A", "only B", "both", "B milder", "B more severe", "B earlier", "B later")
    yield from _table(
        head,
        (
            (
                rule, name.replace("_", " "), sides[Side.ONLY_A], sides[Side.ONLY_B], sides[Side.BOTH],
                both["milder"], both["more severe"], both["earlier"], both["later"],
            )
            for rule, name, sides, both in comparison.changed()
        ),
    )  # fmt: skip
