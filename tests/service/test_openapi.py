"""The OpenAPI document: valid, complete, and honest about refusals."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from service.app import create_app
from service.errors import FieldError, Invalid
from service.openapi import body_of, routes_of
from service.problems import MEDIA_TYPE, document
from service.settings import Settings

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(secret_key="x" * 32))


@pytest.fixture(scope="module")
def api(app: FastAPI) -> dict[str, Any]:
    return json.loads(json.dumps(app.openapi()))


@pytest.fixture(scope="module")
def operations(api: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in api["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def walk(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        return [node, *(found for value in node.values() for found in walk(value))]
    return [found for value in node for found in walk(value)] if isinstance(node, list) else []


def test_it_is_openapi_3_1_and_says_whose(api) -> None:
    assert api["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(api["info"])
    assert set(api) <= {"openapi", "info", "servers", "paths", "webhooks", "components", "security", "tags"}


def test_every_schema_is_a_json_schema(api) -> None:
    assert len(api["components"]["schemas"]) >= 20
    for name, schema in api["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name


def test_every_reference_leads_somewhere(api) -> None:
    found = [node["$ref"] for node in walk(api) if isinstance(node.get("$ref"), str)]
    assert len(found) >= 50
    for reference in found:
        node = api
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_every_operation_has_an_id_of_its_own(operations) -> None:
    ids = [operation.get("operationId") for operation in operations.values()]
    assert all(ids)
    assert len(ids) == len(set(ids)) >= 30


def test_every_operation_declares_what_a_refusal_looks_like(operations) -> None:
    for name, operation in operations.items():
        assert MEDIA_TYPE in operation["responses"]["default"]["content"], name
        assert "422" not in operation["responses"], name


def test_a_real_refusal_is_what_is_declared(api) -> None:
    schema = {**api["components"]["schemas"]["Problem"], "components": api["components"]}
    Draft202012Validator(schema).validate(document(Invalid(errors=[FieldError("/a", "b", "c")])))


def test_every_path_parameter_is_declared(operations) -> None:
    for name, operation in operations.items():
        declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert declared == {part[1:-1] for part in name.split("/") if part.startswith("{")}, name


def test_the_bodies_our_guards_read_are_declared(app: FastAPI, operations) -> None:
    reading = [route for route in routes_of(app) if body_of(route)]
    assert len(reading) >= 8
    for route in reading:
        for method in route.methods or ():
            content = operations[f"{method.lower()} {route.path_format}"]["requestBody"]["content"]
            assert content["application/json"]["schema"]


def test_whoever_changes_what_they_saw_may_say_its_version_in_a_header(operations) -> None:
    takes = {name for name, each in operations.items() if "If-Match" in {p["name"] for p in each.get("parameters", ())}}
    assert takes >= {
        "post /v1/alerts/{alert_id}/acknowledge",
        "patch /v1/wards/{ward_id}",
        "put /v1/wards/{ward_id}/coverage",
        "patch /v1/patients/{patient_id}",
        "patch /v1/stays/{stay_id}/plan",
        "post /v1/stays/{stay_id}/discharge",
    }
    assert not [name for name in takes if name.startswith("get ")]


def test_no_key_of_a_later_version_of_the_format_slips_in(api) -> None:
    assert not [node for node in walk(api) if "itemSchema" in node]


def test_what_is_named_by_an_id_says_so(operations) -> None:
    for name, operation in operations.items():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                assert parameter["schema"].get("format") == "uuid", f"{name} {parameter['name']}"


async def test_it_is_served(client, api) -> None:
    assert (await client.get("/openapi.json")).json() == api
