"""The headers of the API's answers are those that its document names."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.documented import SENT
from service.fields import utc_text
from tests.access.hospital import Hospital
from tests.support.time import START


def named(api: dict[str, Any], answer: httpx.Response) -> set[str]:
    """What the document says an answer may have."""
    path, method, status = answer.request.url.path, answer.request.method.lower(), str(answer.status_code)
    fitting = [place for place in api["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", place), path)]
    responses = api["paths"][min(fitting, key=lambda place: place.count("{"))][method]["responses"]
    return set((responses.get(status) or responses["default"])["headers"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_answer_has_the_headers_that_the_document_names(app: FastAPI, hospital: Hospital) -> None:
    api, seen = app.openapi(), set()
    answers: list[httpx.Response] = []

    async def keep(answer: httpx.Response) -> None:
        answers.append(answer)

    hospital.client.event_hooks["response"].append(keep)
    ward_id = await hospital.ward()
    lead, administrator = await hospital.lead(ward_id), await hospital.administrator()
    stays = [(await hospital.stay(lead, ward_id))["id"] for _ in range(2)]
    sent = {"stay_id": stays[0], "observed_at": utc_text(START), "spo2": 90, "client_reading_id": "a"}

    async def ask(method: str, path: str, who: Any = lead, **more: Any) -> httpx.Response:
        return await hospital.client.request(method, path, headers={**who, **more.pop("headers", {})}, **more)

    for _ in range(2):
        await ask("POST", "/v1/readings", json=sent)
    alert = (await ask("GET", "/v1/alerts")).json()["items"][0]
    await ask("POST", f"/v1/alerts/{alert['id']}/acknowledge", json={"version": 9})
    await ask("POST", f"/v1/alerts/{alert['id']}/acknowledge", json={"version": 1})
    await ask("GET", "/v1/alerts", {})
    await ask("GET", "/v1/staff", lead)
    await ask("POST", "/v1/wards", administrator, json={"name": "South"})
    for path in (f"/v1/wards/{ward_id}", f"/v1/wards/{ward_id}/coverage", f"/v1/stays/{stays[0]}"):
        await ask("GET", path)
    await ask("GET", f"/v1/wards/{ward_id}/stays", params={"limit": 1})

    for answer in answers:
        found = {name for name in SENT if name in answer.headers}
        told = named(api, answer)
        assert found <= told, answer.request.url
        if answer.is_success:
            assert {"ETag", "Location"} & told <= found, answer.request.url
        seen |= found
    assert seen == set(SENT) - {"Retry-After"}
