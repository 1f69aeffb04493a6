"""What time has brought about comes before what a person does now, as in the fold of the history of a stay."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from service.errors import Overloaded
from service.queue.views import Place

LookAt = Callable[[str, str, datetime], Awaitable[None]]
"""Judges a stay (ward_id, stay_id) by the time alone, at a clinical instant, in a transaction of its own."""


async def pass_first(look_at: LookAt, place: Place, now: datetime) -> None:
    """Let the stay of an alert come up to `now`, if something of it is due and the timers have not been there yet.

    A person is not kept waiting by a full intake: then the timers bring it about a little later."""
    if place.stay_id is None or (place.stay_due_at is not None and place.stay_due_at > now):
        return
    with suppress(Overloaded):
        await look_at(place.ward_id, place.stay_id, now)
