"""From what was sent to the row that is kept."""

from datetime import datetime
from typing import Any

from alerts.reading import FUTURE_TOLERANCE
from service.fields import new_id
from service.readings.store import LockedStay
from service.readings.submission import Arrival, Refusal, Submission


def row_of(
    stay: LockedStay, version: str, arrival: Arrival, received_at: datetime, reading_id: str, sent: Submission
) -> dict[str, Any]:
    """The row of a reading. A time too far ahead is set to the receipt, and what was claimed is kept beside it."""
    ahead = sent.observed_at - received_at > FUTURE_TOLERANCE
    return {
        **sent.row,
        "ward_id": stay.ward_id,
        "id": reading_id,
        "stay_id": stay.id,
        "observed_at": received_at if ahead else sent.observed_at,
        "claimed_at": sent.observed_at if ahead else None,
        "received_at": received_at,
        "sender_id": arrival.sender_id,
        "plan_version": stay.plan_version,
        "rule_set_version": version,
    }


def refusal_row(refused: Refusal) -> dict[str, Any]:
    """The row of a reading that was refused: no value of it."""
    return {
        "ward_id": refused.ward_id,
        "id": new_id(),
        "stay_id": refused.stay_id,
        "at": refused.received_at,
        "code": refused.code,
    }
