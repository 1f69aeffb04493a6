"""Rule sets as the API takes and gives them."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, WithJsonSchema

from alerts.rule_set import bounds
from service.body import Schema
from service.fields import Instant, Words

Number = Annotated[int, Field(ge=0, le=1_000_000, description="0 is the default rule set")]


def _number(value: Any) -> int | float:
    """10.0 is a whole number in JSON."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


RuleNumber = Annotated[Any, AfterValidator(_number), WithJsonSchema({"type": "number"})]

_NUMBERS: dict[str, Any] = {
    "properties": {
        name: {"type": "number", "minimum": lowest, "maximum": highest} for name, (lowest, highest) in bounds().items()
    }
}
Values = Annotated[
    dict[str, Any], Field(description="Every number by its name, `version` and `off`", json_schema_extra=_NUMBERS)
]


class RuleSetIn(Schema):
    """A proposal: the live rule set with these numbers changed."""

    numbers: dict[str, RuleNumber] = Field(
        default_factory=dict, max_length=100, description="By name, within its bounds", json_schema_extra=_NUMBERS
    )
    off: list[str] | None = Field(None, max_length=20, description="Optional rules to switch off")
    reason: Words


class ShadowIn(Schema):
    """Which version to judge beside the live one; null for none."""

    number: Annotated[Number, Strict()] | None


class RuleSetOut(BaseModel):
    """One version of a ward's rule set, with every number."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    version: str
    based_on: int
    values: Values
    reason: str
    author_id: str
    created_at: Instant
    approved_by: str | None
    approved_at: Instant | None = Field(description="Live since; null while it is a proposal")


class RuleSetsOut(BaseModel):
    """Every version of a ward's rule set, newest first."""

    items: list[RuleSetOut]
    next_cursor: str | None = None


class BoundsOut(BaseModel):
    """What a number may be, both ends included."""

    lowest: float
    highest: float


class LiveRulesOut(BaseModel):
    """What the ward's readings are judged by."""

    number: int = Field(description="0 is the default")
    version: str
    values: Values
    shadow_number: int | None
    bounds: dict[str, BoundsOut]
    optional_rules: list[str]


class CountOut(BaseModel):
    """How often a rule fired on one day, live and in the shadow."""

    model_config = ConfigDict(from_attributes=True)

    day: date
    rule_id: str
    severity: str
    live: int
    shadow: int


class ShadowOut(BaseModel):
    """What the shadow found in readings that both judged; none of it was raised."""

    number: int | None
    items: list[CountOut]
    next_cursor: str | None = None
