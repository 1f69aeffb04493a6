"""A ward as a partner system meets it: accounts by the real use cases, the rest over HTTP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from service.access.accounts import PARTNER_SCOPES, add_client
from service.clock import real_now
from service.fields import utc_text
from service.readings.schemas import OBSERVATIONS
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from service.wards.setup import open_ward
from tests.support.time import START

_numbers = count(1)


@dataclass(frozen=True)
class Partner:
    """A system with a token for one ward. Everything it does goes over HTTP."""

    http: httpx.AsyncClient
    ward_id: str
    client_id: str
    secret: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """One request with the token."""
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.http.request(method, path, json=body, headers=headers, **options)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path that must be there."""
        answer = await self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def admit(self, **plan: Any) -> str:
        """A new patient, admitted under a plan; the id of the stay."""
        person = {"family_name": "Okafor", "given_name": "Ada", "birth_date": "1950-05-17"}
        patient = await self.ask("POST", f"/v1/wards/{self.ward_id}/patients", person)
        assert patient.status_code == 201, patient.text
        body = {"patient_id": patient.json()["id"], "plan": plan}
        stay = await self.ask("POST", f"/v1/wards/{self.ward_id}/stays", body)
        assert stay.status_code == 201, stay.text
        return str(stay.json()["id"])

    async def discharge(self, stay_id: str) -> None:
        """End a stay without open high alerts."""
        version = (await self.get(f"/v1/stays/{stay_id}"))["version"]
        body = {"reason": "better", "outcomes": {}, "version": version}
        answer = await self.ask("POST", f"/v1/stays/{stay_id}/discharge", body)
        assert answer.status_code == 200, answer.text

    async def send(self, stay_id: str, **fields: Any) -> httpx.Response:
        """One reading; see `reading` for what is sent unless said."""
        return await self.ask("POST", "/v1/readings", reading(stay_id, **fields))

    async def kept(self, stay_id: str, **fields: Any) -> Any:
        """The answer to a reading that must be new."""
        answer = await self.send(stay_id, **fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def history(self, stay_id: str) -> list[Any]:
        """All readings of a stay, newest first."""
        rows: list[Any] = []
        page: dict[str, Any] = {"next_cursor": None}
        while not rows or page["next_cursor"]:
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            page = await self.get(f"/v1/stays/{stay_id}/readings", limit=200, **cursor)
            rows += page["items"]
            if not page["items"]:
                break
        return rows

    async def alerts(self, stay_id: str | None = None) -> list[Any]:
        """The unresolved alerts of the ward, or of one stay."""
        only = {"stay_id": stay_id} if stay_id else {}
        found: list[Any] = (await self.get("/v1/alerts", limit=200, **only))["items"]
        return found

    async def story(self, alert_id: str) -> list[tuple[str, str]]:
        """What happened to an alert, and at what time of day."""
        events = (await self.get(f"/v1/alerts/{alert_id}/events"))["items"]
        return [(event["type"].removeprefix("alert."), event["at"][11:16]) for event in events]

    async def events(self) -> list[Any]:
        """The ward's whole feed."""
        found: list[Any] = []
        while page := (await self.get(f"/v1/wards/{self.ward_id}/events", after=len(found), limit=200))["items"]:
            found += page
        return found


def reading(stay_id: str, observed_at: datetime | str = START, **fields: Any) -> dict[str, Any]:
    """The body of a reading: 97 % at the start of the test's time, with a name of its own, unless said."""
    at = observed_at if isinstance(observed_at, str) else utc_text(observed_at)
    named = {"client_reading_id": f"reading-{next(_numbers)}"} if "client_reading_id" not in fields else {}
    values = {} if fields.keys() & set(OBSERVATIONS) else {"spo2": 97}
    return {"stay_id": stay_id, "observed_at": at, **named, **values, **fields}


async def sign_in(http: httpx.AsyncClient, client_id: str, secret: str, scope: str = "") -> str:
    """A token for a client."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    answer = await http.post("/oauth/token", data=form | ({"scope": scope} if scope else {}))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def open_partner(
    http: httpx.AsyncClient,
    database: Database,
    ward_id: str | None = None,
    scopes: Sequence[str] = tuple(PARTNER_SCOPES),
) -> Partner:
    """A new client with these scopes, signed in; on a ward of its own unless one is given."""
    at = real_now()
    async with writing(database) as session:
        ward_id = ward_id or (await open_ward(session, None, at, name="Ash")).id
    async with writing(database) as session:
        client_id, secret = await add_client(session, name="Ash app", scopes=list(scopes), ward_ids=[ward_id], at=at)
    return Partner(http, ward_id, client_id, secret, await sign_in(http, client_id, secret))


@asynccontextmanager
async def calling(application: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of an application that is started; its faults come as 500, as over the wire."""
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://wardwatch.test") as made:
        yield made


async def rows_of(database: Database, table: str, **where: Any) -> list[Any]:
    """What lies in a table."""
    found = METADATA.tables[table]
    query = select(found).where(*(found.c[name] == value for name, value in where.items()))
    async with database.reads.connect() as connection:
        return list(await connection.execute(query))


async def everything_in(database: Database) -> str:
    """Every value of every table as one text, to look for what must not be there."""
    parts: list[str] = []
    for name in METADATA.tables:
        parts += [repr(tuple(row)) for row in await rows_of(database, name)]
    return "\n".join(parts)
