"""From what was sent to what the intake takes: a valid body becomes a Submission."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import orjson

from alerts.reading import quality_of
from service.readings.schemas import ReadingIn
from service.readings.submission import Submission

_OTHERWISE = ("stay_id", "client_reading_id", "observed_at", "client_sent_at", "symptoms", "device")
"""Fields that are kept in another form, and those that are no part of what is said."""

AS_SENT = tuple(name for name in ReadingIn.model_fields if name not in _OTHERWISE)
"""Fields that are columns of the same name. With their order the digests of stored readings would change."""

_SAID = itemgetter(*AS_SENT)
_MINUTE = timedelta(minutes=1)


def submission(sent: ReadingIn, request_key: str | None = None) -> Submission:
    """What the intake takes. The sender's name for it is `client_reading_id`, else the Idempotency-Key of the
    request, else the exact instant and values."""
    row: dict[str, Any] = dict(sent.__dict__)
    del row["stay_id"]
    observed_at, device, client_id = row.pop("observed_at"), row.pop("device"), row["client_reading_id"]
    instant: datetime = observed_at.astimezone(UTC)
    row["symptoms"] = _listed(row["symptoms"])
    row["device_id"], row["device_model"] = (None, None) if device is None else (device.id, device.model)
    said = (instant, *_SAID(row), row["symptoms"], row["device_id"], row["device_model"])
    content = blake2b(orjson.dumps(said), digest_size=16).hexdigest()
    row["quality"] = quality_of(row["perfusion_index"], row["signal_quality"])
    row["answers"] = None
    row["observed_offset"] = observed_at.utcoffset() // _MINUTE
    return Submission(_key(client_id, request_key, content), content, instant, row)


def _listed(symptoms: Collection[str] | None) -> str | None:
    """Symptoms as they are kept: each once, in order."""
    if not symptoms:
        return None if symptoms is None else ""
    return ",".join(sorted(set(symptoms)))


def _key(client_reading_id: str | None, request_key: str | None, content: str) -> str:
    if client_reading_id is not None:
        return f"id:{client_reading_id}"
    return f"request:{request_key}" if request_key else f"content:{content}"
