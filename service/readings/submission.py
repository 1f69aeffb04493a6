"""What is handed from the door to the intake, and what comes back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from alerts.change import Change
from alerts.episode import Episode
from alerts.evaluate import Evaluation
from alerts.plan import Plan
from alerts.severity import Family
from service.cover.inforce import Hour
from service.errors import WardwatchError


class Submission(NamedTuple):
    """One reading as it was sent. `key` is its sender's name for it, `content` a digest of what it says
    (without the time of sending), `row` its columns as they were sent."""

    key: str
    content: str
    observed_at: datetime
    row: Mapping[str, Any]


class Arrival(NamedTuple):
    """The readings of one request for one stay: they count as received together, at `received_at`."""

    ward_id: str
    stay_id: str
    sender_id: str
    received_at: datetime
    submissions: tuple[Submission, ...]


class Refusal(NamedTuple):
    """A reading that was refused before it could be kept: that it came, when, and why. No value."""

    ward_id: str
    stay_id: str
    received_at: datetime
    code: str


class Tick(NamedTuple):
    """Nothing arrived, but time has passed: the stay is looked at."""

    ward_id: str
    stay_id: str
    received_at: datetime


class Lost(NamedTuple):
    """A paired app of the stay has lost its access."""

    ward_id: str
    stay_id: str
    received_at: datetime


Item = Arrival | Refusal | Tick | Lost
"""What a group is made of."""


class AlertEffect(NamedTuple):
    """What one reading did to one alert."""

    alert_id: str
    change: Change


class Recorded(NamedTuple):
    """A reading that is kept: what was stored, how it was judged, and how the stay's alerts and its ward stood then.

    `evaluation` is None when the engine could not judge it."""

    row: Mapping[str, Any]
    replayed: bool
    evaluation: Evaluation | None
    effects: tuple[AlertEffect, ...]
    episodes: Mapping[Family, Episode]
    plan: Plan | None
    hour: Hour


Outcome = Recorded | WardwatchError
"""What became of one reading: kept (now or before), or refused."""
