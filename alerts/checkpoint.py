"""An episode as plain JSON values, so that a later reading can go on from it, and back again without loss."""

from datetime import datetime
from typing import Any

from alerts.episode import Episode, Escalation, Explanation, State, Trace
from alerts.rule import Awaited, Input, Limit, Wait
from alerts.severity import Family, Severity

_TIMES = (
    "first_breach_at", "opened_at", "last_breach_at", "recovered_at", "acknowledged_at", "contacted_at",
    "resolved_at", "respond_by", "contact_due_at", "ack_expires_at",
)  # fmt: skip
_PLAIN = ("title", "confirmed", "transient", "retrospective", "reading_count", "escalation_level", "version")

_LATER_TIMES = ("snoozed_until",)
_LATER_PLAIN = ("snoozed_spo2",)
"""What checkpoints of an earlier release do not have."""

_TRACE_TIMES = ("first_breach_at", "last_breach_at", "clearing_from")
_TRACE_PLAIN = ("key", "rule_id", "name", "rank", "confirmed", "active", "clearings")


def dump(episode: Episode) -> dict[str, Any]:
    """Only dict, list, str, int, float, bool and None; times in ISO 8601 with their offset, severities as
    numbers."""
    return {
        "family": str(episode.family),
        "state": str(episode.state),
        "severity": int(episode.severity),
        "peak_severity": int(episode.peak_severity),
        "rule_ids": list(episode.rule_ids),
        "traces": [_dump_trace(trace) for trace in episode.traces],
        "waits": [_dump_wait(wait) for wait in episode.waits],
        "explanation": _dump_explanation(episode.explanation),
        "escalation": _dump_escalation(episode.escalation),
        **{name: getattr(episode, name) for name in (*_PLAIN, *_LATER_PLAIN)},
        **{name: _text(getattr(episode, name)) for name in (*_TIMES, *_LATER_TIMES)},
    }


def load(data: dict[str, Any]) -> Episode:
    """The episode that `dump` wrote. Raises KeyError or ValueError for anything else."""
    later: dict[str, Any] = {name: data.get(name) for name in _LATER_PLAIN}
    return Episode(
        family=Family(data["family"]),
        state=State(data["state"]),
        severity=Severity(data["severity"]),
        peak_severity=Severity(data["peak_severity"]),
        rule_ids=tuple(data["rule_ids"]),
        traces=tuple(_load_trace(trace) for trace in data["traces"]),
        waits=tuple(_load_wait(wait) for wait in data["waits"]),
        explanation=_load_explanation(data["explanation"]),
        escalation=_load_escalation(data.get("escalation")),
        **{name: data[name] for name in _PLAIN},
        **{name: _instant(data[name]) for name in _TIMES},
        **later,
        **{name: _instant(data.get(name)) for name in _LATER_TIMES},
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(text: str | None) -> Any:
    return None if text is None else datetime.fromisoformat(text)


def _dump_trace(trace: Trace) -> dict[str, Any]:
    return {
        **{name: getattr(trace, name) for name in _TRACE_PLAIN},
        **{name: _text(getattr(trace, name)) for name in _TRACE_TIMES},
        "severity": int(trace.severity),
    }


def _load_trace(data: dict[str, Any]) -> Trace:
    return Trace(
        severity=Severity(data["severity"]),
        **{name: data[name] for name in _TRACE_PLAIN},
        **{name: _instant(data[name]) for name in _TRACE_TIMES},
    )


def _dump_wait(wait: Wait) -> list[Any]:
    severity = None if wait.severity is None else int(wait.severity)
    inputs = [_dump_input(item) for item in wait.inputs]
    return [wait.key, str(wait.awaits), _text(wait.due_at), severity, wait.confirms, wait.raises, inputs]


def _load_wait(data: list[Any]) -> Wait:
    key, awaits, due_at, severity, confirms, raises, inputs = data
    rises_to = None if severity is None else Severity(severity)
    evidence = tuple(_load_input(item) for item in inputs)
    return Wait(key, Awaited(awaits), _instant(due_at), rises_to, confirms, raises, evidence)


def _dump_input(item: Input) -> list[Any]:
    return [item.name, item.value, item.unit, item.reading_id, _text(item.observed_at)]


def _load_input(data: list[Any]) -> Input:
    name, value, unit, reading_id, observed_at = data
    return Input(name, value, unit, reading_id, _instant(observed_at))


def _dump_escalation(escalation: Escalation) -> list[Any]:
    times = (_text(escalation.limit), _text(escalation.next_at), _text(escalation.cover_for))
    return [*times, escalation.steps, escalation.uncovered]


def _load_escalation(data: list[Any] | None) -> Escalation:
    """None: a checkpoint of an earlier release, which took no steps."""
    if data is None:
        return Escalation()
    limit, next_at, cover_for, steps, uncovered = data
    return Escalation(
        limit=_instant(limit),
        steps=steps,
        next_at=_instant(next_at),
        cover_for=_instant(cover_for),
        uncovered=uncovered,
    )


def _dump_explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        "text": explanation.text,
        "inputs": [_dump_input(item) for item in explanation.inputs],
        "limits": [[limit.name, limit.value, limit.unit] for limit in explanation.limits],
        "source": explanation.source,
        "rule_set_version": explanation.rule_set_version,
    }


def _load_explanation(data: dict[str, Any]) -> Explanation:
    inputs = tuple(_load_input(item) for item in data["inputs"])
    limits = tuple(Limit(*item) for item in data["limits"])
    return Explanation(data["text"], inputs, limits, data["source"], data["rule_set_version"])
