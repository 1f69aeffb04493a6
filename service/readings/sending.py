"""From what was sent to what the intake takes: a valid body becomes a Submission."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from alerts.reading import quality_of
from service.readings.schemas import ReadingIn
from service.readings.submission import Submission

AS_SENT = (
    "spo2",
    "pulse_rate",
    "respiratory_rate",
    "systolic_bp",
    "diastolic_bp",
    "temperature",
    "consciousness",
    "oxygen_flow",
    "context",
    "breathlessness",
    "feeling",
    "perfusion_index",
    "signal_quality",
    "source",
    "entered_by",
)
"""Fields that are columns of the same name."""


def submission(sent: ReadingIn, request_key: str | None = None) -> Submission:
    """What the intake takes. The sender's name for it is `client_reading_id`, else the Idempotency-Key of the
    request, else the exact instant and values."""
    fields = sent.__dict__
    observed_at: datetime = fields["observed_at"].astimezone(UTC)
    row: dict[str, Any] = {name: fields[name] for name in AS_SENT}
    row["symptoms"] = None if sent.symptoms is None else ",".join(sorted(set(sent.symptoms)))
    row["device_id"] = sent.device.id if sent.device else None
    row["device_model"] = sent.device.model if sent.device else None
    content = blake2b(orjson.dumps((observed_at, *row.values())), digest_size=16).hexdigest()
    row["quality"] = quality_of(sent.perfusion_index, sent.signal_quality)
    row["client_reading_id"] = sent.client_reading_id
    row["client_sent_at"] = sent.client_sent_at
    row["answers"] = None
    row["observed_offset"] = _offset_minutes(sent.observed_at)
    return Submission(_key(sent.client_reading_id, request_key, content), content, observed_at, row)


def _key(client_reading_id: str | None, request_key: str | None, content: str) -> str:
    if client_reading_id is not None:
        return f"id:{client_reading_id}"
    return f"request:{request_key}" if request_key else f"content:{content}"


def _offset_minutes(instant: datetime) -> int:
    offset = instant.utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)
