"""Draw the life cycle of an alert from its table: `python -m tests.documents.life_cycle` writes the picture and the
table of docs/alert-life-cycle.md anew."""

from collections import defaultdict
from html import escape
from pathlib import Path

from alerts.episode import State
from alerts.transitions import TRANSITIONS

DOCS = Path(__file__).parents[2] / "docs"
PICTURE, PAGE = DOCS / "alert-life-cycle.svg", DOCS / "alert-life-cycle.md"
BEGIN, END = "<!-- drawn from alerts/transitions.py -->", "<!-- end -->"

NONE = "none"
Box = tuple[int, int, int, int]
BOXES: dict[str, Box] = {
    NONE: (20, 250, 90, 50),
    State.OPEN: (270, 150, 210, 250),
    State.ACKNOWLEDGED: (660, 20, 230, 235),
    State.RECOVERED: (660, 400, 230, 165),
    State.RESOLVED: (1080, 250, 100, 50),
}
"""Where each state stands: left, top, width, height."""

LINES: dict[tuple[str, str], tuple[int, int, int, int, int, int]] = {
    (NONE, State.OPEN): (110, 275, 270, 275, 190, 262),
    (State.OPEN, State.ACKNOWLEDGED): (480, 185, 660, 85, 545, 118),
    (State.ACKNOWLEDGED, State.OPEN): (660, 160, 480, 235, 600, 216),
    (State.OPEN, State.RECOVERED): (480, 360, 660, 465, 545, 432),
    (State.RECOVERED, State.OPEN): (660, 425, 480, 315, 606, 352),
    (State.RECOVERED, State.ACKNOWLEDGED): (775, 400, 775, 255, 822, 328),
    (State.OPEN, State.RESOLVED): (480, 275, 1080, 275, 930, 292),
    (State.ACKNOWLEDGED, State.RESOLVED): (890, 140, 1120, 250, 1030, 170),
    (State.RECOVERED, State.RESOLVED): (890, 475, 1120, 300, 1030, 415),
    (State.RESOLVED, State.OPEN): (1150, 300, 375, 400, 560, 604),
}
"""Each arrow: from x, y to x, y, and the middle of its label. The last one goes round below."""


def arrows() -> dict[tuple[str, str], list[str]]:
    """The labels of each arrow, and of what leaves a state as it is."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (before, trigger), (after, number) in TRANSITIONS.items():
        found[before or NONE, after].append(f"{number} {trigger.replace('_', ' ')}")
    return found


def picture() -> str:
    """The SVG; raises KeyError for a state or an arrow that has no place yet."""
    labels = arrows()
    parts = [_arrow(ends, labels[ends]) for ends in labels if ends[0] != ends[1]]
    parts += [_box(state, labels.get((state, state), [])) for state in BOXES]
    return "\n".join([_HEAD, *parts, "</svg>", ""])


_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 640" role="img" aria-labelledby="t d" \
font-family="system-ui, sans-serif" font-size="12">
<title id="t">The life cycle of an alert</title>
<desc id="d">The states none, open, acknowledged, recovered and resolved, and every step between them with its \
number. The table below the picture says the same in words.</desc>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" \
orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="#425563"/></marker></defs>
<rect width="1200" height="640" rx="8" fill="#fff"/>"""


def _box(state: str, stays: list[str]) -> str:
    left, top, width, height = BOXES[state]
    lines = [f'<text x="{left + width / 2:g}" y="{top + 28}" text-anchor="middle" font-size="15" font-weight="600">']
    text = [f"{lines[0]}{escape(state)}</text>"]
    text += [f'<text x="{left + 16}" y="{top + 52 + 17 * n}">{escape(each)}</text>' for n, each in enumerate(stays)]
    dash = ' stroke-dasharray="4 3"' if state == NONE else ""
    box = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="6" fill="#e8edee" stroke="#425563"{dash}/>'
    return "\n".join([f'<g fill="#212b32">{box}', *text, "</g>"])


def _arrow(ends: tuple[str, str], labels: list[str]) -> str:
    x1, y1, x2, y2, x, y = LINES[ends]
    round_below = ends == (State.RESOLVED, State.OPEN)
    way = f"M{x1} {y1} C{x1} 640 {x2} 640 {x2} {y2}" if round_below else f"M{x1} {y1} L{x2} {y2}"
    top = y - 14 * (len(labels) - 1) / 2
    # Twice: a white edge first, then the words, for not every viewer knows how to paint both in that order.
    text = [
        f'<text x="{x}" y="{top + 14 * n:g}" text-anchor="middle" {paint}>{escape(each)}</text>'
        for n, each in enumerate(labels)
        for paint in ('fill="#fff" stroke="#fff" stroke-width="4"', 'fill="#212b32"')
    ]
    line = f'<path d="{way}" fill="none" stroke="#425563" marker-end="url(#head)"/>'
    return "\n".join([line, *text])


def table() -> str:
    """Every step in words, by number."""
    by_number = sorted(TRANSITIONS.items(), key=lambda item: int(item[1][1][1:]))
    rows = [
        f"| {number} | {before or NONE} | {trigger.replace('_', ' ')} | {after} |"
        for (before, trigger), (after, number) in by_number
    ]
    return "\n".join(["| id | from | step | to |", "|---|---|---|---|", *rows])


def page(before: str) -> str:
    """The page with its table written anew."""
    head, _, rest = before.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PICTURE.write_text(picture())
    PAGE.write_text(page(PAGE.read_text()))
