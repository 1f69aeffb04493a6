"""Made-up requests sent to a running service as every role, and what may not be in the answers."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.app import create_app
from service.settings import Settings
from tests.access.furnished import Furnished, furnished
from tests.access.hospital import Hospital
from tests.access.table import cell, routes
from tests.conftest import running
from tests.fuzz.cases import dressed, made_up, operations
from tests.fuzz.people import AT_HOME, ONE_SCOPE, People
from tests.support.cli import SECRET_KEY, serving

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ANSWERED_WITHIN = 60.0
"""Seconds: whoever is held longer may be held for ever."""
ELSEWHERE, BESIDE = "Quagga", "Tapir"
"""What stands in all texts of the other ward; and in those of other patients of the own ward."""


@dataclass
class Found:
    """What became of the requests: statuses counted by role, and what was wrong, each once."""

    sent: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, case: Case, role: str, what: str, whole: str) -> None:
        """Something is wrong with the answer to a request."""
        self.wrong.setdefault((case.operation.label, what), f"as {role}: {whole}")


class Fuzz:
    """A hospital with two wards, and everybody on the first of them."""

    def __init__(self, hospital: Hospital, url: str, document: dict[str, Any], seed: int) -> None:
        self.hospital, self.url, self.document, self.seed = hospital, url, document, seed
        self.random = Random(seed)
        self.found = Found()
        self.offered_to: set[str] = set()
        self.session = requests.Session()
        self.session.trust_env = False
        self.cells = {
            (f"{method} {route.path}", role): cell(route, role)
            for route in routes()
            for method in route.methods
            for role in ("patient", "carer", "clinician", "lead", "auditor", "administrator", "partner")
        }

    async def set_up(self) -> None:
        """Furnish the wards, and give them rules, shifts and policies of their own."""
        self.other = await furnished(self.hospital, ELSEWHERE)
        self.own = await furnished(self.hospital, "Own")
        for each in (self.other, self.own):
            await each.lay_down()
        beside = Furnished(self.hospital, dict(self.own.ids), self.own.team, BESIDE)
        await beside.bed()
        self.beside = beside
        self.people = People(self.hospital, self.own)
        await self.people.renew()

    async def run(self, each: int, only: str = "") -> Found:
        """`each` requests that the document allows, and `each` that it does not, to every operation as every role."""
        for operation in operations(self.document):
            if only not in operation.label:
                continue
            cases = made_up(operation, each, self.seed)
            for raw in cases:
                for role, header in self.people.headers.items():
                    # An administrator may put anybody on any ward: nothing would be of another ward any more.
                    others = [self.beside.ids] if role == "administrator" else [self.other.ids, self.beside.ids]
                    case = dressed(raw, self.random, self.own.ids, others)
                    await asyncio.to_thread(self._send, case, role, header)
            await self.people.renew()
        return self.found

    def _send(self, case: Case, role: str, header: dict[str, str]) -> None:
        try:
            response = case.call(base_url=self.url, session=self.session, headers=header, timeout=ANSWERED_WITHIN)
        except requests.RequestException as problem:
            self.found.note(case, role, "no answer", str(problem))
            return
        self.found.sent[role, response.status_code] += 1
        if case.operation.label == "POST /v1/stays/{stay_id}/transfer" and response.status_code == 202:
            self.offered_to.add(case.body["ward_id"])
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                self.found.note(case, role, f"{type(failure).__name__} {response.status_code}", str(failure))
        self._look_for_others(case, role, response)
        may = self.cells.get((case.operation.label, "partner" if role in ONE_SCOPE else role))
        if may == "–" and response.status_code not in (401, 403, 404, 405, 414):
            self.found.note(case, role, "may not", f"{response.status_code} {response.text}")
        guarded = self.cells[case.operation.label, "lead"] != "any"
        if role == "anonymous" and guarded and response.status_code not in (401, 405, 414):
            self.found.note(case, role, "without a token", f"{response.status_code} {response.text}")

    def _look_for_others(self, case: Case, role: str, response: Any) -> None:
        text = _answered(response) + json.dumps(dict(response.headers), default=str)
        asked = f"{case.path_parameters} {case.query} {case.body}"
        names, ids = {self.other.clinical}, set(self.other.known)
        if role != "administrator":
            names.add(self.other.administrative)
            ids |= set(self.other.ids.values())
        if role in (*AT_HOME, "administrator"):
            names.add(self.beside.clinical)
            ids |= self.beside.known
        # What was asked about may be named in the answer: that it is not there. And so may a ward to which the own one
        # has offered a stay, wherever that is told.
        for each in names | {one for one in ids - self.offered_to if one not in asked}:
            if each in text:
                place = text.index(each)
                around = text[max(0, place - 300) : place + 300]
                self.found.note(case, role, "of others", f"{response.status_code} {around}\n{case.as_curl_command()}")


def _answered(response: Any) -> str:
    """The text of an answer; of the audit trail without refusals, which say what somebody asked for in vain."""
    if "/v1/audit" in response.request.url and response.status_code == 200:
        return json.dumps([each for each in response.json()["items"] if each["outcome"] != "refused"])
    return str(response.text)


@asynccontextmanager
async def fuzzing(database_url: str, seed: int) -> AsyncIterator[Fuzz]:
    """A running service on the database, with the wards furnished."""
    more = {"WARDWATCH_RATE_LIMIT": "0", "WARDWATCH_LOG_LEVEL": "warning"}
    application = create_app(Settings(database_url=database_url, secret_key=SECRET_KEY, timers=False))
    async with (
        serving(WARDWATCH_DATABASE_URL=database_url, **more) as (_, client),
        running(application),
    ):
        document = (await client.get("/openapi.json")).json()
        fuzz = Fuzz(Hospital(application, client), str(client.base_url), document, seed)
        await fuzz.set_up()
        yield fuzz
