"""Plans: from what was asked for to a valid version, and which of its limits are in force."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from alerts.plan import (
    LOWEST_UNAPPROVED_RED,
    Limits,
    Plan,
    PlanInvalid,
    Problem,
    Profile,
)
from alerts.rule_set import RuleSet
from service.errors import FieldError, Invalid
from service.readings.plans import engine_plan


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of a stay's plan: what was asked for, by whom and when.

    `red_at_approved`: whether its red limit is in force; one below 88 waits for a second clinician."""

    version: int
    profile: str
    baseline_spo2: int | None
    usual_breathlessness: float | None
    prescribed_oxygen_flow: float | None
    pregnant: bool | None
    red_at: int | None
    red_at_approved: bool
    approved_by: str | None
    amber_at: int | None
    target_low: int | None
    reading_times: tuple[str, ...]
    treatment_escalation: str | None
    patient_text: str | None
    reason: str | None
    review_on: date | None
    author_id: str | None
    created_at: datetime

    def as_judged(self) -> Plan | None:
        """The plan as the engine takes it; None if it cannot be read (R21)."""
        try:
            return engine_plan(dataclasses.asdict(self))
        except (TypeError, ValueError):
            return None

    def in_force(self, rules: RuleSet) -> Limits | None:
        """The SpO2 limits (percent) that readings are judged by; None if the engine cannot read it."""
        plan = self.as_judged()
        return None if plan is None else rules.limits(plan)

    def warnings(self) -> Sequence[Problem]:
        """What a clinician should look at, though the plan is accepted."""
        plan = self.as_judged()
        waiting = Problem(
            "red_at",
            "red_at_needs_approval",
            f"Below {LOWEST_UNAPPROVED_RED}: another clinician has to approve it; until then "
            f"{LOWEST_UNAPPROVED_RED} is in force.",
        )
        return (*(() if plan is None else plan.warnings()), *(() if self.red_at_approved else (waiting,)))


ASKED_FIELDS = tuple(
    name
    for name in PlanVersion.__dataclass_fields__
    if name not in ("version", "red_at_approved", "approved_by", "author_id", "created_at")
)
_LIMIT_FIELDS = ("red_at", "amber_at", "target_low")
_DEFAULTS: Mapping[str, Any] = {name: getattr(Plan(), name) for name in ASKED_FIELDS}


def first_plan(asked: Mapping[str, Any], author_id: str, at: datetime, pointer: str) -> PlanVersion:
    """Version 1 from the fields that were sent; raises Invalid, with pointers below `pointer`."""
    return _version({**_DEFAULTS, **_sent(asked)}, 1, None, author_id, at, pointer)


def next_plan(before: PlanVersion, asked: Mapping[str, Any], author_id: str, at: datetime) -> PlanVersion:
    """The next version: what was sent, merged into the one before. A null sets a field back to its default.

    A change to another profile than custom drops the custom limits that were not sent. Raises Invalid."""
    values = {name: getattr(before, name) for name in ASKED_FIELDS} | _sent(asked)
    if values["profile"] != Profile.CUSTOM:
        values.update({name: None for name in _LIMIT_FIELDS if name not in asked})
    return _version(values, before.version + 1, before, author_id, at, "")


def approved_plan(before: PlanVersion, approver_id: str, at: datetime) -> PlanVersion:
    """The next version, in which the proposed red limit is in force."""
    return dataclasses.replace(
        before,
        version=before.version + 1,
        red_at_approved=True,
        approved_by=approver_id,
        author_id=approver_id,
        created_at=at,
    )


def proposers(versions: Sequence[PlanVersion]) -> set[str | None]:
    """Who had a hand in the waiting proposal: the authors of the versions (newest first) that carry it."""
    authors: set[str | None] = set()
    for version in versions:
        if version.red_at_approved or version.red_at != versions[0].red_at:
            break
        authors.add(version.author_id)
    return authors


def plan_version(columns: Mapping[str, Any]) -> PlanVersion:
    """A version as it is stored."""
    return PlanVersion(**{**columns, "reading_times": tuple(columns["reading_times"])})


def _sent(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _DEFAULTS[name] if value is None else value for name, value in asked.items()}


def _version(
    values: Mapping[str, Any],
    number: int,
    before: PlanVersion | None,
    author_id: str,
    at: datetime,
    pointer: str,
) -> PlanVersion:
    red_at = values["red_at"]
    agreed = before is not None and before.red_at == red_at and before.red_at_approved
    version = PlanVersion(
        **{**values, "reading_times": tuple(values["reading_times"])},
        version=number,
        red_at_approved=agreed or red_at is None or red_at >= LOWEST_UNAPPROVED_RED,
        approved_by=before.approved_by if before is not None and agreed else None,
        author_id=author_id,
        created_at=at,
    )
    try:
        engine_plan(dataclasses.asdict(version))
    except PlanInvalid as problem:
        refused = [FieldError(f"{pointer}/{each.field}", each.code, each.message) for each in problem.problems]
        raise Invalid(errors=refused) from None
    return version
