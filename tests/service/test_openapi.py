"""The OpenAPI document: valid, complete, and honest about refusals."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from alerts.reading import LIMITS
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


def test_where_a_reading_is_sent_the_key_of_the_request_is_named(operations) -> None:
    taking = [
        where
        for where, each in operations.items()
        if "Idempotency-Key" in {p["name"] for p in each.get("parameters", ())}
    ]
    assert sorted(taking) == [f"post /v1/readings{more}" for more in ("", "/batch", "/{reading_id}/answers")]


def test_who_makes_a_client_of_it_gets_classes_with_names_of_the_clinic(api) -> None:
    """Two of one name are told apart by the module they are from."""
    assert [name for name in api["components"]["schemas"] if "__" in name] == []


def test_every_schema_is_a_json_schema(api) -> None:
    assert len(api["components"]["schemas"]) >= 20
    for name, schema in api["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name


WORDS = {
    *Draft202012Validator.VALIDATORS,
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "contentMediaType"),
    *("discriminator", "$defs"),
}
"""The words of JSON Schema 2020-12, and the one that OpenAPI 3.1 adds which we use."""
ONE, SOME, NAMED = (
    ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"),
    ("anyOf", "oneOf", "allOf", "prefixItems"),
    ("properties", "$defs", "patternProperties", "dependentSchemas"),
)
"""Words under which there are schemas again: one, a list, by name."""


def schemas_in(schema: Any) -> list[dict[str, Any]]:
    """A schema and all within it: names of fields are no words."""
    if not isinstance(schema, dict):
        return []
    within = [schema[word] for word in ONE if word in schema]
    within += [each for word in SOME for each in schema.get(word, ())]
    within += [each for word in NAMED for each in schema.get(word, {}).values()]
    return [schema, *(found for each in within for found in schemas_in(each))]


def test_no_schema_has_a_word_that_json_schema_does_not_know(api) -> None:
    """A generator leaves out what it does not know: `ge` is no `minimum`."""
    elsewhere = [node["schema"] for node in walk(api) if isinstance(node.get("schema"), dict)]
    found = [each for schema in (*api["components"]["schemas"].values(), *elsewhere) for each in schemas_in(schema)]
    assert len(found) > 1000
    assert [(set(each) - WORDS, each) for each in found if not set(each) <= WORDS] == []


def test_the_limits_of_vitals_are_those_of_the_clinical_engine(api) -> None:
    fields = api["components"]["schemas"]["ReadingIn"]["properties"]
    for name, (low, high) in LIMITS.items():
        number, nothing = fields[name]["anyOf"]
        assert (number["minimum"], number["maximum"], nothing) == (low, high, {"type": "null"}), name


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
