"""What the demo shows: a live board on a terminal, plain lines elsewhere."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.sandbox.driver import LAST_EVENTS, Played

STYLES = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}
"""Beside the word, never instead of it."""

EXPLAINED = 3
"""Of how many of the newest alerts the board says why they are there."""


class Board:
    """Remembers the last events, and draws."""

    def __init__(self, played: Played) -> None:
        self._played = played
        self._last: deque[dict[str, Any]] = deque(maxlen=LAST_EVENTS)

    def take_events(self) -> Iterator[dict[str, Any]]:
        """The events that are new since the last time."""
        while self._played.new_events:
            event = self._played.new_events.popleft()
            self._last.append(event)
            yield event

    def draw(self, now: datetime) -> RenderableType:
        """The board at a clinical time."""
        for _ in self.take_events():
            pass
        table = Table(title="Last alert events", title_justify="left", expand=True, box=None)
        for name in ("clinical time", "event", "severity", "alert", "patient"):
            table.add_column(name, no_wrap=True)
        for event in self._last:
            severity = event["data"]["severity"]
            table.add_row(
                clock_time(event["at"]),
                event["type"],
                Text(severity, style=STYLES[severity]),
                f"{event['data']['title']} ({event['data']['family']})",
                self._name(event),
            )
        opened = [event for event in self._last if "explanation" in event][-EXPLAINED:]
        why = Text("\n".join(f"{self._name(event)}: {reason(event)}" for event in opened))
        return Group(Text(status_line(self._played, now), style="bold"), Text(), table, Text(), why)

    def line(self, event: Mapping[str, Any]) -> str:
        """An event as one plain line."""
        data = event["data"]
        what = f"{event['type']:<20} {data['severity']:<9} {data['title']} ({data['family']})"
        return f"{clock_time(event['at'])} {what} - {self._name(event)}"

    def _name(self, event: Mapping[str, Any]) -> str:
        return self._played.names.get(event["data"]["stay_id"], "the ward")


def reason(event: Mapping[str, Any]) -> str:
    """Why an alert was raised and what would end it; empty for an event that does not say."""
    if "explanation" not in event:
        return ""
    why = event["explanation"]
    return f"{why['text']} Cleared by: {why['clears_when']}"


def status_line(played: Played, now: datetime) -> str:
    """How it stands at a clinical time, in one line."""
    unresolved = ", ".join(f"{count} {word}" for word, count in played.open_by_severity.items())
    return (
        f"clinical time {now:%a %H:%M} UTC | readings: {played.sent} sent, {played.kept} kept, "
        f"{played.replayed} replayed, {played.refused.total()} refused | "
        f"unresolved alerts: {unresolved or 'none yet'}"
    )


def clock_time(instant: str) -> str:
    """Hours and minutes of an instant as the API writes it."""
    return f"{datetime.fromisoformat(instant):%H:%M}"
