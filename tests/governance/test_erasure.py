"""Erasure takes the identity for good, wherever it stood, and leaves the safety record under a pseudonym."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, String
from typer.testing import CliRunner

from service.access.sealing import Seals, verify
from service.cli.main import app as command_line
from service.governance.blanking import BLANKS, DELETED, ERASED, NO_BIRTH_DATE, side_of_sixteen
from service.governance.held import PARTS
from service.settings import Settings
from service.storage.engine import Database
from service.storage.portable import IdType, InstantType
from service.storage.tables import METADATA
from tests.access.at_home import bearer, refresh
from tests.access.hospital import Headers, Hospital
from tests.conftest import SECRET_KEY
from tests.governance.record import BIRTH_DATE, IDENTITY, NUMBER, WRITTEN, Record
from tests.support.wards import everything_in

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NO_IDENTITY = {
    "access_change": "words of ours",
    "access_incident": "words of ours",
    "alert": "words and rules of ours, values and limits",
    "alert_response": "outcomes, words of ours",
    "audit": "ids, words of ours, network addresses: never changed, as it is sealed",
    "erasure": "a word, and a number of the hospital's own register",
    "event": "words of ours, and ids",
    "notice": "to which of the staff, and how it failed",
    "pairing": "words of ours",
    "pairing_code": "words of ours",
    "plan": "a profile, times and a word on treatment",
    "reading": "words of ours, and what kind of device it was",
    "refusal": "words of ours",
    "stay": "words of ours, and what the clock over a stay remembers",
    "transfer": "words of ours",
}
"""What the other columns of text hold, by table."""
SAYS_WHO = {
    "patient": {"family_name", "given_name", "phone", "language"},
    "carer": {"name", "relationship"},
    "stay": {"pause_reason", "discharge_reason"},
    "plan": {"patient_text", "reason"},
    "reading": {"client_reading_id", "device_id", "entered_by", "entered_in_error_reason"},
    "alert_note": {"text"},
    "pairing_code": {"code_hash", "birth_date_hash"},
}
SAYS_NOTHING = {
    "access_change": {"subject_kind"},
    "access_incident": {"kind"},
    "alert": {"subject", "family", "channel", "title", "state", "explanation", "machine"},
    "alert_response": {"outcome"},
    "audit": {"actor_kind", "action", "outcome", "subject_type", "request_id", "address", "detail", "seal"},
    "erasure": {"status", "reason", "reference"},
    "event": {"type", "subject_type", "data"},
    "notice": {"recipient", "state", "problem"},
    "pairing": {"kind", "end_reason"},
    "pairing_code": {"kind"},
    "plan": {"profile", "reading_times", "treatment_escalation"},
    "reading": {"consciousness", "context", "feeling", "symptoms", "signal_quality", "quality", "device_model",
                "source", "rule_set_version"},
    "refusal": {"code"},
    "stay": {"status", "watch"},
    "transfer": {"status", "proposer_kind"},
}  # fmt: skip


async def erased(record: Record, reason: str = "request_granted") -> Any:
    """What two leads do."""
    one, other = await record.hospital.lead(record.ward_id), await record.hospital.lead(record.ward_id)
    await record.call("POST", f"{record.path}/erasures", header=one, reason=reason, reference="SAR-2026/117")
    return await record.call("POST", f"{record.path}/erasures/approve", header=other)


async def refused(record: Record, path: str, header: Headers, **body: Any) -> tuple[int, str]:
    answer = await record.hospital.client.post(f"{record.path}/erasures{path}", headers=header, json=body or None)
    return answer.status_code, answer.json()["code"]


# What goes -------------------------------------------------------------------------------------------------


def texts(name: str) -> set[str]:
    """The columns of a table that can hold a text, ids and instants aside."""
    columns = METADATA.tables[name].columns
    return {
        each.name for each in columns
        if isinstance(each.type, String | JSON) and not isinstance(each.type, IdType | InstantType)
    }  # fmt: skip


def test_every_column_that_can_hold_a_text_is_removed_or_known_to_say_nothing() -> None:
    for name in {part.table.name for part in PARTS} - set(DELETED):
        says_who, nothing = SAYS_WHO.get(name, set()), SAYS_NOTHING.get(name, set())
        assert texts(name) == says_who | nothing, f"{name}: does a new column say who somebody is?"
        assert says_who == set(BLANKS.get(name, {})) - {"birth_date"}, name
        assert not nothing or NO_IDENTITY[name]


async def test_nothing_of_the_identity_is_left_anywhere(
    record: Record, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts_of = (*IDENTITY, *(each for each in WRITTEN if each != "model-sentinel"))
    dates = (repr(date.fromisoformat(BIRTH_DATE)), repr(date(1965, 3, 17)), "1965-03-17")
    before = await everything_in(database)
    assert [each for each in texts_of if each not in before and each != BIRTH_DATE] == []
    await erased(record)
    await record.settle()
    after = await everything_in(database)
    assert [each for each in (*texts_of, *dates) if each in after] == []
    monkeypatch.setenv("WARDWATCH_DATABASE_URL", settings.database_url)
    done = await asyncio.to_thread(CliRunner().invoke, command_line, ["scrub"])
    assert done.exit_code == 0, done.output
    if database.is_embedded:
        files = Path(str(database.url.database)).parent.glob("wardwatch.db*")
        held = b"".join(file.read_bytes() for file in files)
        assert [each for each in (*texts_of, *dates) if each.encode() in held] == []
        assert b"model-sentinel" in held, "looking for what is there finds it"


async def test_readings_and_alerts_stay_under_the_patients_id(record: Record) -> None:
    before = {name: await record.rows(name) for name in ("reading", "alert", "plan", "event")}
    done = await erased(record)
    assert (done["status"], done["reason"], done["reference"]) == ("carried_out", "request_granted", "SAR-2026/117")
    for name in ("reading", "alert", "plan"):
        kept = [{key: row[key] for key in row if key not in BLANKS.get(name, {})} for row in await record.rows(name)]
        assert kept == [{key: row[key] for key in row if key not in BLANKS.get(name, {})} for row in before[name]]
    patient = await record.call("GET", record.path)
    assert (patient["family_name"], patient["identifiers"], patient["phone"]) == (ERASED, [], None)
    assert patient["birth_date"] == NO_BIRTH_DATE.isoformat()
    assert patient["erased_at"] is not None
    readings = await record.call("GET", f"/v1/stays/{record.stay_id}/readings")
    assert [each["spo2"] for each in readings["items"]] == [each["spo2"] for each in readings["items"]] != []
    assert (await record.call("GET", f"/v1/stays/{record.stay_id}/trend"))["stay_id"] == record.stay_id
    (alert,) = (await record.call("GET", f"/v1/alerts?state=resolved&stay_id={record.stay_id}&family=oxygen"))["items"]
    assert alert["patient"]["family_name"] == ERASED
    story = await record.call("GET", f"/v1/alerts/{alert['id']}/events")
    assert len(story["items"]) > 3


async def test_the_ward_hears_of_it_and_the_queue_shows_no_name_at_once(record: Record) -> None:
    path = f"/v1/alerts?ward_id={record.ward_id}&state=resolved"
    before = await record.hospital.client.get(path, headers=record.team)
    assert NUMBER in before.text
    await erased(record)
    tag = {"If-None-Match": before.headers["etag"]}
    after = await record.hospital.client.get(path, headers={**record.team, **tag})
    assert after.status_code == 200
    assert NUMBER not in after.text
    events = (await record.call("GET", f"/v1/wards/{record.ward_id}/events?limit=200"))["items"]
    assert (events[-1]["type"], events[-1]["subject"]["id"]) == ("patient.erased", record.patient_id)
    assert events[-1]["data"] == {"version": 3} or list(events[-1]["data"]) == ["version"]


async def test_the_chain_of_the_trail_still_verifies_and_names_nobody(record: Record, database: Database) -> None:
    await erased(record)
    await record.settle()
    async with database.reads.connect() as connection:
        chains = await verify(connection, [Seals(SECRET_KEY)], {})
    assert {chain.broken for chain in chains} == {None}
    noted = [row for row in await record.rows("audit") if row["subject_id"] == record.patient_id]
    assert [row["action"] for row in noted][-2:] == ["patient.erasure_proposed", "patient.erased"]
    assert noted[-1]["actor_id"] != noted[-2]["actor_id"]
    assert set(noted[-1]["detail"]) == {"erasure_id", "reason"}


async def test_nobody_at_home_signs_in_any_more(record: Record) -> None:
    await erased(record)
    for tokens in record.tokens:
        assert (await refresh(record.hospital.client, tokens)).status_code == 400
        assert (await record.hospital.client.get("/v1/me", headers=bearer(tokens))).status_code == 401
    assert [row for row in await record.rows("token_family") if row["subject_kind"] in ("patient", "carer")] == []


@pytest.mark.parametrize(
    ("sixteen_on", "admitted", "discharged", "was_sixteen", "is_sixteen"),
    [
        (date(2000, 5, 1), (2026, 1, 1), (2026, 2, 1), True, True),
        (date(2030, 5, 1), (2026, 1, 1), (2026, 2, 1), False, False),
        (date(2026, 2, 2), (2026, 1, 1), (2026, 2, 1), False, False),
        (date(2026, 1, 1), (2026, 1, 1), (2026, 2, 1), True, True),
        (date(2026, 1, 20), (2026, 1, 1), (2026, 2, 1), True, True),
    ],
)
def test_the_day_in_place_of_the_sixteenth_birthday_tells_only_the_side(
    sixteen_on: date, admitted: Any, discharged: Any, was_sixteen: bool, is_sixteen: bool
) -> None:
    begin, end = datetime(*admitted, tzinfo=UTC), datetime(*discharged, tzinfo=UTC)
    day = side_of_sixteen(sixteen_on, begin, end)
    assert (day <= begin.date(), day <= end.date()) == (was_sixteen, is_sixteen)
    assert day != sixteen_on or day == begin.date()


# Who, and when ---------------------------------------------------------------------------------------------


async def test_it_takes_two_leads(record: Record) -> None:
    hospital = record.hospital
    one, other = await hospital.lead(record.ward_id), await hospital.lead(record.ward_id)
    asked = {"reason": "registered_in_error"}
    assert await refused(record, "/approve", one) == (409, "conflict")
    for denied in (record.team, await hospital.auditor(record.ward_id), await hospital.administrator(),
                   await hospital.system(record.ward_id)):  # fmt: skip
        assert (await refused(record, "", denied, **asked))[0] == 403
    assert await refused(record, "", await hospital.lead(await hospital.ward()), **asked) == (404, "not_found")
    proposed = await record.call("POST", f"{record.path}/erasures", header=one, **asked)
    assert (proposed["status"], proposed["reference"]) == ("proposed", None)
    assert await refused(record, "", other, **asked) == (409, "conflict")
    assert await refused(record, "/approve", one) == (409, "second_person_needed")
    assert (await record.call("GET", record.path))["family_name"] in IDENTITY
    await record.call("POST", f"{record.path}/erasures/withdraw", header=one)
    assert await refused(record, "/approve", other) == (409, "conflict")
    await record.call("POST", f"{record.path}/erasures", header=one, **asked)
    await record.call("POST", f"{record.path}/erasures/approve", header=other)
    listed = (await record.call("GET", f"{record.path}/erasures", header=await hospital.auditor(record.ward_id)))[
        "items"
    ]
    assert [each["status"] for each in listed] == ["carried_out", "withdrawn"]
    assert await refused(record, "", one, **asked) == (409, "patient_erased")


@ONE_DATABASE
async def test_a_reason_is_a_word_and_a_reference_holds_no_name(record: Record) -> None:
    lead = await record.hospital.lead(record.ward_id)
    for body in ({"reason": "because of Ms Example"}, {"reason": "court_order", "reference": "Ms Example"},
                 {"reason": "court_order", "reference": "A" * 41}, {"reference": "1"}):  # fmt: skip
        assert await refused(record, "", lead, **body) == (422, "invalid")


async def test_it_is_refused_while_a_stay_goes_on(record: Record) -> None:
    one, other = await record.hospital.lead(record.ward_id), await record.hospital.lead(record.ward_id)
    await record.call("POST", f"{record.path}/erasures", header=one, reason="request_granted")
    stay = await record.call("POST", f"/v1/wards/{record.ward_id}/stays", patient_id=record.patient_id)
    answer = await record.hospital.client.post(f"{record.path}/erasures/approve", headers=other)
    assert (answer.status_code, answer.json()["code"], answer.json()["stay_id"]) == (409, "stay_goes_on", stay["id"])
    assert NUMBER in str(await record.rows("patient_identifier"))


@ONE_DATABASE
async def test_an_erased_record_takes_nothing_more_and_the_person_is_registered_anew(
    record: Record, hospital: Hospital
) -> None:
    await erased(record)
    body = {"patient_id": record.patient_id}
    answer = await hospital.client.post(f"/v1/wards/{record.ward_id}/stays", headers=record.team, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "patient_erased")
    body = {"family_name": "Again", "version": (await record.call("GET", record.path))["version"]}
    answer = await hospital.client.patch(record.path, headers=record.team, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "patient_erased")
    number = [{"system": "nhs_number", "value": NUMBER}]
    again = await hospital.patient(record.team, record.ward_id, identifiers=number, birth_date=BIRTH_DATE)
    assert again["id"] != record.patient_id
