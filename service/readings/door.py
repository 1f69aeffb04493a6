"""Who may send what for whom: the checks between a valid body and the intake."""

import re
from collections.abc import Collection, Mapping
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
    "patient": frozenset({Source.APP, Source.WEB, Source.DEVICE}),
    "carer": frozenset({Source.APP, Source.WEB, Source.DEVICE}),
}
"""What each kind of principal may name as the source: only staff speak as staff."""


_FOR_READINGS = re.compile(r"/v1/readings(/batch|/[^/]+/answers)?/*")


def is_for_readings(path: str) -> bool:
    """Whether a reading sent to this path was meant to be received: the calls that take one, slashes after them too."""
    return _FOR_READINGS.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A reading that is not valid, and the stay it names, as far as that can be read."""

    problem: Invalid
    stay_id: str | None


async def find_wards(intake: Intake, who: Principal, stay_ids: Collection[str | None]) -> Mapping[str, str]:
    """The wards of those of the stays that the sender may send for; `admit` is handed them. One look for all."""
    named = [stay_id for stay_id in stay_ids if stay_id is not None]
    return {} if who.home is not None else await intake.wards_of(named, who.ward_ids)


def admit(
    who: Principal, wards: Mapping[str, str], sent: ReadingIn, request_key: str | None
) -> tuple[Place, Submission]:
    """Where a valid reading belongs, and what the intake takes; raises NotFound, or Invalid for a source or somebody
    else that this sender may not name."""
    place = _place(who, wards, sent.stay_id)
    if place is None:
        raise missing_field("stay_id", "must name the stay")
    if sent.source not in SOURCES[who.kind]:
        raise Invalid(errors=[FieldError("/source", "source_not_allowed", "is not a source this sender may name")])
    if who.kind == "patient" and sent.entered_by is not None:
        raise Invalid(errors=[FieldError("/entered_by", "not_allowed_here", "is not for a patient's own app to say")])
    if who.kind == "carer":
        sent.entered_by = who.name
    return place, submission(sent, request_key)


async def refusal(intake: Intake, who: Principal, row: RefusedRow) -> WardwatchError:
    """The error to answer an invalid reading with. If its stay is known, the refusal is noted there (never a value):
    something is sending and nothing arrives. If it names a stay that is not the sender's, there is no such stay."""
    try:
        stay_id = canonical_id(row.stay_id) if row.stay_id is not None else None
        place = _place(who, await find_wards(intake, who, [stay_id]), stay_id)
    except NotFound as problem:
        return problem
    if place is not None:
        await intake.refuse(*place, row.problem.errors[0].code[:40])
    return row.problem


def _place(who: Principal, wards: Mapping[str, str], stay_id: str | None) -> Place | None:
    """The stay that is named, else that of somebody at home; None when none is. Raises NotFound for another's."""
    if who.home is not None:
        if stay_id not in (None, who.home.stay_id):
            raise NotFound
        return who.home.ward_id, who.home.stay_id
    if stay_id is None:
        return None
    if stay_id not in wards:
        raise NotFound
    return wards[stay_id], stay_id
