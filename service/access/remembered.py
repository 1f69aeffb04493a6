"""Checked access tokens, remembered for a minute at most with whom they stand for."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.access.changes import SLACK, Subject
from service.access.principals import Principal
from service.clock import real_now

REMEMBERED_SECONDS = 60
"""How long a change may take to be felt by a replica that cannot ask the database for changes."""
MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Checked:
    """Whom a token stands for, until when that may be believed, and when it was looked up (seconds since 1970)."""

    who: Principal
    until: float
    at: float


class Remembered:
    """The tokens checked last, `most` of them."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._most = most
        self._tokens: OrderedDict[str, Checked] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def find(self, token: str) -> Principal | None:
        """Whom a remembered token stands for."""
        known = self._tokens.get(token)
        return known.who if known is not None and known.until > real_now().timestamp() else None

    def keep(self, token: str, checked: Checked) -> None:
        """Remember a token, and forget the oldest when there are too many."""
        self._tokens[token] = checked
        self._tokens.move_to_end(token)
        if len(self._tokens) > self._most:
            self._tokens.popitem(last=False)

    def forget(self, changes: Mapping[Subject, datetime]) -> None:
        """Forget the tokens of those who changed after their token was looked up."""
        limits = {subject: (at + SLACK).timestamp() for subject, at in changes.items()}
        if not limits:
            return
        for token, checked in list(self._tokens.items()):
            who = checked.who
            subjects = ((who.kind, who.id), ("client", who.client_id))
            if checked.at <= max(limits.get(subject, 0.0) for subject in subjects):
                del self._tokens[token]
