"""Requests made up from the OpenAPI document, and put on ids that are there: made-up ids alone would end at 404."""

from random import Random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode

from service.fields import canonical_id
from tests.access.furnished import Ids

OWN, OTHER = 0.7, 0.2
"""How often an id is one of the own ward, and of another; else it stays as it was made up."""


def operations(document: dict[str, Any]) -> list[APIOperation]:
    """Every operation of the document."""
    return [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]


def made_up(operation: APIOperation, each: int, seeded: int) -> list[Case]:
    """`each` requests that the document allows, and `each` that it does not; the same ones for the same seed."""
    found: list[Case] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seed(seeded)
        @settings(
            max_examples=each, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(generation_mode=mode))
        def draw(case: Case) -> None:
            found.append(case)

        try:
            draw()
        except Unsatisfiable:
            assert mode == GenerationMode.NEGATIVE  # an operation that takes nothing has nothing to break
    return found


def dressed(raw: Case, random: Random, own: Ids, others: list[Ids]) -> Case:
    """The request with ids and versions that may be there."""
    choose = _Choosing(random, own, others)
    headers = {name: value for name, value in raw.headers.items() if name != "Prefer"}  # `wait` would hold each of them
    if random.random() < 0.5:
        headers["If-Match"] = f'"{random.randint(1, 3)}"'
    return raw.operation.Case(
        path_parameters=_replaced(raw.path_parameters or {}, choose),
        query=_replaced(raw.query or {}, choose),
        headers=headers,
        cookies=raw.cookies,
        body=_replaced(raw.body, choose),
        media_type=raw.media_type,
    )


class _Choosing:
    def __init__(self, random: Random, own: Ids, others: list[Ids]) -> None:
        self.random, self.own, self.others = random, own, others

    def __call__(self, name: str, value: Any) -> Any:
        if name == "assigned_to":
            name = "staff_id"
        if name == "version":
            return self.random.choice((1, 1, 2, 3, value))
        if name == "number":
            return self.random.choice((0, 1, 2, value))
        if name == "notify" and self.random.random() < OTHER:
            return f"staff:{self.random.choice(self.others)['staff_id']}"
        if not name.endswith("_id") and (name != "id" or not _is_id(value)):
            return value  # the `id` of a device is a text, and read back: what it says comes from nobody's ward
        drawn = self.random.random()
        if drawn >= OWN + OTHER:
            return value
        held = self.own if drawn < OWN else self.random.choice(self.others)
        return held.get("alert_id" if name == "id" else name, value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and canonical_id(value) is not None


def _replaced(body: Any, choose: _Choosing) -> Any:
    if isinstance(body, dict):
        return {name: _replaced(choose(name, value), choose) for name, value in body.items()}
    return [_replaced(each, choose) for each in body] if isinstance(body, list) else body
