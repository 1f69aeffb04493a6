"""Names that senders gave their readings: whoever comes first has the name, the others are sending again."""

from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, select

from service.readings.store import idempotency_table
from service.readings.submission import Arrival, Submission
from service.storage.portable import Given, IdType, for_each

Name = tuple[str, str, str]
"""(stay_id, sender_id, key)"""

Named = tuple[str, str]
"""(content digest, reading_id): what has a name."""

NAMES = Given("named", ward_id=IdType, stay_id=IdType, sender_id=IdType, key=String)


def name_of(arrival: Arrival, submission: Submission) -> Name:
    """The name of a reading that came."""
    return arrival.stay_id, arrival.sender_id, submission.key


def taken_of(dialect: str, given: Any, *columns: ColumnElement[Any]) -> Select[Any]:
    """These columns of those of the names given (as in NAMES) that are taken."""
    taken = idempotency_table.c
    same = and_(
        taken.ward_id == given.c.ward_id,
        taken.stay_id == given.c.stay_id,
        taken.sender_id == given.c.sender_id,
        taken.key == given.c.key,
    )
    return for_each(dialect, given, select(*columns).where(same), taken.key)


def name_row(arrival: Arrival, submission: Submission, reading_id: str) -> dict[str, Any]:
    """The row that takes a name."""
    return {
        "ward_id": arrival.ward_id,
        "stay_id": arrival.stay_id,
        "sender_id": arrival.sender_id,
        "key": submission.key,
        "content": submission.content,
        "reading_id": reading_id,
        "received_at": arrival.received_at,
    }
