"""How many requests a minute: of a principal, and of an address whose requests carry no valid token. In memory, each
replica for itself: a limit protects a process, and no request waits for a count to be kept anywhere."""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from service.access.principals import Principal
from service.edge import address
from service.errors import TooManyRequests

SECONDS = 60
PER_MINUTE: Mapping[str, int] = {"client": 6000}
OF_PEOPLE = 600
OF_STRANGERS = 300
"""Requests from one address without a valid token, or for a token: a whole hospital may share the address."""
MAX_KNOWN = 20_000


class Rates:
    """The windows of one process. `per_minute` None: the defaults by kind; 0: no limits at all.

    Windows are fixed: around the turn of one, twice the limit may pass."""

    def __init__(
        self, per_minute: int | None = None, now: Callable[[], float] = monotonic, most: int = MAX_KNOWN
    ) -> None:
        self._set = per_minute
        self._now = now
        self._most = most
        self._windows: dict[str, list[float]] = {}

    def take(self, who: Principal) -> bytes | None:
        """Count a request of a principal; the value of its `RateLimit` header (draft-ietf-httpapi-ratelimit-headers),
        None without limits. Raises TooManyRequests."""
        if self._set == 0:
            return None
        now = self._now()
        window = self._windows.get(who.id)
        if window is None or window[1] <= now:
            window = self._open(who.id, self._set or PER_MINUTE.get(who.kind, OF_PEOPLE), now)
        window[0] -= 1
        left, seconds = window[0], window[1] - now
        if left < 0:
            raise _refusal(seconds)
        return b'"minute";r=%d;t=%d' % (left, seconds + 1)

    def knock(self) -> None:
        """Count a request without a valid token, by the address it came from; raises TooManyRequests."""
        if self._set == 0:
            return
        now, name = self._now(), f"address {address.get()}"
        window = self._windows.get(name)
        if window is None or window[1] <= now:
            window = self._open(name, OF_STRANGERS, now)
        window[0] -= 1
        if window[0] < 0:
            raise _refusal(window[1] - now)

    def _open(self, name: str, limit: int, now: float) -> list[float]:
        if len(self._windows) >= self._most:
            self._windows = {known: window for known, window in self._windows.items() if window[1] > now}
            while len(self._windows) >= self._most:
                del self._windows[next(iter(self._windows))]
        # Put at the end again: the first are those that have been open for longest.
        self._windows.pop(name, None)
        window = self._windows[name] = [limit, now + SECONDS]
        return window


def _refusal(seconds: float) -> TooManyRequests:
    retry = int(seconds) + 1
    return TooManyRequests(headers={"Retry-After": str(retry), "RateLimit": f'"minute";r=0;t={retry}'})


def rates_of(request: Any) -> Rates:
    """The application's limits."""
    found: Rates = request.app.state.rates
    return found
