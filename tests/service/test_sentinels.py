"""What must stay between a caller and the database is sent everywhere, and looked for everywhere else: in logs,
metrics, refusals, headers, the audit trail and the feed. Every call of the document is walked, so a new one is too."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest
from schemathesis import Case
from sqlalchemy import select

from service import logs, metrics
from service.settings import Settings
from service.storage.session import reading
from service.storage.tables import AuditRow, EventRow
from tests.access.furnished import furnished
from tests.access.hospital import Hospital
from tests.fuzz.cases import made_up, operations
from tests.fuzz.people import People

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEXT, NUMBER = "Quagga's secret", 98765.4321
SIGNS = ("Quagga", "98765", "9990000018", "999 000 0018")
HEADERS = ("If-Match", "If-None-Match", "Idempotency-Key", "Prefer", "User-Agent", "Referer", "Cookie", "Origin")
ROLES = ("lead", "administrator", "patient")
PASSWORD = "Quagga's long password"


@pytest.fixture
def settings(database_url: str, settings: Settings) -> Settings:
    return replace(settings, rate_limit=0)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The log, with all levels."""
    root = logging.getLogger()
    level = root.level
    logs.configure("debug")
    (handler,) = root.handlers
    stream = io.StringIO()
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def free_texts(document: dict[str, Any]) -> set[str]:
    """Names of fields that take any text."""
    found = set()
    for schema in document["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            for each in field.get("anyOf", [field]):
                if each.get("type") == "string" and not {"enum", "format", "pattern", "const"} & set(each):
                    found.add(name)
    return found


def marked(value: Any, free: set[str] | None, name: str = "") -> Any:
    """The value with the sentinel in every text and number; with `free`, in the texts of these fields alone."""
    if isinstance(value, dict):
        return {key: marked(each, free, key) for key, each in value.items()}
    if isinstance(value, list):
        return [marked(each, free, name) for each in value]
    if isinstance(value, str) and (free is None or name in free):
        return TEXT
    if isinstance(value, (int, float)) and not isinstance(value, bool) and free is None:
        return NUMBER
    return value


async def send(client: httpx.AsyncClient, case: Case, header: dict[str, str], free: set[str] | None) -> httpx.Response:
    """The request with the sentinel: in its texts alone, or wherever there is room for one."""
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", str(value) if free else TEXT)
    more: dict[str, Any] = {"headers": {**header, **({} if free else dict.fromkeys(HEADERS, TEXT))}}
    if case.media_type == "application/x-www-form-urlencoded":
        form = case.body if isinstance(case.body, dict) else {}
        more["data"] = {key: str(marked(value, free, key)) for key, value in form.items()}
    elif case.media_type:
        more["content"] = json.dumps(marked(case.body, free), default=str)
        more["headers"]["Content-Type"] = "application/json"
    return await client.request(case.method, path, params=marked(case.query or {}, free), **more)


def refusal(answer: httpx.Response) -> str:
    """What a refusal says; the state as it now stands is for whoever asked."""
    if answer.status_code < 400:
        return ""
    if answer.headers["content-type"].startswith("text/html"):
        return answer.text  # the sign-in page's
    said = answer.json()
    said.pop("current", None)
    return json.dumps(said, ensure_ascii=False)


async def test_nothing_said_in_confidence_is_repeated(
    hospital: Hospital, written: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    client = hospital.client
    document = (await client.get("/openapi.json")).json()
    ward = await furnished(hospital, "Quagga")
    number = [{"system": "nhs_number", "value": "999 000 0018"}]
    await ward.admit(identifiers=number)
    people = People(hospital, ward)
    await people.renew()
    strangers = {"nobody": {"Authorization": f"Bearer {TEXT}"}, "basic": {"Authorization": f"Basic {TEXT}"}}
    free = free_texts(document)
    walked, statuses = set(), set()
    for operation in operations(document):
        for case in made_up(operation, 1, 7):
            for role, header in (*((role, people.headers[role]) for role in ROLES), *strangers.items()):
                for texts in (free, None):
                    ids = {**ward.ids, "number": 1}
                    case.path_parameters = {name: ids.get(name, "x") for name in case.path_parameters or {}}
                    answer = await send(client, case, header, texts)
                    said = refusal(answer) + json.dumps(answer.headers.multi_items())
                    assert not [sign for sign in SIGNS if sign in said], (operation.label, role, said)
                    statuses.add(answer.status_code)
        await people.renew()
        walked.add(operation.label)
    assert len(walked) == sum(len(item) for item in document["paths"].values())
    assert {200, 201, 400, 401, 403, 404, 409, 422} <= statuses
    await hospital.app.state.trail.stop(hospital.app.state.database)
    await look_through(hospital, written.getvalue() + "".join(capfd.readouterr()))


async def look_through(hospital: Hospital, log: str) -> None:
    """No sign of it in what is kept about requests."""
    async with reading(hospital.app.state.database) as session:
        trail = [str(row._mapping) for row in await session.execute(select(AuditRow.__table__))]  # type: ignore[attr-defined]
        feed = [str(row._mapping) for row in await session.execute(select(EventRow.__table__))]  # type: ignore[attr-defined]
    counted = generate_latest(metrics.REGISTRY).decode()
    assert log
    assert len(trail) > 20
    assert len(feed) > 5
    for sign in SIGNS:
        assert sign not in log, context(log, sign)
        assert sign not in counted
        for each in (*trail, *feed):
            assert sign not in each


def context(text: str, sign: str) -> str:
    place = text.index(sign)
    return text[max(0, place - 500) : place + 500]


async def test_no_secret_is_repeated(
    hospital: Hospital, written: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Real secrets, rightly and wrongly used: passwords, codes, tokens of every kind, secrets of systems."""
    client, admin = hospital.client, await hospital.administrator()
    ward = await furnished(hospital)
    roles = [{"ward_id": ward.ids["ward_id"], "role": "clinician"}]
    body = {"email": "sam@ward.test", "name": "Sam", "roles": roles}
    invited = (await client.post("/v1/staff", headers=admin, json=body)).json()["set_password_token"]
    system = {"name": "App", "scopes": ["readings:write"], "ward_ids": [ward.ids["ward_id"]]}
    made = (await client.post("/v1/clients", headers=admin, json=system)).json()
    code = (await ward.bedside().new_code())["code"]
    await client.post("/oauth/password", json={"token": invited, "password": PASSWORD})
    await client.post("/oauth/password", json={"token": invited, "password": PASSWORD})  # used before
    asked = [
        {"grant_type": "password", "username": "sam@ward.test", "password": PASSWORD},
        {"grant_type": "password", "username": "sam@ward.test", "password": PASSWORD + "x"},
        {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["client_secret"]},
        {"grant_type": "client_credentials", "client_id": "x", "client_secret": made["client_secret"]},
        {"grant_type": "urn:wardwatch:pairing", "code": code, "birth_date": "1950-06-29"},
        {"grant_type": "urn:wardwatch:pairing", "code": code, "birth_date": "1950-06-30"},
        {"grant_type": "urn:wardwatch:pairing", "code": code, "birth_date": "1950-06-30"},
        {"grant_type": PASSWORD, "refresh_token": made["client_secret"]},
    ]
    secrets = {invited, code, PASSWORD, made["client_secret"], "1950-06-29"}
    said = ""
    for form in asked:
        answer = await client.post("/oauth/token", data=form)
        given = {answer.json().get(name) for name in ("access_token", "refresh_token")} - {None}
        for token in given:
            for again in range(3):  # used, then used again: stolen
                header = {"Authorization": f"Bearer {token}"}
                said += (await client.get("/v1/me", headers=header, params={"access_token": token})).text * again
                refreshed = await client.post(
                    "/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token}
                )
                said += refreshed.text if refreshed.status_code >= 400 else ""
            said += (await client.post("/oauth/revoke", data={"token": token})).text
        secrets |= given
        said += answer.text if answer.status_code >= 400 else ""
    assert len(secrets) >= 10
    await hospital.app.state.trail.stop(hospital.app.state.database)
    log = written.getvalue() + "".join(capfd.readouterr())
    async with reading(hospital.app.state.database) as session:
        trail = str((await session.execute(select(AuditRow.__table__))).all())  # type: ignore[attr-defined]
    for secret in secrets:
        for where in (log, said, trail, generate_latest(metrics.REGISTRY).decode()):
            assert secret not in where
