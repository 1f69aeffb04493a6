"""Alerts as bytes: what the models in `schemas.py` describe, made without them, for speed. A test holds the
two together."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from alerts.severity import Severity
from service.feed.positions import Position, epoch_of
from service.feed.schemas import OPTIONS, event_json
from service.feed.store import StoredEvent
from service.fields import END_OF_TIME
from service.queue.listing import QueuePage
from service.queue.views import ALERT_FIELDS, ShownAlert

_WORDS = {int(severity): severity.word for severity in Severity}
_STATES = ("open", "acknowledged", "recovered")


def alert_json(row: ShownAlert, named_on: Collection[str]) -> dict[str, Any]:
    """An alert, ready for orjson; with the patient's name where the ward is among `named_on`."""
    alert = dict(zip(ALERT_FIELDS, row, strict=False))
    _, family_name, given_name, birth_date, nhs_number = row[len(ALERT_FIELDS) :]
    if alert["patient"] is not None:
        alert["patient"] = {"id": alert["patient"]}
        if alert["ward_id"] in named_on:
            alert["patient"] |= {
                "family_name": family_name,
                "given_name": given_name,
                "birth_date": birth_date,
                "nhs_number": nhs_number,
            }
    alert["severity"] = _WORDS[alert["severity"]]
    alert["peak_severity"] = _WORDS[alert["peak_severity"]]
    alert["explanation"] = orjson.Fragment(alert["explanation"])
    if alert["respond_by"] == END_OF_TIME:
        alert["respond_by"] = None
    if alert["state"] != "acknowledged":
        alert["ack_expires_at"] = None
    if alert["state"] == "resolved" and alert["outcome"] is None:  # nobody closed it: the machine did
        alert["outcome"] = "recovered"
    return alert


def alert_bytes(row: ShownAlert, named_on: Collection[str]) -> bytes:
    """An AlertOut as JSON."""
    return orjson.dumps(alert_json(row, named_on), option=OPTIONS)


def alert_fragment(row: ShownAlert, named_on: Collection[str]) -> orjson.Fragment:
    """An AlertOut to be put into another document."""
    return orjson.Fragment(alert_bytes(row, named_on))


def queue_bytes(page: QueuePage, named_on: Collection[str], positions: Mapping[str, Position]) -> bytes:
    """A QueueOut as JSON."""
    return orjson.dumps(
        {
            "items": [alert_json(row, named_on) for row in page.alerts],
            "next_cursor": page.next_cursor,
            "meta": {**_meta(positions), "degraded_since": page.degraded_since},
        },
        option=OPTIONS,
    )


def _meta(positions: Mapping[str, Position]) -> dict[str, Any]:
    found = positions.values()
    instants: list[datetime] = [position.at for position in found if position.at is not None]
    return {
        "as_of": max(instants, default=None),
        "feed_positions": {ward_id: position.number for ward_id, position in positions.items()},
        "feed_epoch": epoch_of(found),
        "counts": {
            "by_state": {state: sum(each.counts[state] for each in found) for state in _STATES},
            "by_severity": {word: sum(each.counts[word] for each in found) for word in reversed(_WORDS.values())},
        },
    }


def story_bytes(events: Sequence[StoredEvent], notes: Mapping[int, str], next_cursor: str | None) -> bytes:
    """A StoryOut as JSON; `notes` are texts by event number."""
    items = [event_json(event) for event in events]
    for item in items:
        if item["number"] in notes:
            item["note"] = notes[item["number"]]
    return orjson.dumps({"items": items, "next_cursor": next_cursor}, option=OPTIONS)
