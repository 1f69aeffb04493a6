"""Telling whoever started the demo where to look, how to sign in, and what happens meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.live import Live

from service.clock import Clock
from service.sandbox.board import Board, reason, status_line
from service.sandbox.caller import Caller
from service.sandbox.driver import Played, follow
from service.sandbox.staffing import SignIn

LOOK_EVERY_SECONDS = 1.0
STATUS_EVERY_LOOKS = 10


def introduction(url: str, ward_id: str, accounts: Mapping[str, SignIn], clock: Clock) -> str:
    """Where to look and how to sign in, ready to be copied into a shell."""
    clinician, partner = accounts["clinician"], accounts["partner"]
    passwords = "\n".join(
        f"  {role:<14} {each.name:<28} {each.password}" for role, each in accounts.items() if role != "partner"
    )
    return f"""
Wardwatch is running: {url}          API and how to use it: {url}/docs
One real second is {_spoken(clock.speed)} on this ward. All people are made up.
Ctrl-C ends it and removes everything.

Sign in (synthetic passwords, for this run only)
{passwords}
  {"partner system":<14} {partner.name}
  {"":<14} secret {partner.password}

The queue, most urgent first:
  TOKEN=$(curl -s {url}/oauth/token -d grant_type=password \\
    -d username={clinician.name} -d password={clinician.password} \\
    | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s -H "Authorization: Bearer $TOKEN" "{url}/v1/alerts?limit=5"

What happened on the ward, from the beginning:
  curl -s -H "Authorization: Bearer $TOKEN" "{url}/v1/wards/{ward_id}/events?after=0"
"""


async def watch(reader: Caller, played: Played, clock: Clock, console: Console) -> None:
    """Show what happens until cancelled: a board on a terminal, lines elsewhere."""
    board = Board(played)
    if not console.is_terminal:
        await _in_lines(reader, played, clock, console, board)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            await follow(reader, played)
            live.update(board.draw(clock.now()), refresh=True)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _in_lines(reader: Caller, played: Played, clock: Clock, console: Console, board: Board) -> None:
    looks = 0
    while True:
        await follow(reader, played)
        for event in board.take_events():
            _say(console, board.line(event))
            if why := reason(event):
                _say(console, f"      {why}")
        if looks % STATUS_EVERY_LOOKS == 0:
            _say(console, status_line(played, clock.now()))
        looks += 1
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def closing(played: Played) -> Sequence[str]:
    """What it came to, in a few lines."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in played.refused.most_common()) or "none"
    opened = ", ".join(f"{count} {word}" for word, count in played.opened.most_common()) or "none"
    families = ", ".join(f"{count} {family}" for family, count in played.families.most_common()) or "none"
    return (
        f"Readings sent: {played.sent} = {played.kept} kept + {played.replayed} replayed "
        f"+ {played.refused.total()} refused ({reasons})",
        f"Alerts opened: {opened}; by family: {families}",
    )


def _say(console: Console, line: str) -> None:
    # One event, one line, however narrow the console believes to be.
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _spoken(speed: float) -> str:
    return "a clinical minute" if speed == 60 else f"{speed:g} clinical seconds"
