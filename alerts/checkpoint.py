"""An episode as plain values that can be written as JSON, so that a later reading can go on from it, and back again
without loss."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from alerts.episode import Episode, Escalation, Explanation, State, Trace
from alerts.rule import Awaited, Input, Limit, Wait
from alerts.severity import Family, Severity

# By their words and numbers: to ask an enum for its member costs ten times as much.
_FAMILIES = {str(family): family for family in Family}
_STATES = {str(state): state for state in State}
_SEVERITIES = {int(severity): severity for severity in Severity}


def dump(episode: Episode) -> dict[str, Any]:
    """Only dict, list, str, int, float, bool, None and instants, which whoever writes the JSON writes in ISO 8601 with
    their offset; severities as numbers."""
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
        "title": episode.title,
        "confirmed": episode.confirmed,
        "transient": episode.transient,
        "retrospective": episode.retrospective,
        "reading_count": episode.reading_count,
        "escalation_level": episode.escalation_level,
        "version": episode.version,
        "snoozed_spo2": episode.snoozed_spo2,
        "first_breach_at": episode.first_breach_at,
        "opened_at": episode.opened_at,
        "last_breach_at": episode.last_breach_at,
        "recovered_at": episode.recovered_at,
        "acknowledged_at": episode.acknowledged_at,
        "contacted_at": episode.contacted_at,
        "resolved_at": episode.resolved_at,
        "respond_by": episode.respond_by,
        "contact_due_at": episode.contact_due_at,
        "ack_expires_at": episode.ack_expires_at,
        "snoozed_until": episode.snoozed_until,
    }


def load(data: dict[str, Any]) -> Episode:
    """The episode whose dump was written as JSON. Raises KeyError or ValueError for anything else."""
    # By position, for one is made for every alert that a reading may change: in the order of the fields.
    return Episode(
        _FAMILIES[data["family"]],
        _STATES[data["state"]],
        _SEVERITIES[data["severity"]],
        _SEVERITIES[data["peak_severity"]],
        data["title"],
        tuple(data["rule_ids"]),
        tuple([_load_trace(trace) for trace in data["traces"]]),
        tuple([_load_wait(wait) for wait in data["waits"]]),
        _load_explanation(data["explanation"]),
        _instant(data["first_breach_at"]),
        _instant(data["opened_at"]),
        _instant(data["last_breach_at"]),
        data["confirmed"],
        data["transient"],
        data["retrospective"],
        _instant(data["recovered_at"]),
        _instant(data["acknowledged_at"]),
        _instant(data["contacted_at"]),
        _instant(data["resolved_at"]),
        _instant(data["respond_by"]),
        _instant(data["contact_due_at"]),
        _instant(data["ack_expires_at"]),
        # Checkpoints of an earlier release have neither a snooze nor an escalation.
        _instant(data.get("snoozed_until")),
        data.get("snoozed_spo2"),
        data["reading_count"],
        data["escalation_level"],
        _load_escalation(data.get("escalation")),
        data["version"],
    )


@lru_cache(maxsize=1024)
def _instant(text: str | None) -> Any:
    """A checkpoint says the same few instants again and again."""
    return None if text is None else datetime.fromisoformat(text)


def _dump_trace(trace: Trace) -> dict[str, Any]:
    return {
        "key": trace.key,
        "rule_id": trace.rule_id,
        "name": trace.name,
        "rank": trace.rank,
        "confirmed": trace.confirmed,
        "active": trace.active,
        "clearings": trace.clearings,
        "first_breach_at": trace.first_breach_at,
        "last_breach_at": trace.last_breach_at,
        "clearing_from": trace.clearing_from,
        "severity": int(trace.severity),
    }


def _load_trace(data: dict[str, Any]) -> Trace:
    return Trace(
        data["key"],
        data["rule_id"],
        data["name"],
        data["rank"],
        _SEVERITIES[data["severity"]],
        data["confirmed"],
        data["active"],
        _instant(data["first_breach_at"]),
        _instant(data["last_breach_at"]),
        data["clearings"],
        _instant(data["clearing_from"]),
    )


def _dump_wait(wait: Wait) -> list[Any]:
    severity = None if wait.severity is None else int(wait.severity)
    inputs = [[*item] for item in wait.inputs]
    return [wait.key, str(wait.awaits), wait.due_at, severity, wait.confirms, wait.raises, inputs]


def _load_wait(data: list[Any]) -> Wait:
    key, awaits, due_at, severity, confirms, raises, inputs = data
    rises_to = None if severity is None else _SEVERITIES[severity]
    return Wait(key, Awaited(awaits), _instant(due_at), rises_to, confirms, raises, _load_inputs(inputs))


def _load_inputs(data: list[Any]) -> tuple[Input, ...]:
    return tuple([Input(name, value, unit, of, _instant(at)) for name, value, unit, of, at in data])


def _dump_escalation(escalation: Escalation) -> list[Any]:
    limit, steps, next_at, cover_for, uncovered = escalation
    return [limit, next_at, cover_for, steps, uncovered]


def _load_escalation(data: list[Any] | None) -> Escalation:
    """None: a checkpoint of an earlier release, which took no steps."""
    if data is None:
        return Escalation()
    limit, next_at, cover_for, steps, uncovered = data
    return Escalation(_instant(limit), steps, _instant(next_at), _instant(cover_for), uncovered)


def _dump_explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        "text": explanation.text,
        "inputs": [[*item] for item in explanation.inputs],
        "limits": [[*limit] for limit in explanation.limits],
        "source": explanation.source,
        "rule_set_version": explanation.rule_set_version,
    }


def _load_explanation(data: dict[str, Any]) -> Explanation:
    limits = tuple([Limit(name, value, unit) for name, value, unit in data["limits"]])
    return Explanation(data["text"], _load_inputs(data["inputs"]), limits, data["source"], data["rule_set_version"])
