"""A comparison of rule sets as tables for a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from alerts.figures import Side, load_of
from service.fields import utc_text
from service.sandbox.comparison import NAMES, Comparison

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


def stays(comparison: Comparison) -> Iterator[tuple[Cell, ...]]:
    """Every stay under each rule set: how long, how much came, and its alerts: few people make most of them."""
    for trial in comparison.trials:
        for life in trial.lives:
            lived, counted = life.replayed, load_of([life]).alerts
            said = [f"{rule} {severity.word} {n}" for (_, rule, severity), n in sorted(counted.items(), key=str)]
            yield (
                trial.letter, life.stay_id, "" if life.truth is None else life.truth.kind, round(life.days, 3),
                lived.readings, lived.refused, len(lived.raised), len(lived.calls), "; ".join(said),
            )  # fmt: skip


STAYS_HEAD = ("rule_set", "stay", "kind", "days", "readings", "refused", "alerts", "calls", "by_rule")


def write_tables(comparison: Comparison, prefix: Path) -> list[Path]:
    """Write the tables beside each other: PREFIX-rates.csv, -stays.csv, -alerts.csv and -events.csv."""
    letters = [trial.letter for trial in comparison.trials]
    figures = [f"{name}_{letter}" for letter in letters for name in ("alerts", "per_patient_day", "calls_per_day")]
    tables = (
        ("rates", ("channel", "rule", "name", "severity", *figures), rates(comparison)),
        ("stays", STAYS_HEAD, stays(comparison)),
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
