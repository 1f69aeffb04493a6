"""The page for ward leads, and the description of the API, say what the code says of a rule set's numbers."""

import re

from alerts.rule_set import DEFAULT, bounds
from service.rules.schemas import LiveRulesOut, RuleSetIn, RuleSetOut
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")


def test_the_page_tells_every_limit_for_people_with_its_bounds() -> None:
    _, _, rest = PAGE.partition("<!-- limits for people -->")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|", rest.partition("<!-- end -->")[0], re.MULTILINE)
    told = {name: tuple(map(int, numbers)) for name, *numbers in rows}
    for_people = [name for name in bounds() if re.search("_(acknowledge|contact|expiry)_", name)]
    assert told == {name: (getattr(DEFAULT, name), *bounds()[name]) for name in for_people}
    assert len(told) == 13


def test_the_description_of_the_api_names_every_number_with_its_bounds() -> None:
    told = {name: {"type": "number", "minimum": low, "maximum": high} for name, (low, high) in bounds().items()}
    assert told["critical_contact_minutes"] == {"type": "number", "minimum": 10, "maximum": 30}
    for schema, field in ((RuleSetIn, "numbers"), (RuleSetOut, "values"), (LiveRulesOut, "values")):
        assert schema.model_json_schema()["properties"][field]["properties"] == told
    assert set(DEFAULT.to_mapping()) == {*told, "version", "off"}
