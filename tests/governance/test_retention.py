"""What has been kept for its time goes, all of it, and nothing else does."""

import asyncio
import dataclasses
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from typer.testing import CliRunner

from service.access.sealing import Seals, verify
from service.cli.main import app as command_line
from service.clock import real_now
from service.fields import NIL_ID, new_id
from service.governance import removing, retention
from service.governance.held import PARTS
from service.governance.terms import kept_until
from service.settings import Settings
from service.storage.engine import Database
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.access.hospital import Hospital
from tests.conftest import SECRET_KEY
from tests.governance.record import Record
from tests.support.time import SettableClock
from tests.support.wards import everything_in

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LEFT = {"event", "audit"}


async def counts(database: Database) -> dict[str, int]:
    async with database.reads.connect() as connection:
        return {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in METADATA.tables.items()
        }


async def years_pass(record: Record, years: int, **less: float) -> None:
    clock: SettableClock = record.hospital.app.state.clock
    clock.set(clock.now().replace(year=clock.now().year + years))
    clock.advance(**{name: -value for name, value in less.items()})
    await record.settle()


async def stay_on(record: Record, **person: Any) -> dict[str, Any]:
    return await record.hospital.stay(record.team, record.ward_id, **person)


# The terms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ended", "born", "until"),
    [
        ((2026, 11, 22), (1950, 1, 1), (2034, 11, 22)),
        ((2024, 2, 29), (1950, 1, 1), (2032, 2, 29)),
        ((2025, 2, 28), (2008, 2, 29), (2033, 3, 1)),  # a day before 17: until 25
        ((2020, 5, 1), (2010, 6, 1), (2035, 6, 1)),  # nine: until 25
        ((2027, 5, 31), (2010, 6, 1), (2035, 6, 1)),  # 16
        ((2027, 6, 1), (2010, 6, 1), (2036, 6, 1)),  # 17: until 26
        ((2028, 5, 31), (2010, 6, 1), (2036, 6, 1)),
        ((2028, 6, 1), (2010, 6, 1), (2036, 6, 1)),  # 18: eight years
    ],
)
def test_how_long_a_record_is_kept(ended: Any, born: Any, until: Any) -> None:
    assert kept_until(datetime(*ended, 12, tzinfo=UTC), date(*born), 8) == date(*until)


# What goes -------------------------------------------------------------------------------------------------


async def test_a_record_goes_after_eight_years_with_all_its_rows(
    record: Record, database: Database, clock: SettableClock
) -> None:
    before = await counts(database)
    await years_pass(record, 8, days=1)
    kept = await counts(database)
    assert {name for name in before if kept[name] < before[name]} <= {"idempotency"}
    clock.advance(days=2)
    await record.settle()
    after = await counts(database)
    for part in PARTS:
        if part.table.name not in LEFT | {"token_family", "access_change"}:
            assert after[part.table.name] == 0, part.name
    assert [row for row in await record.rows("token_family") if row["subject_kind"] in ("patient", "carer")] == []
    (noted,) = [row for row in await record.rows("audit") if row["action"] == "patient.removed"]
    assert (noted["subject_id"], noted["detail"]["kept_until"]) == (record.patient_id, "2034-11-22")
    assert after["event"] == before["event"] + 1
    assert "sentinel" not in (await everything_in(database)).lower()
    others = [await record.rows(name) for name in METADATA.tables if name != "audit"]
    assert record.stay_id not in str(others)


async def test_the_feed_has_no_gap_and_names_nobody_who_is_gone(record: Record, clock: SettableClock) -> None:
    await years_pass(record, 9)
    path = f"/v1/wards/{record.ward_id}/events"
    answer = await record.call("GET", f"{path}?limit=200", header=await record.hospital.clinician(record.ward_id))
    events = answer["items"]
    assert [each["number"] for each in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "patient.removed"
    alerts = [row["subject_id"] for row in await record.rows("audit") if row["subject_type"] == "alert"]
    known = {record.stay_id, *alerts}
    for each in events[:-1]:
        if each["type"].startswith(("alert.", "stay.", "reading.")):
            assert (each["subject"]["id"], each["data"]) == (NIL_ID, {})
    assert [each for each in known if each in str(events)] == []


async def test_the_chain_of_the_trail_still_verifies(record: Record, database: Database) -> None:
    before = len(await record.rows("audit"))
    await years_pass(record, 9)
    await record.settle()
    async with database.reads.connect() as connection:
        chains = await verify(connection, [Seals(SECRET_KEY)], {})
    assert {chain.broken for chain in chains} == {None}
    assert len(await record.rows("audit")) > before


async def test_who_came_back_is_kept_until_eight_years_after_the_last_stay(
    record: Record, clock: SettableClock
) -> None:
    await years_pass(record, 7)
    team = record.team = await record.hospital.clinician(record.ward_id)
    body = {"patient_id": record.patient_id}
    stay = await record.call("POST", f"/v1/wards/{record.ward_id}/stays", **body)
    await years_pass(record, 9)
    assert await record.rows("reading"), "a stay that goes on keeps everything"
    await record.call(
        "POST", f"/v1/stays/{stay['id']}/discharge", reason="better", version=stay["version"],
        header=await record.hospital.clinician(record.ward_id),
        outcomes={row["id"]: "other" for row in await record.rows("alert") if row["state"] != "resolved"},
    )  # fmt: skip
    assert team
    await years_pass(record, 7)
    assert await record.rows("reading")
    await years_pass(record, 2)
    assert await record.rows("patient") == []


async def test_an_alert_that_is_not_resolved_keeps_the_record(record: Record, database: Database) -> None:
    alert = METADATA.tables["alert"]
    async with writing(database) as session:
        await session.execute(update(alert).where(alert.c.stay_id == record.stay_id).values(state="recovered"))
    clock: SettableClock = record.hospital.app.state.clock
    work = retention.Retention(database, 8, lambda _: None)
    later = clock.now().replace(year=2040)
    await work.carry_out(record.ward_id, later)
    assert record.ward_id not in (await work.find_due(later)).wards
    assert await record.rows("reading")


@ONE_DATABASE
async def test_a_child_is_kept_until_twenty_five_and_who_was_never_admitted_for_the_same_time(
    record: Record, hospital: Hospital
) -> None:
    child = await stay_on(record, birth_date="2015-03-02")
    await hospital.patient(record.team, record.ward_id, birth_date="1960-01-01")
    version = child["version"]
    await record.call("POST", f"/v1/stays/{child['id']}/discharge", reason="better", version=version, outcomes={})
    await years_pass(record, 9)
    assert [row["id"] for row in await record.rows("patient")] == [child["patient_id"]]
    record.hospital.app.state.clock.set(datetime(2040, 3, 1, 12, tzinfo=UTC))
    await record.settle()
    assert await record.rows("patient")
    record.hospital.app.state.clock.set(datetime(2040, 3, 2, 12, tzinfo=UTC))
    await record.settle()
    assert await record.rows("patient") == []


@ONE_DATABASE
async def test_nothing_goes_where_records_are_kept_for_ever(
    record: Record, database: Database, clock: SettableClock
) -> None:
    before = await counts(database)
    work = retention.Retention(database, 0, lambda _: None)
    found = await work.find_due(clock.now().replace(year=2099))
    for ward_id in found.wards:
        await work.carry_out(ward_id, clock.now().replace(year=2099))
    after = await counts(database)
    assert {name for name in before if after[name] < before[name]} <= {"idempotency", "token_family", "access_change"}
    assert after["reading"] == before["reading"] > 0


# How it goes -----------------------------------------------------------------------------------------------


async def test_it_goes_in_small_steps_and_goes_on_where_it_was_stopped(
    record: Record, database: Database, clock: SettableClock
) -> None:
    now = clock.now().replace(year=2035)
    total = sum((await counts(database)).values())
    steps = 0
    while True:
        async with writing(database) as session:
            gone = await removing.remove_some(session, record.ward_id, record.patient_id, now, real_now(), 8, most=3)
        left = sum((await counts(database)).values())
        assert total - left <= 3
        total, steps = left, steps + 1
        if gone:
            break
        assert await record.rows("patient"), "the patient goes last"
    assert steps > 5
    assert await record.rows("patient") == []


async def test_who_is_admitted_meanwhile_stops_it(record: Record, database: Database, clock: SettableClock) -> None:
    body = {"patient_id": record.patient_id}
    await record.call("POST", f"/v1/wards/{record.ward_id}/stays", **body)
    async with writing(database) as session:
        now = clock.now().replace(year=2040)
        assert await removing.remove_some(session, record.ward_id, record.patient_id, now, real_now(), 8)
    assert len(await record.rows("stay")) == 2
    assert await record.rows("reading")


@ONE_DATABASE
async def test_it_looks_once_an_hour_and_at_once_when_there_is_more(
    record: Record, database: Database, clock: SettableClock
) -> None:
    work = retention.Retention(database, 8, lambda _: None, most_steps=1)
    now = clock.now().replace(year=2036)
    assert record.ward_id in (await work.find_due(now)).wards
    assert (await work.find_due(now)).wards == ()
    assert await work.carry_out(record.ward_id, now) is False
    assert record.ward_id in (await work.find_due(now)).wards, "what was left is looked for at once"


# What serves the service itself ----------------------------------------------------------------------------


async def test_the_names_of_readings_go_ninety_days_after_the_stay(record: Record, clock: SettableClock) -> None:
    open_stay = await stay_on(record)
    body = {"stay_id": open_stay["id"], "observed_at": clock.now().isoformat(), "spo2": 97}
    await record.call("POST", "/v1/readings", **body)
    clock.advance(days=89)
    await record.settle()
    assert {row["stay_id"] for row in await record.rows("idempotency")} == {record.stay_id, open_stay["id"]}
    clock.advance(days=2)
    await record.settle()
    assert {row["stay_id"] for row in await record.rows("idempotency")} == {open_stay["id"]}


@ONE_DATABASE
async def test_sign_ins_that_are_over_go(record: Record, database: Database, clock: SettableClock) -> None:
    family = METADATA.tables["token_family"]
    real = real_now()
    async with writing(database) as session:
        for years in (0, 1):
            at = real.replace(year=real.year - years)
            row = {"id": new_id(), "subject_kind": "staff", "subject_id": new_id(), "scopes": [], "created_at": at,
                   "expires_at": at, "ends_at": at, "bound": {}, "generation": 0}  # fmt: skip
            await session.execute(insert(family).values(row))
    before = len(await record.rows("token_family"))
    clock.advance(hours=2)
    await record.settle()
    assert len(await record.rows("token_family")) == before - 1


# The command line ------------------------------------------------------------------------------------------


async def test_the_command_line_says_what_would_go(
    record: Record, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARDWATCH_DATABASE_URL", settings.database_url)
    stay, patient = METADATA.tables["stay"], METADATA.tables["patient"]
    long_ago = real_now().replace(year=2010)
    async with writing(database) as session:
        await session.execute(update(stay).values(discharged_at=long_ago))
        await session.execute(update(patient).values(created_at=long_ago))

    def run(*more: str) -> Any:
        return CliRunner().invoke(command_line, ["retention", *more])

    said = await asyncio.to_thread(run, "--dry-run")
    assert said.exit_code == 0, said.output
    assert f"patient {record.patient_id}: ended 2010" in said.output
    assert "reading 2" in said.output
    assert "1 patients and 2 names of readings would go." in said.output
    assert "Sentinel" not in said.output
    assert await record.rows("reading")
    assert (await asyncio.to_thread(run)).exit_code == 0
    assert await record.rows("patient") == []
    assert "0 patients" in (await asyncio.to_thread(run, "--dry-run")).output


def test_the_years_are_a_setting(settings: Settings | None = None) -> None:
    assert dataclasses.replace(Settings(), retention_years=20).retention_years == 20
