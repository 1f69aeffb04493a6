"""From what became of a reading to what is answered. Plain dictionaries, written by orjson: the shapes are those of
`schemas.ReadingOut`, which a test checks."""

from collections.abc import Mapping
from typing import Any

import orjson

from alerts.advice import Advice, advise, advise_not_assessed
from alerts.evaluate import Evaluation
from alerts.plan import Plan
from alerts.rule import explain
from service.readings.record_schemas import ReadingRecord
from service.readings.store import reading_table
from service.readings.submission import Recorded

_NOT_SCORED: dict[str, Any] = {
    "applicable": False,
    "complete": False,
    "total": None,
    "minimum_total": 0,
    "risk": None,
    "scale": 1,
    "missing": [],
    "scores": {},
}


def to_json(value: Any) -> bytes:
    """JSON as the API writes it: instants in UTC with `Z`."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def answer(recorded: Recorded) -> dict[str, Any]:
    """What the sender of a reading is told."""
    row, evaluation = recorded.row, recorded.evaluation
    return {
        "reading_id": row["id"],
        "stay_id": row["stay_id"],
        "client_reading_id": row["client_reading_id"],
        "observed_at": row["observed_at"],
        "received_at": row["received_at"],
        "late": row["late"],
        "time_corrected": row["claimed_at"] is not None,
        "quality": row["quality"],
        "judged_spo2": evaluation.judged_spo2 if evaluation else None,
        "news2": score(evaluation) if evaluation else _NOT_SCORED,
        "assessment": _assessment(recorded),
        "alerts": [
            {
                "alert_id": effect.alert_id,
                "family": effect.change.family,
                "change": effect.change.kind,
                "severity": effect.change.after.severity.word,
            }
            for effect in recorded.effects
        ],
    }


def score(evaluation: Evaluation) -> dict[str, Any]:
    """NEWS2 of a reading, as it is shown."""
    score = evaluation.news2
    return {
        "applicable": score.applicable,
        "complete": score.complete,
        "total": score.total,
        "minimum_total": score.minimum_total,
        "risk": score.risk,
        "scale": score.scale,
        "missing": score.missing,
        "scores": score.scores,
    }


def _advice(recorded: Recorded) -> Advice:
    plan, (_, watched, contact) = recorded.plan or Plan(), recorded.hour
    if recorded.evaluation is None:
        return advise_not_assessed(plan, watched_now=watched, contact=contact)
    return advise(recorded.evaluation, recorded.episodes.values(), plan, watched_now=watched, contact=contact)


def _assessment(recorded: Recorded) -> dict[str, Any]:
    evaluation, advice = recorded.evaluation, _advice(recorded)
    # Most readings find nothing: then there is nothing to look for in what was found.
    found = evaluation if evaluation and evaluation.findings else None
    severity = found.severity if found else None
    return {
        "severity": severity.word if severity else None,
        "advice_code": advice.code,
        "advice": advice.text,
        "recheck_by": found.recheck_by if found else None,
        "ask": found.ask if found else (),
        "assessed_at": recorded.hour.at,
        "watched_now": recorded.hour.watched_now,
        "findings": [
            {
                "rule_id": finding.rule_id,
                "name": finding.name,
                "family": finding.family,
                "severity": finding.severity.word,
                "explanation": explain(finding),
            }
            for finding in (found.findings if found else ())
        ],
    }


def record(row: Mapping[str, Any]) -> dict[str, Any]:
    """A reading as it is kept; `row` holds every column."""
    device = {"id": row["device_id"], "model": row["device_model"]}
    return {
        **{name: row[name] for name in _SHOWN},
        "reading_id": row["id"],
        "symptoms": None if row["symptoms"] is None else [word for word in row["symptoms"].split(",") if word],
        "device": device if any(device.values()) else None,
        "time_corrected": row["claimed_at"] is not None,
        "severity": _WORDS[row["severity"]],
        "entered_in_error": row["entered_in_error_at"] is not None,
    }


_WORDS = {None: None, 1: "low", 2: "medium", 3: "high", 4: "critical"}
_SHOWN = tuple(name for name in ReadingRecord.model_fields if name in reading_table.c)
