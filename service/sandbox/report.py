"""A comparison of rule sets as a document and as tables for a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from alerts.figures import BUDGET, Found, Side
from alerts.severity import Channel
from service.fields import utc_text
from service.sandbox.comparison import (
    NAMES,
    SEVERITIES,
    Comparison,
    Trial,
    hours,
    quartiles,
    rules_that_differ,
)

Cell = str | float | int | None
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """A text no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def write_csv(file: Path, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a table; texts are made harmless, numbers stay numbers."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(head)
        writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def rates(comparison: Comparison) -> Iterator[tuple[Cell, ...]]:
    """Channel, rule, name, severity, and for each rule set alerts, alerts and calls per patient-day."""
    for channel, rule, severity in comparison.rows():
        figures: list[Cell] = []
        for trial in comparison.trials:
            key = {"channel": channel, "rule_id": rule, "severity": severity}
            load = trial.load
            figures += (
                load.alerts[channel, rule, severity],
                round(load.rate(**key), 4),  # type: ignore[arg-type]
                round(load.call_rate(**key), 4),  # type: ignore[arg-type]
            )
        yield str(channel), rule, NAMES.get(rule, ""), severity.word, *figures


def alerts(comparison: Comparison) -> Iterator[tuple[Cell, ...]]:
    """Every alert: rule set, stay, family, rule, severity, when it opened and closed, calls, and who else raised it."""
    sides = {id(alert): each.side for each in comparison.compared for alert in (each.a, each.b) if alert is not None}
    for trial in comparison.trials:
        for life in trial.lives:
            for alert in life.replayed.raised:
                yield (
                    trial.letter, life.stay_id, str(alert.family), alert.rule_id, alert.severity.word,
                    utc_text(alert.opened_at), None if alert.closed_at is None else utc_text(alert.closed_at),
                    alert.calls, " ".join(alert.rule_ids), str(sides.get(id(alert), Side.BOTH if comparison.compared
                    else "")),
                )  # fmt: skip


def events(comparison: Comparison) -> Iterator[tuple[Cell, ...]]:
    """Every true deterioration under each rule set, with its lead time in minutes."""
    for trial in comparison.trials:
        for event in trial.events:
            lead = None if event.lead is None else round(event.lead.total_seconds() / 60)
            called = None if event.called_at is None else utc_text(event.called_at)
            yield (
                trial.letter, event.stay_id, event.kind, utc_text(event.falls_from), utc_text(event.red_from), called,
                lead, str(event.found),
            )  # fmt: skip


def write_tables(comparison: Comparison, prefix: Path) -> list[Path]:
    """Write the tables beside each other: PREFIX-rates.csv, PREFIX-alerts.csv, PREFIX-events.csv."""
    letters = [trial.letter for trial in comparison.trials]
    figures = [f"{name}_{letter}" for letter in letters for name in ("alerts", "per_patient_day", "calls_per_day")]
    tables = (
        ("rates", ("channel", "rule", "name", "severity", *figures), rates(comparison)),
        ("alerts", ("rule_set", "stay", "family", "rule", "severity", "opened_at", "closed_at", "calls", "rules",
                    "raised_by"), alerts(comparison)),
        ("events", ("rule_set", "stay", "kind", "falls_from", "red_from", "called_at", "lead_minutes", "found"),
         events(comparison)),
    )  # fmt: skip
    written = []
    for name, head, rows in tables:
        file = prefix.with_name(f"{prefix.name}-{name}.csv")
        write_csv(file, head, rows)
        written.append(file)
    return written


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
