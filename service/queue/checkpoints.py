"""An alert's checkpoint, read back, and what its columns tell people of it. Where it cannot be read (one of another
release, say), the engine adds nothing to the alert, but people must still be able to work it and to end the stay: for
them it is what its columns tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.checkpoint import load
from alerts.clearing import ends_when
from alerts.episode import Episode, Explanation, State, Trace
from alerts.rule import Input, Limit, Rule
from alerts.rules import RULES
from alerts.severity import Family, Severity
from service.fields import utc_text
from service.logs import get_logger
from service.storage.tables import METADATA

ALERT = METADATA.tables["alert"]
RESPONSE = METADATA.tables["alert_response"]

log = get_logger(__name__)

_ALIKE = (
    "title", "confirmed", "retrospective", "first_breach_at", "opened_at", "last_breach_at", "recovered_at",
    "resolved_at", "contact_due_at", "reading_count", "escalation_level", "version",
)  # fmt: skip
_TOLD = (*_ALIKE, "family", "state", "severity", "peak_severity", "respond_by", "explanation")
_DONE = ("acknowledged_at", "contacted_at", "ack_expires_at", "snoozed_until")
COLUMNS = (*(ALERT.c[name] for name in _TOLD), *(RESPONSE.c[name] for name in _DONE))
"""What `as_told` needs."""


def readable(alert_id: str, machine: dict[str, Any]) -> Episode | None:
    """The episode in a checkpoint; None when it cannot be read: that must not shut the stay."""
    try:
        return load(machine)
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        log.error("alert_unreadable", alert_id=alert_id, error=type(problem).__name__)
        return None


def as_told(row: Mapping[Any, Any], never: datetime) -> Episode:
    """The episode that a row of COLUMNS tells of, with `never` as the limit that does not come.

    What is not told is taken as the most careful would: each rule stands as severe as the alert, confirmed, and nothing
    counts towards its clearing yet."""
    family, severity = Family(row[ALERT.c.family]), Severity(row[ALERT.c.severity])
    respond_by, explanation = row[ALERT.c.respond_by], row[ALERT.c.explanation]
    rules = _rules_of(family, explanation["rule_ids"])
    return Episode(
        family=family,
        state=State(row[ALERT.c.state]),
        severity=severity,
        peak_severity=Severity(row[ALERT.c.peak_severity]),
        rule_ids=tuple(explanation["rule_ids"]),
        traces=tuple(_trace(rule, severity, row) for rule in rules),
        waits=(),
        explanation=_explanation(explanation),
        respond_by=None if respond_by == never else respond_by,
        **{name: row[ALERT.c[name]] for name in _ALIKE},
        **{name: row[RESPONSE.c[name]] for name in _DONE},
    )


def explained(episode: Episode) -> dict[str, Any]:
    """Why the alert stands, as the API shows it."""
    why = episode.explanation
    return {
        "text": why.text,
        "rule_ids": list(episode.rule_ids),
        "rule_set_version": why.rule_set_version,
        "inputs": _shown(why.inputs),
        "limits": [{"name": name, "value": value, "unit": unit} for name, value, unit in why.limits],
        "source": why.source,
        "clears_when": ends_when(episode),
    }


def _shown(inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """Most inputs were observed at one and the same instant: it is put into words once."""
    shown, at, words = [], None, None
    for name, value, unit, reading_id, observed_at in inputs:
        if observed_at is not at:
            at, words = observed_at, None if observed_at is None else utc_text(observed_at)
        shown.append({"name": name, "value": value, "unit": unit, "reading_id": reading_id, "observed_at": words})
    return shown


def _rules_of(family: Family, rule_ids: Sequence[str]) -> list[Rule]:
    """The rules that raised it, as far as this release knows them; never none, for an alert stands on something."""
    of_family = [rule for rule in RULES if rule.family == family]
    return [rule for rule in of_family if rule.id in rule_ids] or of_family[:1]


def _trace(rule: Rule, severity: Severity, row: Mapping[Any, Any]) -> Trace:
    return Trace(
        key=rule.key,
        rule_id=rule.id,
        name=rule.name,
        rank=rule.rank,
        severity=severity,
        confirmed=True,
        active=row[ALERT.c.recovered_at] is None,
        first_breach_at=row[ALERT.c.first_breach_at],
        last_breach_at=row[ALERT.c.last_breach_at],
    )


def _explanation(shown: Mapping[str, Any]) -> Explanation:
    inputs = tuple(Input(**{**each, "observed_at": _instant(each["observed_at"])}) for each in shown["inputs"])
    limits = tuple(Limit(**each) for each in shown["limits"])
    return Explanation(shown["text"], inputs, limits, shown["source"], shown["rule_set_version"])


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
