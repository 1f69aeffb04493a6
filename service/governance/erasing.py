"""Erasure by pseudonymisation: one lead of the ward asks for it, another carries it out. The identity goes for good;
readings and alerts stay under the patient's id, for the safety record."""

from dataclasses import dataclass, replace
from datetime import datetime

from service.access import audit, changes
from service.access.pairing_store import PAIRING, end_pairings
from service.access.principals import Principal
from service.errors import Conflict, NotAllowed, SecondPersonNeeded
from service.feed.numbering import NewEvent, append_events
from service.fields import new_id
from service.governance import blanking
from service.governance import erasure_store as store
from service.governance.erasure_store import Erasure
from service.patients.refusals import AlertUnresolved, PatientErased, StayGoesOn
from service.patients.store import Patient, get_on_ward
from service.storage.session import WriteSession

LEAD = "lead"
ENDED = "erased"


@dataclass(frozen=True, slots=True)
class Asking:
    """Who acts on which patient of a ward, and when: `at` clinical, `real_at` real time."""

    session: WriteSession
    who: Principal
    ward_id: str
    patient_id: str
    at: datetime
    real_at: datetime

    async def hold(self) -> Patient:
        """The patient, held until the transaction ends.

        Raises NotFound, NotAllowed for who is no lead, PatientErased."""
        if self.who.kind != "staff" or self.who.roles.get(self.ward_id) != LEAD:
            raise NotAllowed("Only leads of the ward have an identity removed.")
        patient = await get_on_ward(self.session, self.who, self.ward_id, self.patient_id, lock=True)
        if patient.erased_at is not None:
            raise PatientErased
        return patient

    async def note(self, action: str, erasure: Erasure) -> None:
        """Add it to the audit trail: the reason is a word, and nothing says who the patient was."""
        detail = {"erasure_id": erasure.id, "reason": erasure.reason}
        subject = ("patient", self.patient_id)
        await audit.append(
            self.session, self.who, action, self.real_at, ward_id=self.ward_id, subject=subject, detail=detail
        )


async def propose(asking: Asking, reason: str, reference: str | None) -> Erasure:
    """Ask for the identity to be removed; nothing changes until another lead approves.

    Raises NotFound, NotAllowed, PatientErased, StayGoesOn, AlertUnresolved, Conflict when it was asked for already."""
    await asking.hold()
    await _require_over(asking)
    known = await store.find_proposed(asking.session, asking.who, asking.ward_id, asking.patient_id)
    if known is not None:
        raise Conflict("An erasure was asked for already and waits for another lead.", erasure_id=known.id)
    erasure = Erasure(
        id=new_id(), ward_id=asking.ward_id, patient_id=asking.patient_id, status="proposed", reason=reason,
        reference=reference, proposed_at=asking.real_at, proposed_by=asking.who.id, decided_at=None, decided_by=None,
    )  # fmt: skip
    await store.insert_erasure(asking.session, erasure)
    await asking.note("patient.erasure_proposed", erasure)
    return erasure


async def withdraw(asking: Asking) -> Erasure:
    """Take back what was asked for. Raises NotFound, NotAllowed, PatientErased, Conflict when nothing was."""
    await asking.hold()
    return await _decide(asking, await _proposed(asking), "withdrawn")


async def approve(asking: Asking) -> Erasure:
    """Remove the identity, as another lead than the one who asked. There is no way back.

    Raises NotFound, NotAllowed, PatientErased, StayGoesOn, AlertUnresolved, SecondPersonNeeded, Conflict when nothing
    was asked for."""
    patient = await asking.hold()
    erasure = await _proposed(asking)
    if erasure.proposed_by == asking.who.id:
        raise SecondPersonNeeded("Another lead than the one who asked has to approve an erasure.")
    await _require_over(asking)
    session, ward_id, patient_id = asking.session, asking.ward_id, asking.patient_id
    await _end_access(asking)
    await blanking.blank(session, ward_id, patient_id)
    await store.mark_erased(session, ward_id, patient_id, patient.version, asking.real_at)
    done = await _decide(asking, erasure, "carried_out")
    # Last, for it locks the ward's feed: whoever shows names shows these no more.
    data = {"version": patient.version + 1}
    event = NewEvent("patient.erased", asking.at, "patient", patient_id, data, asking.who.id)
    await append_events(session, ward_id, [event])
    return done


async def _require_over(asking: Asking) -> None:
    stays = await blanking.hold_stays(asking.session, asking.ward_id, asking.patient_id)
    for stay in stays:
        if stay.status != "discharged":
            raise StayGoesOn(stay_id=stay.id)
    alert_id = await store.find_unresolved(asking.session, asking.ward_id, [stay.id for stay in stays])
    if alert_id is not None:
        raise AlertUnresolved(alert_id=alert_id)


async def _proposed(asking: Asking) -> Erasure:
    erasure = await store.find_proposed(asking.session, asking.who, asking.ward_id, asking.patient_id)
    if erasure is None:
        raise Conflict("No erasure was asked for.")
    return erasure


async def _decide(asking: Asking, erasure: Erasure, status: str) -> Erasure:
    decision = {"status": status, "decided_at": asking.real_at, "decided_by": asking.who.id}
    await store.decide_erasure(asking.session, erasure, decision)
    await asking.note("patient.erased" if status == "carried_out" else "patient.erasure_withdrawn", erasure)
    return replace(erasure, status=status, decided_at=asking.real_at, decided_by=asking.who.id)


async def _end_access(asking: Asking) -> None:
    """Nobody at home signs in for this person any more, and no replica remembers who they were."""
    session, at = asking.session, asking.real_at
    which = (PAIRING.c.ward_id == asking.ward_id, PAIRING.c.patient_id == asking.patient_id)
    await end_pairings(session, at, ENDED, *which)
    carers = await store.remove_carers(session, asking.ward_id, asking.patient_id, at)
    for kind, subject_id in [("patient", asking.patient_id), *(("carer", each) for each in carers)]:
        await changes.note(session, kind, subject_id, at)
