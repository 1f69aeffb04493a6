"""Wards as the API takes and gives them."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.body import Schema
from service.fields import CleanText, Name, PatientText, Phone, SeenVersion, not_null


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, such as Europe/London") from None
    return value


TimeZone = Annotated[CleanText, StringConstraints(min_length=1, max_length=64), AfterValidator(_time_zone)]
OdsCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,12}$")]


class WardIn(Schema):
    """A new ward."""

    name: Name
    ods_code: OdsCode | None = Field(None, description="Organisation Data Service code")
    time_zone: TimeZone = "Europe/London"
    phone: Phone | None = None
    out_of_hours_text: PatientText = Field(None, description="What patients read when nobody is on duty")


class WardPatch(Schema):
    """What is to change; fields that are left out stay."""

    name: Annotated[Name | None, AfterValidator(not_null)] = None
    ods_code: OdsCode | None = None
    time_zone: Annotated[TimeZone | None, AfterValidator(not_null)] = None
    phone: Phone | None = None
    out_of_hours_text: PatientText = None
    version: SeenVersion = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True, exclude={"version"})


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class WardOut(_Out):
    """A ward."""

    id: str
    name: str
    ods_code: str | None
    time_zone: str
    phone: str | None
    out_of_hours_text: str | None
    version: int


class WardsOut(BaseModel):
    """A page of wards."""

    items: list[WardOut]
    next_cursor: str | None


class MemberOut(_Out):
    """Somebody who works on a ward."""

    id: str
    name: str
    role: str


class MembersOut(BaseModel):
    """Everybody who works on a ward."""

    items: list[MemberOut]
    next_cursor: str | None = None


class PrincipalOut(_Out):
    """Who is asking."""

    id: str
    kind: str
    name: str


class MyWardOut(BaseModel):
    """A ward the principal works on, or is cared for by, and as what."""

    id: str
    name: str
    role: str


class MeOut(BaseModel):
    """What the token stands for."""

    principal: PrincipalOut
    scopes: list[str]
    wards: list[MyWardOut]
