"""Transfers as the API takes and gives them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from service.care.schemas import ActIn, StayOut
from service.fields import Id, Instant


class TransferIn(ActIn):
    """The ward the person goes to."""

    ward_id: Id


class TransferOut(BaseModel):
    """A stay of `from_ward_id` offered to `ward_id`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    ward_id: str
    from_ward_id: str
    stay_id: str
    status: Literal["pending", "accepted", "declined"]
    proposed_at: Instant
    proposed_by: str


class TransfersOut(BaseModel):
    """Stays that are offered to a ward."""

    items: list[TransferOut]
    next_cursor: str | None = None


class MovedOut(BaseModel):
    """What became of a transfer: done, with the stay on the other ward, or waiting for that ward."""

    status: Literal["transferred", "pending"]
    stay: StayOut | None = None
    new_stay: StayOut | None = None
    transfer: TransferOut | None = None
