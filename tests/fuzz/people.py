"""Who sends made-up requests: one of each role on the own ward, made anew when a request ended them."""

from dataclasses import dataclass, field

import httpx

from tests.access.furnished import Furnished
from tests.access.hospital import EVERY_SCOPE, Headers, Hospital

STAFF = ("clinician", "lead", "auditor")
AT_HOME = ("patient", "carer")
ONE_SCOPE = {"reader": ("readings:read",), "writer": ("readings:write",), "desk": ("patients:read", "patients:write")}
"""Systems that were given little."""


@dataclass
class People:
    """The headers of every role. `own` is their ward."""

    hospital: Hospital
    own: Furnished
    headers: dict[str, Headers] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)

    async def renew(self) -> None:
        """Whoever is no longer what they were, is made anew."""
        gone = [role for role in self._roles() if not await self._is_there(role)]
        if set(gone) & set(AT_HOME):
            await self._renew_home()
        for role in gone:
            if role not in AT_HOME:
                self.headers[role] = await self._made(role)
            self.held[role] = await self._scopes(role)

    async def _renew_home(self) -> None:
        if not await self._scopes_of(self.own.team):
            self.own.team = await self.hospital.lead(self.own.ids["ward_id"])
        await self.own.bed()
        self.headers |= await self.own.pair()

    def _roles(self) -> tuple[str, ...]:
        return ("anonymous", *STAFF, "administrator", "partner", *ONE_SCOPE, *AT_HOME)

    async def _made(self, role: str) -> Headers:
        ward_id = self.own.ids["ward_id"]
        if role == "anonymous":
            return {}
        if role == "administrator":
            return await self.hospital.administrator()
        if role in STAFF:
            return await self.hospital.token("staff", await self.hospital.staff_id(ward_id, role=role))
        return await self.hospital.system(ward_id, scopes=ONE_SCOPE.get(role, EVERY_SCOPE))

    async def _is_there(self, role: str) -> bool:
        return role in self.headers and await self._scopes(role) == self.held.get(role)

    async def _scopes(self, role: str) -> set[str]:
        return await self._scopes_of(self.headers[role]) if role != "anonymous" else {"none"}

    async def _scopes_of(self, header: Headers) -> set[str]:
        answer: httpx.Response = await self.hospital.client.get("/v1/me", headers=header)
        return set(answer.json()["scopes"]) if answer.status_code == 200 else set()
