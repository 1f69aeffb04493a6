"""How long what is held is kept."""

from datetime import date, datetime, timedelta

from service.patients.records import years_after

CHILD_UNTIL, NEARLY_ADULT_UNTIL = 25, 26
"""Children's records are kept until the 25th birthday, those of somebody who was 17 when the care ended until the 26th
(NHS Records Management Code of Practice, as for adults' years: `service/settings.py`)."""

IDEMPOTENCY_AFTER = timedelta(days=90)
"""The names that senders gave readings, after the stay's end: nobody sends a reading again so late."""
FAMILY_AFTER = timedelta(days=30)
"""A sign-in, after the last instant at which it could have been used."""
CHANGE_AFTER = timedelta(days=1)
"""The note that somebody's rights changed, which replicas hear within seconds."""


def kept_until(ended_at: datetime, birth_date: date, years: int) -> date:
    """The first day on which the record of somebody whose care has ended may go; `years` after that, or later for
    somebody who was a child."""
    ended_on = ended_at.date()
    until = years_after(ended_on, years)
    if ended_on >= years_after(birth_date, 18):
        return until
    nearly = ended_on >= years_after(birth_date, 17)
    return max(until, years_after(birth_date, NEARLY_ADULT_UNTIL if nearly else CHILD_UNTIL))
