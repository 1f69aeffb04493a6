"""Who may send what for whom: the checks between a valid body and the intake."""

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.reading import Source
from service.access.principals import Principal
from service.body import missing_field
from service.errors import FieldError, Invalid, NotFound, WardwatchError
from service.fields import canonical_id
from service.readings.intake import Intake
from service.readings.schemas import ReadingIn
from service.readings.sending import submission
from service.readings.submission import Submission

Place = tuple[str, str]
"""(ward_id, stay_id)"""

SOURCES: Mapping[str, frozenset[Source]] = {
    "staff": frozenset(Source),
    "client": frozenset(Source) - {Source.STAFF},
}
"""What each kind of principal may name as the source: only staff speak as staff."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A reading that is not valid, and the stay it names, as far as that can be read."""

    problem: Invalid
    stay_id: str | None


async def admit(intake: Intake, who: Principal, sent: ReadingIn, request_key: str | None) -> tuple[Place, Submission]:
    """Where a valid reading belongs, and what the intake takes; raises NotFound, or Invalid for a source that this
    sender may not name."""
    if sent.stay_id is None:
        raise missing_field("stay_id", "must name the stay")
    ward_id = await intake.ward_of(sent.stay_id, who.ward_ids)
    if sent.source not in SOURCES[who.kind]:
        raise Invalid(errors=[FieldError("/source", "source_not_allowed", "is not a source this sender may name")])
    return (ward_id, sent.stay_id), submission(sent, request_key)


async def refusal(intake: Intake, who: Principal, row: RefusedRow) -> WardwatchError:
    """The error to answer an invalid reading with. If its stay is known, the refusal is noted there (never a value):
    something is sending and nothing arrives. If it names a stay that is not the sender's, there is no such stay."""
    stay_id = canonical_id(row.stay_id) if row.stay_id is not None else None
    if stay_id is None:
        return row.problem
    try:
        ward_id = await intake.ward_of(stay_id, who.ward_ids)
    except NotFound as problem:
        return problem
    await intake.refuse(ward_id, stay_id, row.problem.errors[0].code[:40])
    return row.problem
