"""The rule sets of a ward, and what a shadow would have found."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, SmallInteger, String
from sqlmodel import Field, SQLModel

from service.storage.tables.columns import instant, key, ref, within


class RuleSetRow(SQLModel, table=True):
    """One version of a ward's rule set: proposed by its author, live once somebody else has approved it; never changed
    after that, so it can be cached for ever. `number` 0 is the default and has no row."""

    __tablename__ = "rule_set"
    __table_args__ = (ForeignKeyConstraint(["ward_id"], ["ward.id"]),)

    ward_id: str = key()
    number: int = Field(primary_key=True)
    version: str = Field(sa_type=String(20))
    based_on: int
    values: dict[str, Any] = Field(sa_type=JSON)
    reason: str = Field(sa_type=String(2000))
    author_id: str = ref()
    created_at: datetime = instant()
    approved_by: str | None = ref(nullable=True)
    approved_at: datetime | None = instant(nullable=True)


class ShadowCountRow(SQLModel, table=True):
    """How often a rule fired on one day in the live rule set and in the shadow, of the readings both judged."""

    __tablename__ = "shadow_count"
    __table_args__ = (ForeignKeyConstraint(["ward_id"], ["ward.id"]), within("severity", 1, 4))

    ward_id: str = key()
    number: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    rule_id: str = Field(sa_type=String(8), primary_key=True)
    severity: int = Field(sa_type=SmallInteger, primary_key=True)
    live: int = 0
    shadow: int = 0
