"""People at home: a stay, the codes the team gives out for it, and apps that are paired with it over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx

from service.fields import utc_text
from tests.access.hospital import Headers, Hospital
from tests.support.time import START

BIRTH_DATE = "1950-06-30"
PAIRING = "urn:wardwatch:pairing"


@dataclass(frozen=True)
class Bedside:
    """A stay, and a clinician of its ward."""

    hospital: Hospital
    ward_id: str
    stay: dict[str, Any]
    team: Headers

    @property
    def path(self) -> str:
        return f"/v1/stays/{self.stay['id']}"

    async def new_code(self, **body: Any) -> dict[str, Any]:
        """A pairing code, as the service answers it."""
        answer = await self.hospital.client.post(f"{self.path}/pairing-codes", headers=self.team, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def tokens(self, **body: Any) -> dict[str, Any]:
        """The tokens of an app that was paired with a new code."""
        answer = await bring(self.hospital.client, (await self.new_code(**body))["code"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def app(self, **body: Any) -> Headers:
        """The header of a paired app."""
        return bearer(await self.tokens(**body))

    async def listed(self, what: str) -> list[dict[str, Any]]:
        """`pairing-codes`, `pairings` or `carers` of the stay, as the team sees them."""
        answer = await self.hospital.client.get(f"{self.path}/{what}", headers=self.team)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def discharge(self) -> None:
        """End the stay."""
        client = self.hospital.client
        version = (await client.get(self.path, headers=self.team)).json()["version"]
        body = {"reason": "better", "version": version}
        answer = await client.post(f"{self.path}/discharge", headers=self.team, json=body)
        assert answer.status_code == 200, answer.text


async def bedside(hospital: Hospital, ward_id: str | None = None) -> Bedside:
    """A new stay, on a ward of its own unless one is given."""
    ward_id = ward_id or await hospital.ward()
    team = await hospital.clinician(ward_id)
    return Bedside(hospital, ward_id, await hospital.stay(team, ward_id, birth_date=BIRTH_DATE), team)


async def bring(client: httpx.AsyncClient, code: str, birth_date: str = BIRTH_DATE) -> httpx.Response:
    """What an app does with a code."""
    form = {"grant_type": PAIRING, "code": code, "birth_date": birth_date}
    return await client.post("/oauth/token", data=form)


async def refresh(client: httpx.AsyncClient, tokens: dict[str, Any]) -> httpx.Response:
    """What an app does when its access token has expired."""
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return await client.post("/oauth/token", data=form)


def assert_unpaired(answer: httpx.Response) -> None:
    """An app that only refreshes is told as well."""
    problem = answer.json()
    said = (answer.status_code, problem["error"], problem["code"])
    assert said == (400, "invalid_grant", "pairing_ended"), answer.text
    assert "new code" in problem["detail"]
    assert "not recorded" in problem["safety_text"]
    assert "999" in problem["safety_text"]


def assert_ended(answer: httpx.Response) -> None:
    """The token is worth nothing, and that is all."""
    problem = answer.json()
    assert (answer.status_code, problem["error"], problem["code"]) == (400, "invalid_grant", "invalid_grant")
    assert "safety_text" not in problem


def bearer(tokens: dict[str, Any]) -> Headers:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def reading(**fields: Any) -> dict[str, Any]:
    """A reading as an app sends it: without the stay."""
    return {"observed_at": utc_text(START), "spo2": 97, **fields}
