"""A comparison of rule sets as tables on a terminal."""

from collections.abc import Iterator

from rich.table import Table

from alerts.figures import Side
from alerts.severity import Channel
from service.sandbox.comparison import NAMES, Comparison
from service.sandbox.report import summary


def tables(comparison: Comparison) -> Iterator[Table]:
    """What matters most, the rates by rule, and what changed."""
    yield _summary(comparison)
    yield _rates(comparison)
    if len(comparison.trials) > 1:
        yield _changed(comparison)


def _summary(comparison: Comparison) -> Table:
    table = _with_letters(Table(title="In short", title_justify="left"), comparison, "")
    for row in summary(comparison.trials):
        table.add_row(*row)
    return table


def _rates(comparison: Comparison) -> Table:
    table = Table(title="Alerts per patient-day", title_justify="left")
    table = _with_letters(table, comparison, "channel", "rule", "", "severity")
    for channel in Channel:
        rows = [row for row in comparison.rows() if row[0] == channel]
        for _, rule, severity in rows:
            rates = (f"{t.load.rate(channel=channel, rule_id=rule, severity=severity):.4f}" for t in comparison.trials)
            table.add_row(channel, rule, NAMES.get(rule, "").replace("_", " "), severity.word, *rates)
        if rows:
            totals = (f"{trial.load.rate(channel=channel):.4f}" for trial in comparison.trials)
            table.add_row(channel, "all", "", "", *totals, end_section=True)
    return table


def _changed(comparison: Comparison) -> Table:
    table = Table(title="What changed from A to B", title_justify="left")
    for name in ("rule", "", "only A", "only B", "both", "B milder", "B more severe", "B earlier", "B later"):
        table.add_column(name, justify="left" if name in ("rule", "") else "right")
    for rule, name, sides, both in comparison.changed():
        counts = (*(sides[side] for side in (Side.ONLY_A, Side.ONLY_B, Side.BOTH)), both["milder"],
                  both["more severe"], both["earlier"], both["later"])  # fmt: skip
        table.add_row(rule, name.replace("_", " "), *map(str, counts))
    return table


def _with_letters(table: Table, comparison: Comparison, *names: str) -> Table:
    for name in names:
        table.add_column(name)
    for trial in comparison.trials:
        table.add_column(trial.letter, justify="right")
    return table
