"""Row-level security, asked with statements of its own that forget every condition: the second line must hold alone."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from service.fields import NIL_ID, new_id
from service.storage.engine import Database, open_database
from service.storage.migrations.policies import grants_on, is_ward_owned
from service.storage.portable import reach
from service.storage.roles import NOBODY, Acting, Role
from service.storage.tables import METADATA
from tests.storage.filling import fill, new_row

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
OWNED = [table for table in METADATA.sorted_tables if is_ward_owned(table)]
NOT_OWNED = {
    "staff", "client", "signing_key", "token_family", "access_change", "sign_in_attempt", "used_assertion", "heartbeat",
    "staff_identity", "staff_totp", "authorization_code",
}  # fmt: skip
"""Who may sign in, with what; nothing of a ward or of a patient."""
SHARED_WITH_ACCOUNTS = {"ward", "ward_feed", "membership", "client_ward"}
SHOWN_TO_ACCOUNTS = {"coverage", "escalation_policy", "rule_set"}
AUDIT = METADATA.tables["audit"]


class Scene(NamedTuple):
    """The service's database on one connection, and two wards with a row of everything."""

    served: Database
    here: str
    there: str
    stay_id: str

    def on(self, role: Role, *ward_ids: str, stay_id: str = "") -> Database:
        acting = Acting(role, ward_ids, stay_id)
        return self.served.acting(lambda: acting)


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    here, there, stay_id = new_id(), new_id(), new_id()
    async with database.writes.begin() as connection:
        await fill(connection, here, stay_id=stay_id)
        await fill(connection, there)
        await connection.execute(insert(AUDIT).values(new_row(AUDIT, NIL_ID)))
        await connection.execute(
            text("UPDATE stay SET id = :stay WHERE ward_id = :ward"), {"stay": stay_id, "ward": here}
        )
    served = open_database(str(database.url.render_as_string(hide_password=False)), 1, served=True)
    yield Scene(served, here, there, stay_id)
    await served.close()


def of_ward(table: Table, ward_id: str) -> Any:
    return (table.c.id if table.name == "ward" else table.c.ward_id) == ward_id


async def refused(connection: AsyncConnection, statement: Any) -> bool:
    """Whether the database does not do this at all."""
    try:
        async with connection.begin_nested():
            await connection.execute(statement)
    except DBAPIError as problem:
        assert problem.orig.sqlstate == "42501", problem  # type: ignore[union-attr]
        return True
    return False


async def seen(database: Database, table: Table) -> set[str]:
    """The wards of the rows that are shown; none where nothing may be asked."""
    async with database.reads.connect() as connection:
        try:
            rows = await connection.execute(select(table.c.id if table.name == "ward" else table.c.ward_id))
        except DBAPIError as problem:
            assert problem.orig.sqlstate == "42501", problem  # type: ignore[union-attr]
            return set()
        return set(rows.scalars())


async def test_every_table_belongs_to_wards_or_is_known_not_to(database: Database) -> None:
    assert {table.name for table in METADATA.sorted_tables} - {table.name for table in OWNED} == NOT_OWNED


async def test_every_table_of_a_ward_has_row_security_and_policies_for_whoever_may_use_it(database: Database) -> None:
    async with database.reads.connect() as connection:
        secured = set(
            (
                await connection.execute(
                    text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
                )
            ).scalars()
        )
        rows = await connection.execute(text("SELECT tablename, unnest(roles) FROM pg_policies"))
        with_policy = {(table, role) for table, role in rows}
    assert secured == {table.name for table in OWNED}
    for table in OWNED:
        for role in (*grants_on(table), Role.OPERATOR):
            assert (table.name, role.value) in with_policy


async def test_of_another_ward_nothing_is_seen_changed_or_made(scene: Scene) -> None:
    team = scene.on(Role.TEAM, scene.there)
    for table in OWNED:
        assert await seen(team, table) <= {scene.there, NIL_ID}, table.name
        async with team.writes.connect() as connection:
            for statement in (
                update(table).values({"ward_id" if "ward_id" in table.c else "id": scene.there}),
                delete(table),
            ):
                assert (
                    await refused(connection, statement.where(of_ward(table, scene.here)))
                    or (await connection.execute(statement.where(of_ward(table, scene.here)))).rowcount == 0
                ), table.name
            assert await refused(connection, insert(table).values(new_row(table, scene.here))), table.name


async def test_the_own_ward_is_seen(scene: Scene) -> None:
    team = scene.on(Role.TEAM, scene.here, scene.there)
    for table in OWNED:
        if Role.TEAM in grants_on(table):
            of_none = {NIL_ID} if table.name == "audit" else set()
            assert await seen(team, table) == {scene.here, scene.there} | of_none, table.name


async def test_a_row_cannot_be_moved_to_another_ward(scene: Scene) -> None:
    async with scene.on(Role.TEAM, scene.there).writes.connect() as connection:
        for table in OWNED:
            column = "id" if table.name == "ward" else "ward_id"
            assert await refused(connection, update(table).values({column: scene.here})), table.name


async def test_somebody_at_home_sees_their_stay_and_nothing_of_another(scene: Scene) -> None:
    theirs = scene.on(Role.HOME, scene.here, stay_id=scene.stay_id)
    async with theirs.reads.connect() as connection:
        assert set((await connection.execute(text("SELECT id::text FROM stay"))).scalars()) == {scene.stay_id}
    another = scene.on(Role.HOME, scene.here, stay_id=new_id())
    nobody = scene.on(Role.HOME, scene.here)
    of_the_ward = {"ward", "coverage", "escalation_policy", "rule_set", "membership"}
    for table in OWNED:
        if table.name not in of_the_ward:
            assert await seen(another, table) == await seen(nobody, table) == set(), table.name
        assert await seen(theirs, table) <= {scene.here}, table.name


async def test_whoever_manages_accounts_sees_of_other_wards_who_works_there_and_how_and_nothing_else(
    scene: Scene,
) -> None:
    accounts = scene.on(Role.ACCOUNTS, scene.there)
    for table in OWNED:
        if table.name not in SHARED_WITH_ACCOUNTS | SHOWN_TO_ACCOUNTS:
            assert await seen(accounts, table) <= {scene.there, NIL_ID}, table.name
    for name in SHOWN_TO_ACCOUNTS:
        table = METADATA.tables[name]
        assert await seen(accounts, table) == {scene.here, scene.there}, name
        async with accounts.writes.connect() as connection:
            changed = update(table).where(of_ward(table, scene.here)).values(ward_id=scene.here)
            assert (await connection.execute(changed)).rowcount == 0, name
            assert await refused(connection, insert(table).values(new_row(table, scene.here))), name


async def test_who_said_nothing_sees_nothing(scene: Scene) -> None:
    for database in (scene.served, scene.served.acting(lambda: NOBODY)):
        for table in OWNED:
            assert await seen(database, table) == set(), table.name


async def test_what_one_transaction_said_does_not_hold_for_the_next(scene: Scene) -> None:
    # One connection, used by one after the other.
    for who in (scene.on(Role.TIMERS), scene.on(Role.TEAM, scene.here)):
        stay = METADATA.tables["stay"]
        assert scene.here in await seen(who, stay)
        assert await seen(scene.served, stay) == set()
        async with scene.served.reads.connect() as connection:
            assert await connection.scalar(text("SELECT current_user")) == Role.TEAM
        async with who.writes.begin() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM stay")) > 0
        async with scene.served.writes.begin() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM stay")) == 0


async def test_a_transaction_reaches_another_ward_only_when_it_says_so_and_only_itself(scene: Scene) -> None:
    team = scene.on(Role.TEAM, scene.here)
    async with team.reads.connect() as connection:
        await reach(connection, scene.there)
        assert await connection.scalar(text("SELECT count(*) FROM stay")) == 2
    assert await seen(team, METADATA.tables["stay"]) == {scene.here}


@pytest.mark.parametrize("role", list(Role))
async def test_the_trail_is_appended_to_and_never_changed(scene: Scene, role: Role) -> None:
    if role == Role.OPERATOR:
        return  # the database's own user: for what they change there is the chain
    everybody = scene.on(role, scene.here, scene.there, stay_id=scene.stay_id)
    async with everybody.writes.connect() as connection:
        assert await refused(connection, update(AUDIT).values(action="nothing happened"))
        assert await refused(connection, delete(AUDIT))
        assert await refused(connection, text("TRUNCATE audit"))
        sealed = update(AUDIT).values(number=77, seal="another").where(AUDIT.c.number.is_not(None))
        if role == Role.TIMERS:
            assert (await connection.execute(sealed)).rowcount == 0
        else:
            assert await refused(connection, sealed)


@pytest.mark.parametrize(
    ("role", "tables"),
    [
        (Role.INTAKE, ["patient", "patient_identifier", "carer", "alert_note", "staff", "token_family", "signing_key"]),
        (Role.INTAKE, ["access_incident", "pairing", "pairing_code", "client"]),
        (Role.DESK, ["patient", "patient_identifier", "stay", "reading", "alert", "plan", "alert_note"]),
        (Role.TIMERS, ["patient", "patient_identifier", "alert_note", "signing_key", "token_family"]),
        (Role.FEED, [table.name for table in METADATA.sorted_tables if table.name != "ward_feed"]),
        (
            Role.TEAM,
            ["work_lease", "heartbeat", "signing_key", "sign_in_attempt", "used_assertion", "authorization_code"],
        ),
        (Role.TEAM, ["staff", "staff_identity", "staff_totp", "client"]),
        (Role.HOME, ["patient", "patient_identifier", "alert_note", "token_family", "transfer", "refusal", "pairing"]),
    ],
)
async def test_nobody_gets_at_what_they_have_no_use_for(scene: Scene, role: Role, tables: list[str]) -> None:
    async with scene.on(role, scene.here, scene.there).reads.connect() as connection:
        for name in tables:
            assert await refused(connection, text(f"SELECT * FROM {name}")), name


async def test_the_timers_know_where_to_write_to_somebody_and_not_how_they_sign_in(scene: Scene) -> None:
    async with scene.on(Role.TIMERS).reads.connect() as connection:
        assert not await refused(connection, text("SELECT email FROM staff"))
        assert await refused(connection, text("SELECT password_hash FROM staff"))


@pytest.mark.parametrize("name", ["membership", "client_ward", "staff", "client"])
async def test_the_team_gives_nobody_an_account_or_a_role(scene: Scene, name: str) -> None:
    table = METADATA.tables[name]
    same = update(table).values({column.name: column for column in table.primary_key})
    async with scene.on(Role.TEAM, scene.here).writes.connect() as connection:
        for statement in (insert(table).values(new_row(table, scene.here)), same, delete(table)):
            assert await refused(connection, statement)


async def test_groups_and_the_look_at_the_feeds_have_roles_of_their_own(scene: Scene) -> None:
    for engine, role in ((scene.served.groups, Role.INTAKE), (scene.served.looks, Role.FEED)):
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT current_user")) == role
