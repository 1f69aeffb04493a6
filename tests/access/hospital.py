"""Wards, staff and systems made through the real service, and tokens it issued. Without passwords: each costs
a tenth of a second, and `test_signing_in` covers them."""

from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from service.access import accounts
from service.access.store import find_principal
from service.clock import real_now
from service.fields import new_id
from service.storage.session import reading, writing
from service.wards.setup import open_ward

Headers = dict[str, str]
EVERY_SCOPE = tuple(sorted(accounts.PARTNER_SCOPES))


@dataclass(frozen=True)
class Hospital:
    """The running service, and what a test needs to have in it."""

    app: FastAPI
    client: httpx.AsyncClient

    async def ward(self, name: str = "Respiratory") -> str:
        """A new ward's id."""
        async with writing(self.app.state.database) as session:
            return (await open_ward(session, None, real_now(), name=name)).id

    async def staff_id(
        self, *ward_ids: str, role: str = "clinician", administrator: bool = False, name: str = "Sam Example"
    ) -> str:
        """The id of a new member of staff."""
        async with writing(self.app.state.database) as session:
            return await accounts.add_staff(
                session,
                email=f"{new_id()}@ward.test",
                name=name,
                password_hash="never signs in with a password",
                roles=dict.fromkeys(ward_ids, role),
                administrator=administrator,
                at=real_now(),
            )

    async def token(self, kind: str, principal_id: str, *scopes: str) -> Headers:
        """The header of a new token; without scopes it carries all the account has."""
        async with reading(self.app.state.database) as session:
            who = await find_principal(session, kind, principal_id)
        assert who is not None
        given = await self.app.state.desk.admit(who, frozenset(scopes) or who.scopes)
        return {"Authorization": f"Bearer {given.access_token}"}

    async def clinician(self, *ward_ids: str) -> Headers:
        """A clinician of the wards."""
        return await self.token("staff", await self.staff_id(*ward_ids))

    async def lead(self, *ward_ids: str) -> Headers:
        """A lead of the wards."""
        return await self.token("staff", await self.staff_id(*ward_ids, role="lead"))

    async def auditor(self, *ward_ids: str) -> Headers:
        """An auditor of the wards."""
        return await self.token("staff", await self.staff_id(*ward_ids, role="auditor"))

    async def administrator(self) -> Headers:
        """An administrator, on no ward."""
        return await self.token("staff", await self.staff_id(administrator=True))

    async def client_id(self, *ward_ids: str, scopes: tuple[str, ...] = EVERY_SCOPE, name: str = "App") -> str:
        """The id of a new partner system."""
        async with writing(self.app.state.database) as session:
            found, _ = await accounts.add_client(session, name=name, scopes=scopes, ward_ids=ward_ids, at=real_now())
        return found

    async def system(self, *ward_ids: str, scopes: tuple[str, ...] = EVERY_SCOPE) -> Headers:
        """A partner system on the wards."""
        return await self.token("client", await self.client_id(*ward_ids, scopes=scopes))

    async def patient(self, header: Headers, ward_id: str, **more: Any) -> dict[str, Any]:
        """A new patient, as the service answers it."""
        person = {"family_name": "Example", "given_name": "Pat", "birth_date": "1950-06-30", **more}
        answer = await self.client.post(f"/v1/wards/{ward_id}/patients", headers=header, json=person)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def stay(self, header: Headers, ward_id: str, plan: Any = None, **person: Any) -> dict[str, Any]:
        """A new stay of a new patient, as the service answers it."""
        patient = await self.patient(header, ward_id, **person)
        body = {"patient_id": patient["id"], "plan": plan}
        answer = await self.client.post(f"/v1/wards/{ward_id}/stays", headers=header, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found
