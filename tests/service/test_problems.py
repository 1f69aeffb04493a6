"""Every refusal is one shape, and never says again what was refused."""

import re

import pytest
from fastapi import FastAPI

from service import errors
from service.errors import FieldError, Invalid, WardwatchError
from service.problems import MEDIA_TYPE, document, pointer
from tests.service.conftest import SENTINEL

FIELDS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def classes(base: type[WardwatchError] = WardwatchError) -> list[type[WardwatchError]]:
    """The service's own; tests define some more."""
    ours = [below for below in base.__subclasses__() if below.__module__.startswith("service.")]
    return [base, *(found for below in ours for found in classes(below))]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_a_code_and_a_message(kind: type[WardwatchError]) -> None:
    assert 400 <= kind.status <= 599
    assert re.fullmatch(r"[a-z_]+", kind.code)
    assert (kind.__doc__ or "").strip().endswith((".", "`.", "sent."))
    assert set(document(kind())) >= FIELDS


def test_no_two_errors_share_a_code() -> None:
    """A kind of another error, told in its own words, keeps the other's code."""
    codes = [kind.code for kind in classes() if "code" in vars(kind)]
    assert len(codes) == len(set(codes))
    assert len(codes) > 20


def test_the_docstring_is_the_message() -> None:
    assert document(errors.NotFound())["detail"] == errors.NotFound.__doc__
    assert document(errors.NotFound("No such ward."))["detail"] == "No such ward."


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, "not_found"),
        ("/fails/missing", 404, "not_found"),
        ("/notes", 405, "method_not_allowed"),
        ("/fails/http", 400, "bad_request"),
        ("/numbers/x", 422, "invalid"),
        ("/fails/ours", 500, "internal_error"),
        ("/fails/database", 503, "database_unavailable"),
        ("/fails/network", 503, "database_unavailable"),
    ],
)
async def test_a_refusal_is_a_problem_document(http, path: str, status: int, code: str) -> None:
    answer = await http.get(path)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert set(problem) == FIELDS
    assert problem["type"] == f"urn:wardwatch:problem:{code}"
    assert problem["request_id"] == answer.headers["x-request-id"] != ""
    assert SENTINEL not in answer.text


async def test_what_may_be_tried_again_says_when(http) -> None:
    assert int((await http.get("/fails/database")).headers["retry-after"]) >= 1


async def test_who_is_not_signed_in_is_told_how(app: FastAPI, client) -> None:
    answer = await client.get("/v1/alerts")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("body", "pointed_at", "code"),
    [
        ({"name": "n", "spo2": SENTINEL}, "/spo2", "float_type"),
        ({"name": "n", "spo2": 4815162342}, "/spo2", "less_than_equal"),
        ({"name": "n", "spo2": True}, "/spo2", "float_type"),
        ({"name": "n", "at": SENTINEL}, "/at", "value_error"),
        ({"name": SENTINEL * 20}, "/name", "string_too_long"),
        ({"name": f"{SENTINEL}\x00"}, "/name", "value_error"),
        ({"name": "n", "unknown": SENTINEL}, "/unknown", "extra_forbidden"),
        ({}, "/name", "missing"),
        ([SENTINEL], "", "model_type"),
    ],
    ids=["text", "range", "boolean", "time", "length", "nul", "unknown", "missing", "list"],
)
async def test_a_refused_field_is_pointed_at_and_its_value_not_repeated(http, body, pointed_at, code) -> None:
    answer = await http.post("/notes", json=body)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointed_at, code)]
    assert "4815162342" not in answer.text


@pytest.mark.parametrize(
    ("path", "pointed_at"), [(f"/numbers/{SENTINEL}", "/number"), (f"/numbers/1?limit={SENTINEL}", "/limit")]
)
async def test_a_refused_parameter_is_pointed_at_and_not_repeated(http, path: str, pointed_at: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointed_at
    assert SENTINEL not in answer.text


def test_a_pointer_is_escaped_as_json_pointers_are() -> None:
    assert pointer(["a/b", "c~d", 0]) == "/a~1b/c~0d/0"


def test_more_facts_stand_beside_the_usual_ones() -> None:
    problem = document(Invalid(errors=[FieldError("/a", "b", "c")], safety_text="ring"))
    assert problem["errors"] == [{"pointer": "/a", "code": "b", "message": "c"}]
    assert problem["safety_text"] == "ring"
