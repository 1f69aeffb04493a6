"""The ward is the unit of scale: everything a ward owns is found by its ward first."""

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Column,
    Constraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from service.storage.tables import METADATA

SHARED = {
    "ward",
    "staff",
    "staff_identity",
    "staff_totp",
    "client",
    "signing_key",
    "token_family",
    "access_change",
    "sign_in_attempt",
    "authorization_code",
    "used_assertion",
    "heartbeat",
}
"""Small tables for the whole service. All others belong to a ward."""

ACROSS_WARDS = {"ix_membership_staff_id", "ix_client_ward_client_id", "ix_pairing_code_code_hash"}
"""Indexes that answer "which wards has this person?" or "whose code is this?": asked before a ward is known."""


def offences(metadata: MetaData) -> Iterator[str]:
    """Keys and indexes of ward-owned tables that do not start with ward_id."""
    for table in metadata.tables.values():
        if table.name in SHARED:
            continue
        if "ward_id" not in table.c:
            yield f"{table.name} has no ward_id"
            continue
        for part in [*table.constraints, *table.indexes]:
            if not starts_with_the_ward(part):
                yield f"{table.name}: {part.name}"


def starts_with_the_ward(part: Constraint | Index) -> bool:
    if isinstance(part, Index):
        return part.name in ACROSS_WARDS or getattr(next(iter(part.expressions)), "name", "") == "ward_id"
    if isinstance(part, ForeignKeyConstraint):
        acts_by_itself = part.ondelete or part.onupdate
        return not acts_by_itself and (part.referred_table.name in SHARED or part.column_keys[0] == "ward_id")
    if isinstance(part, PrimaryKeyConstraint | UniqueConstraint):
        return next(iter(part.columns)).name == "ward_id"
    return True


def test_every_key_and_index_of_a_ward_starts_with_the_ward() -> None:
    assert list(offences(METADATA)) == []
    assert len(METADATA.tables) >= 18


def test_the_shared_tables_are_these_and_no_others() -> None:
    assert {name for name, table in METADATA.tables.items() if "ward_id" not in table.c} == SHARED


def test_the_feed_of_a_ward_waits_for_no_other_table() -> None:
    assert not METADATA.tables["ward_feed"].foreign_keys
    assert not [
        t.name for t in METADATA.tables.values() for fk in t.foreign_keys if fk.column.table.name == "ward_feed"
    ]


def test_every_constraint_has_a_name() -> None:
    for table in METADATA.tables.values():
        for constraint in [*table.constraints, *table.indexes]:
            assert constraint.name, f"{table.name}: {constraint}"


@pytest.mark.parametrize(
    "part",
    [
        PrimaryKeyConstraint("id", "ward_id", name="pk_bad"),
        UniqueConstraint("other", "ward_id", name="uq_bad"),
        ForeignKeyConstraint(["other"], ["parent.id"], name="fk_bad"),
        ForeignKeyConstraint(["ward_id", "other"], ["parent.ward_id", "parent.id"], ondelete="CASCADE"),
        Index("ix_bad", "other"),
    ],
    ids=["primary key", "unique", "foreign key", "foreign key that deletes", "index"],
)
def test_a_key_that_starts_elsewhere_is_noticed(part) -> None:
    metadata = MetaData()
    Table(
        "parent",
        metadata,
        Column("ward_id", String, primary_key=True),
        Column("id", String, primary_key=True),
    )
    ward_first = [] if isinstance(part, PrimaryKeyConstraint) else [PrimaryKeyConstraint("ward_id", "id")]
    columns = [Column("ward_id", String), Column("id", String), Column("other", String)]
    Table("child", metadata, *columns, *ward_first, part)
    assert [offence for offence in offences(metadata) if offence.startswith("child")]


def test_a_table_without_a_ward_is_noticed() -> None:
    metadata = MetaData()
    Table("stray", metadata, Column("id", String, primary_key=True))
    assert list(offences(metadata)) == ["stray has no ward_id"]
