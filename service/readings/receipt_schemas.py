"""Receipts as the API shows them: what every rule said about a reading, and why."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from alerts.receipt import Line, receipt
from alerts.rule_set import DEFAULT
from alerts.severity import Severity
from service.fields import Id, Instant
from service.readings.answering import score
from service.readings.receipts import NotJudged, Receipt
from service.readings.schemas import Score, Word

Number = int | float


class RuleInputOut(BaseModel):
    """One value a rule looked at, and the reading it is from."""

    name: str
    value: Number | str | None
    unit: str
    reading_id: str | None
    observed_at: Instant | None


class RuleLimitOut(BaseModel):
    """One limit a rule compared it with."""

    name: str
    value: Number | str | None
    unit: str


class MarginOut(BaseModel):
    """The nearest comparison of the rule. `distance` says how far the value lies on the quiet side of the limit, in
    `unit`; negative beyond it."""

    name: str
    observed: Number
    comparison: Literal["at_or_below", "below", "at_or_above", "above"]
    limit: Number
    unit: str
    distance: Number


class RuleOut(BaseModel):
    """What one rule said. `reason` is a word that stays; `text` says it to a person."""

    rule_id: str
    aspect: str = Field(description="The parameter, for a rule that judges several one by one")
    name: str
    version: int
    family: str
    source: str
    outcome: Literal["fired", "not_fired", "not_applicable"]
    severity: Word | None
    reason: str
    text: str
    clears_when: str | None = Field(description="What ends it, if it fired")
    inputs: list[RuleInputOut]
    limits: list[RuleLimitOut]
    margin: MarginOut | None

    @classmethod
    def of(cls, line: Line) -> Self:
        """A line of a receipt."""
        rule = line.rule
        return cls(
            rule_id=rule.id,
            aspect=rule.aspect,
            name=rule.name,
            version=rule.version,
            family=rule.family,
            source=rule.source,
            outcome=line.outcome.value,
            severity=_word(line.severity),
            reason=line.reason,
            text=line.text,
            clears_when=line.clears_when,
            inputs=[RuleInputOut.model_validate(each, from_attributes=True) for each in line.inputs],
            limits=[RuleLimitOut.model_validate(each, from_attributes=True) for each in line.limits],
            margin=None if line.margin is None else MarginOut(**line.margin._asdict()),
        )


class ReceiptOut(BaseModel):
    """Every rule of the rule set, put to a stored reading under the plan and with the knowledge of its receipt."""

    reading_id: Id
    stay_id: Id
    observed_at: Instant
    received_at: Instant
    plan_version: int
    rule_set_version: str = Field(description="The rules that judged it when it arrived")
    evaluated_with: str = Field(description="The rules of this receipt: those the service has now")
    judged: bool
    not_judged: NotJudged | None = Field(description="Why no rule could be asked")
    text: str = Field(description="The whole in one sentence")
    severity: Word | None
    severity_at_receipt: Word | None = Field(description="As it was decided when it arrived")
    placement: Literal["live", "stale", "retrospective"] | None
    in_order: bool | None = Field(description="Nothing newer was known, so it may confirm and clear")
    late: bool
    quality: Literal["good", "fair", "unknown", "poor"]
    judged_spo2: int | None
    readings_known: int = Field(description="Readings of the stay that were known before it and were looked at")
    news2: Score | None
    rules: list[RuleOut]

    @classmethod
    def of(cls, found: Receipt) -> Self:
        """The receipt of a reading."""
        evaluation = found.evaluation
        stored = found.row["severity"]
        return cls(
            **{name: found.row[name] for name in _STORED},
            reading_id=found.row["id"],
            evaluated_with=evaluation.case.rule_set.version if evaluation else DEFAULT.version,
            judged=evaluation is not None,
            not_judged=found.not_judged,
            text=_summary(found),
            severity=_word(evaluation.severity) if evaluation else None,
            severity_at_receipt=None if stored is None else _word(Severity(stored)),
            placement=evaluation.placement.value if evaluation else None,
            in_order=evaluation.case.in_order if evaluation else None,
            judged_spo2=evaluation.judged_spo2 if evaluation else None,
            readings_known=found.known,
            news2=Score.model_validate(score(evaluation)) if evaluation else None,
            rules=[RuleOut.of(line) for line in receipt(evaluation)] if evaluation else [],
        )


_STORED = ("stay_id", "observed_at", "received_at", "plan_version", "rule_set_version", "late", "quality")
_NOT_JUDGED: Mapping[NotJudged, str] = {
    "plan_unreadable": "This reading could not be judged: the plan of that moment cannot be read. Look at it yourself.",
    "engine_failed": "This reading could not be judged: the rules failed on it. Look at it yourself.",
}


def _word(severity: Severity | None) -> Any:
    return None if severity is None else severity.word


def _summary(found: Receipt) -> str:
    if found.not_judged is not None:
        return _NOT_JUDGED[found.not_judged]
    fired = [finding.name.replace("_", " ") for finding in found.evaluation.findings] if found.evaluation else []
    if not fired:
        return "No rule fired."
    return f"{len(fired)} of the rules fired: {', '.join(fired)}."
