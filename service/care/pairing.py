"""The team's part in pairing apps: codes for a patient or a carer, which apps are paired, and taking it all back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from service.access import audit
from service.access import pairing_store as store
from service.access.codes import CodeHashes
from service.access.pairing import ForWhom, issue_code
from service.access.principals import Principal
from service.care.store import get_stay, lock_stay, require_going_on
from service.errors import FieldError, Invalid, NotFound
from service.fields import new_id
from service.patients.store import get_on_ward
from service.storage.session import WriteSession


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a code is asked for: the patient, a carer who is known, or a new one by name."""

    carer_id: str | None = None
    carer_name: str | None = None
    relationship: str | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """Who of the team acts on which stay; `at` is real time."""

    session: WriteSession
    who: Principal
    ward_id: str
    stay_id: str
    at: datetime

    async def note(self, action: str, subject: tuple[str, str], **detail: Any) -> None:
        """Add it to the audit trail."""
        await audit.append(
            self.session, self.who, action, self.at, ward_id=self.ward_id, subject=subject, detail=detail
        )


async def give_code(team: Team, hashes: CodeHashes, asked: Asked) -> tuple[str, dict[str, Any]]:
    """A code, to be shown once, and what is known of it.

    Raises NotFound, StayDischarged; Invalid for a carer who is not this patient's, or was removed."""
    stay = await lock_stay(team.session, team.who, team.ward_id, team.stay_id)
    require_going_on(stay)
    patient = await get_on_ward(team.session, team.who, team.ward_id, stay.patient_id)
    carer = await _carer(team, stay.patient_id, asked)
    for_whom = ForWhom(team.ward_id, stay.id, patient.id, patient.birth_date, carer["id"])
    code, row = await issue_code(team.session, hashes, team.who, for_whom, team.at)
    return code, {**row, "carer_name": carer["name"], "carer_relationship": carer["relationship"]}


async def take_code_back(team: Team, code_id: str | None) -> None:
    """A code that has not been used ends; raises NotFound if the stay has no such open code."""
    code = store.CODE.c
    which = (code.ward_id == team.ward_id, code.stay_id == team.stay_id, code.id == code_id)
    if not await store.revoke_codes(team.session, team.at, *which):
        raise NotFound
    await team.note("pairing.code_revoked", ("stay", team.stay_id), code_id=code_id)


async def end_pairing(team: Team, pairing_id: str | None) -> None:
    """A paired app ends, with its tokens; raises NotFound if the stay has no such app, or it has ended."""
    pairing = store.PAIRING.c
    which = (pairing.ward_id == team.ward_id, pairing.stay_id == team.stay_id, pairing.id == pairing_id)
    if not await store.end_pairings(team.session, team.at, "ended_by_team", *which):
        raise NotFound
    await team.note("pairing.ended", ("stay", team.stay_id), pairing_id=pairing_id)


async def remove_carer(team: Team, carer_id: str | None) -> None:
    """A carer no longer acts for the patient: neither with codes nor with apps, on any stay. Raises NotFound."""
    stay = await get_stay(team.session, team.who, team.ward_id, team.stay_id)
    carer = await store.find_carer(team.session, team.who, team.ward_id, carer_id) if carer_id else None
    if carer is None or carer.patient_id != stay.patient_id:
        raise NotFound
    code, pairing = store.CODE.c, store.PAIRING.c
    # Codes first, as at a discharge.
    await store.revoke_codes(team.session, team.at, code.ward_id == team.ward_id, code.carer_id == carer.id)
    of_the_carer = (pairing.ward_id == team.ward_id, pairing.carer_id == carer.id)
    await store.end_pairings(team.session, team.at, "carer_removed", *of_the_carer)
    await store.remove_carer(team.session, team.ward_id, carer.id, team.at)
    await team.note("carer.removed", ("carer", carer.id))


async def _carer(team: Team, patient_id: str, asked: Asked) -> dict[str, Any]:
    if asked.carer_id is not None:
        found: Row[Any] | None = await store.find_carer(team.session, team.who, team.ward_id, asked.carer_id)
        if found is None or found.patient_id != patient_id:
            raise Invalid(errors=[FieldError("/carer_id", "unknown", "is no carer of this patient")])
        return dict(found._mapping)
    if asked.carer_name is None:
        return {"id": None, "name": None, "relationship": None}
    carer_id = new_id()
    row = {
        "ward_id": team.ward_id,
        "id": carer_id,
        "patient_id": patient_id,
        "name": asked.carer_name,
        "relationship": asked.relationship,
        "created_at": team.at,
    }
    await store.insert_carer(team.session, row)
    await team.note("carer.added", ("carer", carer_id))
    return row
