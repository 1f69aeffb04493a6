"""The audit trail: what is in it, who may read it, and that nobody can change it unnoticed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from typer.testing import CliRunner

from service.access import audit
from service.access import trail as trails
from service.access.principals import Principal
from service.access.sealing import AT_A_TIME, AUDIT, Chain, Seals, verify
from service.access.trail import Trail
from service.cli.main import app as command_line
from service.clock import real_now
from service.fields import NIL_ID, new_id
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import writing
from tests.access.hospital import Hospital
from tests.conftest import SECRET_KEY
from tests.support.statements import until_somebody_waits

SEALS = Seals(SECRET_KEY)


async def entries(database: Database, **where: Any) -> list[Any]:
    query = select(AUDIT).where(*(AUDIT.c[name] == value for name, value in where.items())).order_by(AUDIT.c.id)
    async with database.reads.connect() as connection:
        return list(await connection.execute(query))


async def followed(database: Database, heads: Any = None) -> dict[str, Chain]:
    async with database.reads.connect() as connection:
        return {chain.ward_id: chain for chain in await verify(connection, [SEALS], heads or {})}


async def written(hospital: Hospital) -> None:
    """Everything noted is written and sealed."""
    await hospital.app.state.trail.write(hospital.app.state.database)
    await hospital.app.state.timekeeper.catch_up()


@pytest.fixture
async def ward_id(hospital: Hospital, database: Database) -> str:
    """A ward with six sealed entries, beside another ward."""
    found = await hospital.ward()
    await hospital.ward()
    async with writing(hospital.app.state.database) as session:
        for number in range(5):
            await audit.append(session, None, "test", real_now(), ward_id=found, detail={"n": number})
    await written(hospital)
    assert (await followed(database))[found].number == 6
    return found


# The chain -------------------------------------------------------------------------------------------------


async def test_every_entry_is_sealed_in_order(hospital: Hospital, database: Database, ward_id: str) -> None:
    rows = await entries(database, ward_id=ward_id)
    assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]
    chains = await followed(database)
    assert {chain.broken for chain in chains.values()} == {None}
    assert {chain.unsealed for chain in chains.values()} == {0}


async def test_more_than_one_round_is_sealed(hospital: Hospital, database: Database) -> None:
    ward_id = await hospital.ward()
    async with writing(hospital.app.state.database) as session:
        rows = [audit.entry(None, "test", real_now(), ward_id=ward_id) for _ in range(AT_A_TIME + 3)]
        await session.execute(insert(AUDIT), rows)
    await written(hospital)
    assert (await followed(database))[ward_id].number == AT_A_TIME + 4


Tampering = Callable[[Any, list[Any]], Awaitable[None]]


async def change(session: Any, rows: list[Any]) -> None:
    await session.execute(update(AUDIT).where(AUDIT.c.id == rows[2].id).values(action="nothing"))


async def change_who(session: Any, rows: list[Any]) -> None:
    await session.execute(update(AUDIT).where(AUDIT.c.id == rows[2].id).values(actor_id=new_id()))


async def change_detail(session: Any, rows: list[Any]) -> None:
    await session.execute(update(AUDIT).where(AUDIT.c.id == rows[2].id).values(detail={"n": 9}))


async def remove(session: Any, rows: list[Any]) -> None:
    await session.execute(delete(AUDIT).where(AUDIT.c.id == rows[2].id))


async def remove_and_close_up(session: Any, rows: list[Any]) -> None:
    await remove(session, rows)
    for row in rows[3:]:
        await session.execute(update(AUDIT).where(AUDIT.c.id == row.id).values(number=row.number - 1))


async def put_in(session: Any, rows: list[Any]) -> None:
    for row in reversed(rows[2:]):
        await session.execute(update(AUDIT).where(AUDIT.c.id == row.id).values(number=row.number + 1))
    await session.execute(insert(AUDIT).values({**rows[2]._mapping, "id": new_id()}))


async def swap(session: Any, rows: list[Any]) -> None:
    moved = ((rows[2], 100, rows[2].seal), (rows[3], 3, rows[2].seal), (rows[2], 4, rows[3].seal))
    for row, number, seal in moved:
        await session.execute(update(AUDIT).where(AUDIT.c.id == row.id).values(number=number, seal=seal))


async def forge(session: Any, rows: list[Any]) -> None:
    """As somebody would who knows the code and not the key."""
    seals, before = Seals("another secret key, as long as it has to be"), rows[1].seal
    for row in rows[2:]:
        before = seals.seal({**row._mapping, "action": "nothing"}, before)
        await session.execute(update(AUDIT).where(AUDIT.c.id == row.id).values(action="nothing", seal=before))


@pytest.mark.parametrize(
    "tamper", [change, change_who, change_detail, remove, remove_and_close_up, put_in, swap, forge]
)
async def test_the_first_broken_link_is_named(
    hospital: Hospital, database: Database, ward_id: str, tamper: Tampering
) -> None:
    rows = await entries(database, ward_id=ward_id)
    async with writing(hospital.app.state.database) as session:
        await tamper(session, rows)
    await hospital.app.state.timekeeper.catch_up()
    chains = await followed(database)
    assert (chains[ward_id].broken or "").startswith("entry 3 "), chains[ward_id]
    assert {chain.broken for other, chain in chains.items() if other != ward_id} == {None}


async def test_an_end_that_is_cut_off_is_found_by_the_head_of_before(
    hospital: Hospital, database: Database, ward_id: str
) -> None:
    chain = (await followed(database))[ward_id]
    heads = {ward_id: [chain.number, chain.seal]}
    rows = await entries(database, ward_id=ward_id)
    async with writing(hospital.app.state.database) as session:
        await audit.append(session, None, "later", real_now(), ward_id=ward_id)
    await written(hospital)
    assert (await followed(database, heads))[ward_id].broken is None
    async with writing(hospital.app.state.database) as session:
        await session.execute(delete(AUDIT).where(AUDIT.c.ward_id == ward_id, AUDIT.c.id >= rows[-1].id))
    assert (await followed(database))[ward_id].broken is None
    assert (await followed(database, heads))[ward_id].broken == "entry 6 is not the one that was the head before"
    async with writing(hospital.app.state.database) as session:
        await session.execute(delete(AUDIT).where(AUDIT.c.ward_id == ward_id))
    assert (await followed(database, heads))[ward_id].broken is not None


async def cut_off(session: Any, rows: list[Any]) -> None:
    await session.execute(delete(AUDIT).where(AUDIT.c.id == rows[-1].id))


async def cut_all_off(session: Any, rows: list[Any]) -> None:
    await session.execute(delete(AUDIT).where(AUDIT.c.ward_id == rows[0].ward_id))


async def unseal(session: Any, rows: list[Any]) -> None:
    last = update(AUDIT).where(AUDIT.c.id == rows[-1].id)
    await session.execute(last.values(number=None, seal=None, action="nothing"))


@pytest.mark.parametrize("tamper", [cut_off, cut_all_off, unseal])
async def test_an_end_that_is_gone_while_the_service_runs_is_put_into_the_trail(
    hospital: Hospital, database: Database, ward_id: str, tamper: Tampering
) -> None:
    async with writing(hospital.app.state.database) as session:
        await tamper(session, await entries(database, ward_id=ward_id))
        await audit.append(session, None, "later", real_now(), ward_id=ward_id)
    await written(hospital)
    assert [row.detail for row in await entries(database, ward_id=ward_id, action="audit.changed")] == [{"number": 6}]
    async with writing(hospital.app.state.database) as session:
        await audit.append(session, None, "later still", real_now(), ward_id=ward_id)
    await written(hospital)
    assert len(await entries(database, ward_id=ward_id, action="audit.changed")) == 1
    assert (await followed(database))[ward_id].broken is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_command_line_names_it_too(
    hospital: Hospital, database: Database, ward_id: str, settings: Settings, tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("WARDWATCH_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("WARDWATCH_SECRET_KEY", SECRET_KEY)
    heads = tmp_path / "heads.json"

    def check() -> Any:
        return CliRunner().invoke(command_line, ["check", "--audit", "--heads", str(heads)])

    good = await asyncio.to_thread(check)
    assert f"ward {ward_id}: 6 entries, sealed" in good.output, good.output
    assert "--heads" not in good.output
    without = await asyncio.to_thread(CliRunner().invoke, command_line, ["check", "--audit"])
    assert "only --heads FILE" in without.output
    assert json.loads(heads.read_text())[ward_id][0] == 6
    rows = await entries(database, ward_id=ward_id)
    async with writing(hospital.app.state.database) as session:
        await change(session, rows)
    bad = await asyncio.to_thread(check)
    assert bad.exit_code == 1
    assert "WRONG  audit" in bad.output
    assert f"entry 3 ({rows[2].id})" in bad.output


# What is in it ---------------------------------------------------------------------------------------------


async def test_reads_of_a_patient_are_in_the_trail(hospital: Hospital, database: Database) -> None:
    ward_id = await hospital.ward()
    staff_id = await hospital.staff_id(ward_id)
    header = await hospital.token("staff", staff_id)
    number = [{"system": "nhs_number", "value": "9990000018"}]
    stay = await hospital.stay(header, ward_id, identifiers=number)
    patient_id = stay["patient_id"]
    client, named = hospital.client, {**header, "X-Request-ID": "look-for-me"}
    assert (await client.get(f"/v1/patients/{patient_id}", headers=named)).status_code == 200
    await client.post(f"/v1/wards/{ward_id}/patients/lookup", headers=header, json=number[0])
    await client.get(f"/v1/stays/{stay['id']}", headers=header)
    await written(hospital)
    found = {(row.action, row.subject_id, row.actor_id) for row in await entries(database, ward_id=ward_id)}
    assert found >= {
        ("patient.read", patient_id, staff_id),
        ("patient.looked_up", patient_id, staff_id),
        ("stay.read", stay["id"], staff_id),
    }
    (read,) = await entries(database, ward_id=ward_id, action="patient.read")
    assert (read.request_id, read.address) == ("look-for-me", "127.0.0.1")
    assert "9990000018" not in str(await entries(database))


async def test_polling_is_one_entry_for_each_session_and_hour(hospital: Hospital, database: Database) -> None:
    now = 1000.0
    hospital.app.state.trail = Trail(lambda: now)
    ward_id = await hospital.ward()
    one, other = await hospital.clinician(ward_id), await hospital.clinician(ward_id)
    for header in (one, one, one, other):
        await hospital.client.get("/v1/alerts", headers=header)
    await written(hospital)
    assert len(await entries(database, ward_id=ward_id, action="queue.read")) == 2
    now += 3600
    await hospital.client.get("/v1/alerts", headers=one)
    await written(hospital)
    found = await entries(database, ward_id=ward_id, action="queue.read")
    assert [row.detail["before"] for row in found] == [0, 0, 2]


async def test_refusals_are_in_the_trail_and_cannot_fill_it(hospital: Hospital, database: Database) -> None:
    ward_id, foreign = await hospital.ward(), await hospital.ward()
    staff_id = await hospital.staff_id(ward_id)
    header = await hospital.token("staff", staff_id)
    stay = await hospital.stay(await hospital.clinician(foreign), foreign)
    for _ in range(3):
        await hospital.client.get(f"/v1/stays/{stay['id']}", headers=header)
        await hospital.client.get("/v1/alerts", headers={"Authorization": "Bearer nonsense"})
        await hospital.client.put(f"/v1/wards/{ward_id}/coverage", headers=header, json={})
        await hospital.client.get("/nowhere/at/all")
    await written(hospital)
    found = [(row.actor_id, row.detail["status"], row.subject_id) for row in await entries(database, action="refused")]
    assert sorted(found, key=str) == sorted(
        [(staff_id, 404, stay["id"]), (None, 401, None), (staff_id, 403, ward_id)], key=str
    )


async def test_what_cannot_be_written_waits(hospital: Hospital, database: Database) -> None:
    trail = hospital.app.state.trail
    who = Principal(new_id(), "staff", "Sam", frozenset(), {})
    trail.read(who, NIL_ID, ("patient", new_id()))
    await trail.stop(database)  # was never started: nothing is written
    assert await entries(database, action="patient.read") == []
    trail.start(database)
    await trail.stop(database)
    assert len(await entries(database, action="patient.read")) == 1


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_being_written_when_the_service_stops_is_written_once_and_so_is_the_rest(
    hospital: Hospital, database: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trails, "AT_A_TIME", 1)
    monkeypatch.setattr(trails, "EVERY_SECONDS", 0.01)
    trail, who = Trail(), Principal(new_id(), "staff", "Sam", frozenset(), {})
    for _ in range(5):
        trail.read(who, NIL_ID, ("patient", new_id()))
    async with database.writes.connect() as rival:
        await rival.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
        trail.start(database)
        await until_somebody_waits(database)
        stopping = asyncio.create_task(trail.stop(database))
        await asyncio.sleep(0)
        await rival.rollback()
        await stopping
    assert len(await entries(database, action="patient.read")) == 5
    assert "audit_not_written" not in "".join(capfd.readouterr())


# Who may read it -------------------------------------------------------------------------------------------


async def test_an_auditor_reads_the_trail_of_the_own_wards(hospital: Hospital) -> None:
    ward_id, foreign = await hospital.ward(), await hospital.ward()
    staff_id, stranger = await hospital.staff_id(ward_id), await hospital.staff_id(foreign)
    header, theirs = await hospital.token("staff", staff_id), await hospital.token("staff", stranger)
    await hospital.patient(header, ward_id)
    await hospital.patient(theirs, foreign)
    await hospital.client.get(f"/v1/wards/{foreign}", headers=header)
    await hospital.client.get(f"/v1/wards/{ward_id}", headers=theirs)
    await written(hospital)
    auditor = await hospital.auditor(ward_id)
    answer = await hospital.client.get("/v1/audit", headers=auditor)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["items"]
    assert {row["ward_id"] for row in rows} == {ward_id, None}
    assert {row["actor"]["id"] for row in rows if row["action"] == "refused"} == {staff_id}
    assert stranger not in answer.text
    assert foreign not in {row["ward_id"] for row in rows}
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    for denied in (header, await hospital.lead(ward_id), await hospital.administrator()):
        assert (await hospital.client.get("/v1/audit", headers=denied)).status_code == 403
    for other in (foreign, "nonsense", new_id()):
        params = {"ward_id": other}
        assert (await hospital.client.get("/v1/audit", headers=auditor, params=params)).status_code == 404


async def test_the_trail_can_be_filtered_and_paged(hospital: Hospital) -> None:
    ward_id = await hospital.ward()
    staff_id = await hospital.staff_id(ward_id)
    header = await hospital.token("staff", staff_id)
    made = [(await hospital.patient(header, ward_id))["id"] for _ in range(5)]
    auditor = await hospital.auditor(ward_id)

    async def asked(**params: Any) -> Any:
        answer = await hospital.client.get("/v1/audit", headers=auditor, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    wanted = {"action": "patient.registered", "limit": 2}
    first = await asked(**wanted)
    second = await asked(**wanted, cursor=first["next_cursor"])
    third = await asked(**wanted, cursor=second["next_cursor"])
    found = [row["subject"]["id"] for page in (first, second, third) for row in page["items"]]
    assert found == made[::-1]
    assert third["next_cursor"] is None
    assert [row["action"] for row in (await asked(subject_id=made[0]))["items"]] == ["patient.registered"]
    assert {row["actor"]["id"] for row in (await asked(actor_id=staff_id))["items"]} == {staff_id}
    at = first["items"][0]["at"]
    assert made[-1] not in {row["subject"] and row["subject"]["id"] for row in (await asked(to=at))["items"]}
    assert (await asked(**{"from": at, "action": "patient.registered"}))["items"][0]["subject"]["id"] == made[-1]
