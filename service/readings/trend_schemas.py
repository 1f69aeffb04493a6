"""The trend of a stay as the API shows it."""

from typing import Any, Self

from pydantic import BaseModel, Field

from alerts.severity import Severity
from service.fields import Id, Instant
from service.readings.schemas import Word
from service.readings.trend import Trend

MOST_POINTS = 1000


class Stretch(BaseModel):
    """From when to when: `from <= t < to`."""

    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")


class Three(BaseModel):
    """What a value did within a bucket."""

    min: float
    median: float
    max: float


class Bucket(Stretch):
    """One point of the curve. `count`: readings at rest with a good enough signal, which alone are drawn; `others`: the
    rest of them."""

    count: int
    others: int
    spo2: Three | None
    pulse_rate: Three | None
    respiratory_rate: Three | None


class LimitsInForce(Stretch):
    """The SpO2 limits of one plan version while it was in force; null where the plan cannot be read."""

    plan_version: int
    red_at: int | None
    amber_at: int | None
    target_low: int | None
    baseline_spo2: int | None


class AlertOfTrend(BaseModel):
    """An alert that stood at some time of the span."""

    id: Id
    family: str
    channel: str
    title: str
    severity: Word
    peak_severity: Word
    state: str
    first_breach_at: Instant
    opened_at: Instant
    recovered_at: Instant | None
    resolved_at: Instant | None


class TrendOut(Stretch):
    """A stay as a curve. A gap is a time without a reading that counts, half as long again as the plan's longest
    pause."""

    stay_id: Id
    bucket_seconds: float
    buckets: list[Bucket]
    gaps: list[Stretch]
    limits: list[LimitsInForce]
    alerts: list[AlertOfTrend] | None = Field(description="Needs alerts:read")

    @classmethod
    def of(cls, trend: Trend) -> Self:
        """A trend."""
        span = trend.span
        return cls(
            stay_id=trend.stay_id,
            since=span.start,
            until=span.end,
            bucket_seconds=span.width.total_seconds(),
            buckets=[Bucket(**_named(each)) for each in trend.buckets],
            gaps=[Stretch(since=since, until=until) for since, until in trend.gaps],
            limits=[LimitsInForce(**_named(each)) for each in trend.limits],
            alerts=None if trend.alerts is None else [AlertOfTrend(**_worded(each)) for each in trend.alerts],
        )


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """`from` and `to` are no names in Python."""
    return {**values, "since": values["from"], "until": values["to"]}


def _worded(alert: dict[str, Any]) -> dict[str, Any]:
    words = {name: Severity(alert[name]).word for name in ("severity", "peak_severity")}
    return {**alert, **words}
