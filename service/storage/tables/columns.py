"""How columns are declared: keys that start with the ward, instants, words from a closed list, numbers in a range."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, TextClause, text
from sqlmodel import Field, SQLModel

from service.storage.portable import IdType, InstantType

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def key() -> Any:
    """A part of the primary key that is an id."""
    return Field(sa_type=IdType, primary_key=True)


def ref(*, nullable: bool = False) -> Any:
    """An id of another row."""
    return Field(default=None, sa_type=IdType) if nullable else Field(sa_type=IdType, nullable=False)


def instant(*, nullable: bool = False) -> Any:
    """An aware UTC instant."""
    if nullable:
        return Field(default=None, sa_type=InstantType)
    return Field(sa_type=InstantType, nullable=False)


def index_among(among: TextClause, name: str, *columns: Any, unique: bool = False) -> Index:
    """An index on (ward_id, columns) of those rows alone for which `among` holds."""
    return Index(name, "ward_id", *columns, unique=unique, sqlite_where=among, postgresql_where=among)


def index_of(name: str, column: str, *more: str) -> Index:
    """An index on (ward_id, column, …) for those who name a value of the column. PostgreSQL considers it for nobody
    else: of a young table it knows nothing, and this index would look as good as the one that is meant."""
    return Index(name, "ward_id", column, *more, postgresql_where=text(f"{column} IS NOT NULL"))


def due(table: str, column: str, among: TextClause) -> Index:
    """The index by which a ward's due rows are found, among those that are watched."""
    return index_among(among, f"ix_{table}_{column}", column)


def words(column: str, allowed: Iterable[str]) -> CheckConstraint:
    """The column holds one of these words."""
    quoted = ", ".join("'" + word + "'" for word in allowed)
    return CheckConstraint(f"{column} IN ({quoted})", name=column)


def within(column: str, low: float, high: float) -> CheckConstraint:
    """The column holds a number in this range, both ends included."""
    return CheckConstraint(f"{column} BETWEEN {low:g} AND {high:g}", name=column)


def belongs_to(table: str, column: str) -> ForeignKeyConstraint:
    """A foreign key inside the ward: (ward_id, column) refers to (ward_id, id) of the table."""
    return ForeignKeyConstraint(["ward_id", column], [f"{table}.ward_id", f"{table}.id"])
