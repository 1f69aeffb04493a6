"""One ward with everybody on it, made through the real service: for tests that need a ward and not its making."""

from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from tests.access.hospital import Headers, Hospital


@dataclass(frozen=True)
class Ward:
    """The ids of a ward, one patient and the patient's stay, and the headers of those who work there.

    There are no patients' tokens yet: `system` sends readings for the patient."""

    id: str
    patient_id: str
    stay_id: str
    administrator: Headers
    lead: Headers
    clinician: Headers
    auditor: Headers
    system: Headers


async def make_ward(app: FastAPI, client: httpx.AsyncClient, name: str = "Respiratory") -> Ward:
    """A new ward with one patient and one active stay."""
    hospital = Hospital(app, client)
    ward_id = await hospital.ward(name)
    clinician = await hospital.clinician(ward_id)
    stay = await hospital.stay(clinician, ward_id)
    return Ward(
        id=ward_id,
        patient_id=stay["patient_id"],
        stay_id=stay["id"],
        administrator=await hospital.administrator(),
        lead=await hospital.lead(ward_id),
        clinician=clinician,
        auditor=await hospital.auditor(ward_id),
        system=await hospital.system(ward_id),
    )
