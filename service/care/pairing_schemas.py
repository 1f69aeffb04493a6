"""Pairing codes, paired apps and carers as the API takes and gives them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from service.body import Schema
from service.care.pairing import Asked
from service.fields import Id, Instant, Name, clean_text

Relationship = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(clean_text)
]
Kind = Literal["patient", "carer"]


class CarerIn(Schema):
    """Somebody who looks after the patient at home, with an identity of their own."""

    name: Name
    relationship: Relationship | None = None


class PairingCodeIn(Schema):
    """Whom the code is for: `{}` the patient, `carer` somebody new, `carer_id` somebody who had a code before."""

    carer: CarerIn | None = None
    carer_id: Id | None = None

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if self.carer is not None and self.carer_id is not None:
            raise ValueError("must name one person: carer or carer_id")
        return self

    def asked(self) -> Asked:
        """Whom the code is for."""
        if self.carer is None:
            return Asked(carer_id=self.carer_id)
        return Asked(carer_name=self.carer.name, relationship=self.carer.relationship)


class CarerOut(BaseModel):
    """A carer of the patient."""

    id: Id
    name: str
    relationship: str | None


def _carer(row: Mapping[str, Any]) -> CarerOut | None:
    if row["carer_id"] is None:
        return None
    return CarerOut(id=row["carer_id"], name=row["carer_name"], relationship=row["carer_relationship"])


class PairingCodeOut(BaseModel):
    """A code, without the code itself."""

    id: Id
    stay_id: Id
    kind: Kind
    carer: CarerOut | None
    created_at: Instant
    created_by: Id
    expires_at: Instant
    status: Literal["open", "used", "ended", "expired"]
    failures: int = Field(description="Wrong birth dates; the fifth ends the code")

    @classmethod
    def of(cls, row: Mapping[str, Any], at: datetime) -> Self:
        """The code as it stands at an instant."""
        same = {name: row[name] for name in cls.model_fields if name not in ("carer", "status")}
        return cls(**same, carer=_carer(row), status=_status(row, at))


class NewPairingCodeOut(PairingCodeOut):
    """A new code. It is shown this once."""

    code: str = Field(description="Ten characters (Crockford base 32): in any case, O read as 0, I and L as 1")


class PairingCodesOut(BaseModel):
    """The codes of a stay, newest first."""

    items: list[PairingCodeOut]
    next_cursor: str | None = None


class PairingOut(BaseModel):
    """An app that is or was paired with the stay."""

    id: Id
    stay_id: Id
    kind: Kind
    carer: CarerOut | None
    code_id: Id
    paired_at: Instant
    ended_at: Instant | None
    end_reason: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The pairing of a row."""
        return cls(**{name: row[name] for name in cls.model_fields if name != "carer"}, carer=_carer(row))


class PairingsOut(BaseModel):
    """The apps of a stay, newest first."""

    items: list[PairingOut]
    next_cursor: str | None = None


class CarersOut(BaseModel):
    """The carers of a patient."""

    items: list[CarerOut]
    next_cursor: str | None = None


def _status(row: Mapping[str, Any], at: datetime) -> Literal["open", "used", "ended", "expired"]:
    if row["used_at"] is not None:
        return "used"
    if row["revoked_at"] is not None:
        return "ended"
    return "expired" if row["expires_at"] <= at else "open"
