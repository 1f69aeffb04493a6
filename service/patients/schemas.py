"""Patients as the API takes and gives them."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from service.body import Schema
from service.fields import CleanText, Day, Instant, Name, Phone, SeenVersion, not_null
from service.patients.numbers import Identifier, identifier

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$")]


class IdentifierIn(Schema):
    """A number by which the person is known."""

    system: Literal["nhs_number", "mrn"]
    value: Annotated[CleanText, StringConstraints(min_length=1, max_length=64)]

    @field_validator("value")
    @classmethod
    def _check(cls, value: str, info: ValidationInfo) -> str:
        system = info.data.get("system")
        return identifier(system, value).value if system else value

    def identifier(self) -> Identifier:
        """The identifier as it is stored."""
        return Identifier(self.system, self.value)


def _one_nhs_number(given: list[IdentifierIn]) -> list[IdentifierIn]:
    if len({each.value for each in given if each.system == "nhs_number"}) > 1:
        raise ValueError("must hold one NHS number at most: a person has one")
    return given


Identifiers = Annotated[list[IdentifierIn], Field(max_length=10), AfterValidator(_one_nhs_number)]


class PatientIn(Schema):
    """A person to be registered on a ward."""

    identifiers: Identifiers = Field(default_factory=list)
    family_name: Name
    given_name: Name
    birth_date: Day
    phone: Phone | None = None
    language: Language | None = Field(None, description="BCP 47, such as en-GB")

    def values(self) -> dict[str, Any]:
        """What the use case takes."""
        return {**self.model_dump(), "identifiers": [each.identifier() for each in self.identifiers]}


class PatientPatch(Schema):
    """What is to change; fields that are left out stay. `identifiers` are replaced as a whole."""

    identifiers: Annotated[Identifiers | None, AfterValidator(not_null)] = None
    family_name: Annotated[Name | None, AfterValidator(not_null)] = None
    given_name: Annotated[Name | None, AfterValidator(not_null)] = None
    birth_date: Annotated[Day | None, AfterValidator(not_null)] = None
    phone: Phone | None = None
    language: Language | None = None
    contact_hold: Annotated[StrictBool | None, AfterValidator(not_null)] = None
    deceased: Annotated[StrictBool | None, AfterValidator(not_null)] = None
    version: SeenVersion = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        sent = self.model_dump(exclude_unset=True, exclude={"version"})
        if self.identifiers is not None:
            sent["identifiers"] = [each.identifier() for each in self.identifiers]
        return sent


class LookupIn(IdentifierIn):
    """By what number to look."""


class IdentifierOut(BaseModel):
    """A number by which the person is known: an NHS number as ten digits."""

    model_config = ConfigDict(from_attributes=True)

    system: str
    value: str


class PatientOut(BaseModel):
    """A person on one ward. `contact_hold`: do not contact before asking the ward. `erased_at`: since when the identity
    has been removed; names and birth date then stand for nobody."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    ward_id: str
    identifiers: list[IdentifierOut]
    nhs_number: str | None
    family_name: str
    given_name: str
    birth_date: date
    phone: str | None
    language: str | None
    contact_hold: bool
    deceased: bool
    version: int
    erased_at: Instant | None = None


class PatientsOut(BaseModel):
    """Patients of one ward."""

    items: list[PatientOut]
    next_cursor: str | None = None
