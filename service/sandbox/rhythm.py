"""When a simulated patient measures next, if nobody asks for more."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

Rhythm = Callable[[datetime, Random], datetime]
"""From one measurement to the next."""

EVERY = timedelta(minutes=30)
"""How often a patient of the demonstration measures by day: far more than the usual three times a day, so that there
is something to see."""

NIGHT = (23, 6)

USUALLY_OFF_BY = timedelta(minutes=25)
NEVER_OFF_BY = timedelta(minutes=75)
"""How punctual people are: standard deviation, and the most."""


def all_day(at: datetime, random: Random) -> datetime:
    """Every half hour or so by day, every two hours by night."""
    from_hour, to_hour = NIGHT
    asleep = at.hour >= from_hour or at.hour < to_hour
    return at + EVERY * random.uniform(0.8, 1.2) * (4 if asleep else 1)


def reading_times(times: Sequence[str], zone: str) -> Rhythm:
    """At the plan's times of day ("HH:MM", in the ward's time zone, on days of 23 and 25 hours too), more or less."""
    clock, slots = ZoneInfo(zone), tuple(time.fromisoformat(text) for text in times)

    def following(at: datetime, random: Random) -> datetime:
        today = at.astimezone(clock).date()
        days = (today, today + timedelta(days=1))
        instants = (datetime.combine(day, slot, clock).astimezone(at.tzinfo) for day in days for slot in slots)
        slot = next(instant for instant in instants if instant > at + NEVER_OFF_BY)
        off_by = timedelta(seconds=random.gauss(0, USUALLY_OFF_BY.total_seconds()))
        return slot + max(-NEVER_OFF_BY, min(NEVER_OFF_BY, off_by))

    return following
