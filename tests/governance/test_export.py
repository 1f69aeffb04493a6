"""Everything held on a patient comes with the export, and nothing else does."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select
from typer.testing import CliRunner

from service.cli.main import app as command_line
from service.clock import real_now
from service.fields import new_id
from service.governance import export
from service.governance.held import NOT_ABOUT_PATIENTS, PARTS
from service.settings import Settings
from service.storage.engine import Database
from service.storage.tables import METADATA
from tests.access.hospital import Headers, Hospital
from tests.governance.record import BIRTH_DATE, IDENTITY, WRITTEN, Record

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def exported(record: Record, header: Headers | None = None) -> Any:
    auditor = header or await record.hospital.auditor(record.ward_id)
    return await record.call("GET", f"{record.path}/export", header=auditor)


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    async with database.reads.connect() as connection:
        return {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in METADATA.tables.values()
        }


def related(found: dict[str, list[dict[str, Any]]], start: set[str]) -> set[str]:
    """The ids of everything that leads to one of these ids: what belongs to what belongs to the patient."""
    known, before = set(start), 0
    while len(known) > before:
        before = len(known)
        for name, rows in found.items():
            if name in {part.table.name for part in PARTS} - {"audit", "event", "transfer"}:
                known |= {row["id"] for row in rows if "id" in row and known.intersection(map(str, row.values()))}
    return known


# What is in it ---------------------------------------------------------------------------------------------


def test_every_table_is_in_the_export_or_says_why_it_holds_nobody() -> None:
    covered = {part.table.name for part in PARTS}
    assert not covered & set(NOT_ABOUT_PATIENTS)
    assert covered | set(NOT_ABOUT_PATIENTS) == set(METADATA.tables), "say it in service/governance/held.py"
    for name in NOT_ABOUT_PATIENTS:
        assert not leads_to_patients(METADATA.tables[name]), name


def leads_to_patients(table: Table) -> bool:
    """Whether a table refers to a patient, by key or by the name of a column."""
    named = {"patient_id", "stay_id", "alert_id", "reading_id", "carer_id", "pairing_id", "birth_date"}
    keys = {key.column.table for key in table.foreign_keys if key.column.table is not table}
    return bool(named & set(table.c.keys())) or table.name == "patient" or any(map(leads_to_patients, keys))


async def test_every_row_that_leads_to_the_patient_is_there(record: Record, database: Database) -> None:
    found = await everything(database)
    answer = await exported(record)
    assert {name for name, rows in answer["parts"].items() if not rows} <= {"erasure", "transfer_to_here"}
    ids = related(found, {record.patient_id})
    for name, rows in found.items():
        if name in NOT_ABOUT_PATIENTS:
            continue
        parts = [part for part in PARTS if part.table.name == name]
        given = {json.dumps(row, sort_keys=True) for part in parts for row in answer["parts"][part.name]}
        for row in rows:
            if ids & set(_texts(row)):
                shown = export._written({column: row[column] for column in parts[0].shown})
                assert json.dumps(json.loads(export.orjson.dumps(shown)), sort_keys=True) in given, (name, row)
    assert answer["complete"] is True


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


async def test_what_is_known_and_what_was_written_is_there(record: Record) -> None:
    text = json.dumps(await exported(record))
    assert [each for each in (*IDENTITY, *WRITTEN) if each not in text] == []


@ONE_DATABASE
async def test_no_secret_and_no_hash_is_given_out(record: Record, database: Database) -> None:
    answer = await exported(record)
    named = ("hash", "secret", "seal", "password", "private", "content")
    for part in PARTS:
        for column in part.table.columns:
            if any(word in column.name for word in named):
                assert column.name in part.withheld, f"{part.name}.{column.name}"
                assert all(column.name not in row for row in answer["parts"][part.name])
    text = json.dumps(answer)
    found = await everything(database)
    del found["idempotency"]  # what was sent without a name is named by its content
    for rows in found.values():
        secret = [value for row in rows for name, value in row.items() if value and any(word in name for word in named)]
        assert not [value for value in secret if isinstance(value, str) and value in text]


@ONE_DATABASE
async def test_nothing_of_anybody_else_is_in_it(record: Record) -> None:
    other = await record.hospital.stay(record.team, record.ward_id, family_name="Otherperson")
    await record.call("GET", f"/v1/stays/{other['id']}")
    await record.settle()
    text = json.dumps(await exported(record))
    assert [each for each in ("Otherperson", other["id"], other["patient_id"]) if each in text] == []


@pytest.mark.parametrize("most", [1, 2])
async def test_it_comes_in_pages(record: Record, database: Database, most: int) -> None:
    whole = await exported(record)
    pieces = export.document(database, record.ward_id, record.patient_id, real_now(), most)
    paged = json.loads(b"".join([piece async for piece in pieces]))
    del whole["made_at"], paged["made_at"]
    for each in (whole, paged):
        each["parts"] = {name: sorted(map(str, rows)) for name, rows in each["parts"].items()}
    assert paged == whole
    of = await export.whose(database, record.ward_id, record.patient_id)
    for part in PARTS:
        async for rows in export.pages(database, of, part, most):
            assert len(rows) <= most


# Who may have it -------------------------------------------------------------------------------------------


@ONE_DATABASE
async def test_only_the_wards_auditors_may_have_it(record: Record) -> None:
    hospital, path = record.hospital, f"{record.path}/export"
    denied = [record.team, await hospital.lead(record.ward_id), await hospital.administrator(),
              await hospital.system(record.ward_id)]  # fmt: skip
    for header in denied:
        assert (await hospital.client.get(path, headers=header)).status_code == 403
    elsewhere = await hospital.auditor(await hospital.ward())
    assert (await hospital.client.get(path, headers=elsewhere)).status_code == 404
    narrow = await hospital.token("staff", await hospital.staff_id(record.ward_id, role="auditor"), "audit:read")
    answer = await hospital.client.get(path, headers=narrow)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert "patients:read" in answer.json()["required_scopes"]


async def test_it_is_in_the_trail_before_anything_is_given_out(hospital: Hospital, record: Record) -> None:
    auditor_id = await hospital.staff_id(record.ward_id, role="auditor")
    answer = await exported(record, await hospital.token("staff", auditor_id))
    noted = [row for row in answer["parts"]["audit"] if row["action"] == "patient.exported"]
    assert [(row["actor_id"], row["subject_id"]) for row in noted] == [(auditor_id, record.patient_id)]
    assert BIRTH_DATE not in json.dumps(answer["parts"]["audit"])


async def test_the_command_line_writes_it_to_a_private_file(
    record: Record, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARDWATCH_DATABASE_URL", settings.database_url)
    file = tmp_path / "record.json"

    def run(patient_id: str) -> Any:
        return CliRunner().invoke(command_line, ["export", patient_id, str(file)])

    assert (await asyncio.to_thread(run, new_id())).exit_code == 2
    done = await asyncio.to_thread(run, record.patient_id)
    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o077 == 0
    found = json.loads(file.read_text())
    assert found["parts"]["patient"][0]["family_name"] == IDENTITY[0]
    (noted,) = [row for row in found["parts"]["audit"] if row["action"] == "patient.exported"]
    assert noted["actor_kind"] == "system"
    assert (await asyncio.to_thread(run, record.patient_id)).exit_code == 2
