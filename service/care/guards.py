"""Guards of paths that name a stay or a patient: they find the ward before a body is read, by a short read of
their own, so that somebody who sends slowly holds neither a connection nor the write lock."""

from typing import NamedTuple

from fastapi import Request

from service.access.guards import PathId, Requires
from service.access.principals import Principal
from service.access.trail import trail_of
from service.care.store import find_ward_of
from service.errors import NotFound
from service.fields import canonical_id
from service.patients.store import get_patient
from service.storage.session import database_of, reading


class OnWard(NamedTuple):
    """Who asks, about what, on which ward."""

    who: Principal
    ward_id: str
    id: str


class RequiresOnStay(Requires):
    """`Requires`, for a path with `{stay_id}`: raises NotFound unless on one of the principal's wards."""

    async def __call__(self, request: Request, stay_id: PathId) -> OnWard:  # type: ignore[override]
        who = await self.admit(request)
        known = canonical_id(stay_id)
        if known is None:
            raise NotFound
        async with reading(database_of(request)) as session:
            ward_id = await find_ward_of(session, who, known)
        if ward_id is None:
            raise NotFound
        if request.method == "GET":
            trail_of(request).read(who, ward_id, ("stay", known))
        return OnWard(who, ward_id, known)


class RequiresOnPatient(Requires):
    """`Requires`, for a path with `{patient_id}`: raises NotFound unless on one of the principal's wards."""

    async def __call__(self, request: Request, patient_id: PathId) -> OnWard:  # type: ignore[override]
        who = await self.admit(request)
        async with reading(database_of(request)) as session:
            patient = await get_patient(session, who, canonical_id(patient_id))
        return OnWard(who, patient.ward_id, patient.id)
