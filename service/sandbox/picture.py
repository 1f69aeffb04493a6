"""A comparison of rule sets as a picture: an SVG that can be read without colour.

Rule sets are told apart by their letter beside each bar, severities by hatching; colours (blue and vermilion, which
people with any colour vision tell apart) only help."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from alerts.figures import BUDGET
from alerts.severity import Channel, Severity
from service.sandbox.comparison import NAMES, SEVERITIES, Comparison, Trial, rule_order

WIDTH, LEFT, RIGHT = 960, 270, 90
BAR, GAP, ROW_GAP = 14, 3, 10
INKS = ("#0072b2", "#d55e00")

_Bars = Sequence[tuple[Severity | None, float]]


@dataclass(slots=True)
class _Sheet:
    """What is drawn so far; `y` is where the next thing goes."""

    parts: list[str]
    y: float = 0.0

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, bold: bool = False
    ) -> None:
        """Words at a place."""
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'
        )

    def heading(self, words: str) -> None:
        """A heading of a panel."""
        self.y += 34
        self.text(20, self.y, words, size=16, bold=True)
        self.y += 12


def draw(comparison: Comparison) -> str:
    """The picture, as the text of an SVG file."""
    sheet = _Sheet([])
    sheet.y = 30
    sheet.text(20, sheet.y, "Alerts per patient-day, and how early they come", size=20, bold=True)
    for trial, ink in zip(comparison.trials, INKS, strict=False):
        sheet.y += 20
        sheet.parts.append(f'<rect x="20" y="{sheet.y - 11:.1f}" width="22" height="12" fill="{ink}"/>')
        sheet.text(48, sheet.y, f"{trial.letter}  rule set {trial.rule_set.version}")
    _legend(sheet, min(len(comparison.trials), len(INKS)))
    _totals(sheet, comparison)
    _rules(sheet, comparison)
    if any(trial.events for trial in comparison.trials):
        _leads(sheet, comparison)
    height = sheet.y + 30
    title = "Alerts per patient-day by rule and severity for each rule set, and the lead time before the true red value"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
            f'aria-labelledby="title" font-family="sans-serif" fill="#1a1a1a">',
            f'<title id="title">{title}</title>',
            _patterns(),
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
            *sheet.parts,
            "</svg>\n",
        )
    )


def _patterns() -> str:
    """A hatching for each rule set and severity: solid, close lines, wide lines, dots."""
    return "<defs>" + "".join(p for place, ink in enumerate(INKS) for p in _hatchings(place, ink)) + "</defs>"


def _hatchings(place: int, ink: str) -> Iterator[str]:
    for severity, inside in (
        (Severity.HIGH, f'<path d="M0 6L6 0M-1 1L1 -1M5 7L7 5" stroke="{ink}" stroke-width="3"/>'),
        (Severity.MEDIUM, f'<path d="M3 0V6" stroke="{ink}" stroke-width="1.2"/>'),
        (Severity.LOW, f'<circle cx="3" cy="3" r="0.9" fill="{ink}"/>'),
    ):
        yield (
            f'<pattern id="{severity.word}{place}" width="6" height="6" patternUnits="userSpaceOnUse">'
            f'<rect width="6" height="6" fill="#ffffff"/>{inside}</pattern>'
        )


def _fill(severity: Severity | None, place: int) -> str:
    return INKS[place] if severity in (None, Severity.CRITICAL) else f"url(#{severity.word}{place})"


def _legend(sheet: _Sheet, trials: int) -> None:
    sheet.y += 26
    x = 20.0
    for severity in SEVERITIES:
        for place in range(trials):
            sheet.parts.append(_rect(x, sheet.y - 11, 22, 12, severity, place))
            x += 24
        sheet.text(x + 4, sheet.y, severity.word)
        x += 90


def _totals(sheet: _Sheet, comparison: Comparison) -> None:
    sheet.heading("All clinical alerts per patient-day")
    rates = [_by_severity(trial, Channel.CLINICAL, None) for trial in comparison.trials]
    scale = _scale([BUDGET * 1.15, *(_sum(bars) for bars in rates)])
    _row(sheet, "clinical, all rules", rates, scale, "{:.3f}")
    x = LEFT + BUDGET * scale
    sheet.parts.append(f'<path d="M{x:.1f} {sheet.y - 7:.1f}V{sheet.y + 2:.1f}" stroke="#1a1a1a" stroke-width="2"/>')
    sheet.text(x, sheet.y + 13, f"budget {BUDGET}", anchor="middle", size=12)
    sheet.y += 14


def _rules(sheet: _Sheet, comparison: Comparison) -> None:
    sheet.heading("By rule (its own scale)")
    rules = sorted({(channel, rule) for channel, rule, _ in comparison.rows()}, key=_place_of)
    rows = [(c, rule, [_by_severity(trial, c, rule) for trial in comparison.trials]) for c, rule in rules]
    scale = _scale([_sum(bars) for _, _, rates in rows for bars in rates])
    for channel, rule, rates in rows:
        desk = "" if channel == Channel.CLINICAL else f" ({channel})"
        _row(sheet, f"{rule} {NAMES.get(rule, '').replace('_', ' ')}{desk}", rates, scale, "{:.3f}")


def _leads(sheet: _Sheet, comparison: Comparison) -> None:
    sheet.heading("First HIGH or CRITICAL, seen from the instant the true value reached red (patients)")
    classes = [trial.lead_classes() for trial in comparison.trials]
    scale = _scale([float(count) for counts in classes for _, count in counts])
    for place, (name, _) in enumerate(classes[0]):
        _row(sheet, name, [[(None, float(counts[place][1]))] for counts in classes], scale, "{:.0f}")


def _row(sheet: _Sheet, label: str, rates: Sequence[_Bars], scale: float, written: str) -> None:
    """One label and a bar for each rule set, with its letter before and its figure behind it."""
    height = len(rates) * (BAR + GAP)
    sheet.text(20, sheet.y + height / 2 + 4, label)
    for place, bars in enumerate(rates):
        x, y = float(LEFT), sheet.y + place * (BAR + GAP)
        sheet.text(LEFT - 14, y + BAR - 3, "AB"[place], size=11)
        for severity, value in bars:
            if value:
                sheet.parts.append(_rect(x, y, value * scale, BAR, severity, place))
                x += value * scale
        sheet.text(x + 5, y + BAR - 3, written.format(_sum(bars)), size=11)
    sheet.y += height + ROW_GAP


def _rect(x: float, y: float, width: float, height: float, severity: Severity | None, place: int) -> str:
    fill = _fill(severity, place)
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.0f}" fill="{fill}" '
        f'stroke="{INKS[place]}" stroke-width="1"/>'
    )


def _by_severity(trial: Trial, channel: Channel, rule: str | None) -> _Bars:
    return [(severity, trial.load.rate(channel=channel, rule_id=rule, severity=severity)) for severity in SEVERITIES]


def _sum(bars: _Bars) -> float:
    return sum(value for _, value in bars)


def _scale(values: Sequence[float]) -> float:
    """Pixels for one unit, so that the longest bar and its figure have room."""
    longest = max(values, default=0.0)
    return (WIDTH - LEFT - RIGHT) / longest if longest else 1.0


def _place_of(row: tuple[Channel, str]) -> tuple[int, tuple[int, str]]:
    return list(Channel).index(row[0]), rule_order(row[1])
