"""Registering people once, whoever sends them and however often; correcting what is known of them."""

import asyncio
from datetime import date
from typing import Any

import pytest
from nhs_number import generate, is_valid
from sqlalchemy import select

from service.patients.numbers import nhs_number
from service.patients.records import sixteenth_birthday
from service.storage.session import reading
from service.storage.tables import EventRow, PatientRow, StayRow
from tests.access.hospital import Headers, Hospital

NUMBER = {"system": "nhs_number", "value": "999 000 0018"}
PERSON: dict[str, Any] = {
    "identifiers": [NUMBER],
    "family_name": "Example",
    "given_name": "Pat",
    "birth_date": "1950-06-30",
}


@pytest.fixture
async def ward_id(hospital: Hospital) -> str:
    return await hospital.ward()


@pytest.fixture
async def nurse(hospital: Hospital, ward_id: str) -> Headers:
    return await hospital.clinician(ward_id)


async def test_the_same_person_sent_twice_is_one_record(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    path = f"/v1/wards/{ward_id}/patients"
    first = await hospital.client.post(path, headers=nurse, json=PERSON)
    again = {
        **PERSON,
        "identifiers": [{"system": "nhs_number", "value": "999-000-0018"}],
        "given_name": "Patricia",
    }
    second = await hospital.client.post(path, headers=nurse, json=again)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["nhs_number"] == "9990000018"
    assert (await hospital.client.get(f"/v1/patients/{first.json()['id']}", headers=nurse)).json() == first.json()


@pytest.mark.hazard("H3")
async def test_the_same_number_with_another_birth_date_is_refused(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    path = f"/v1/wards/{ward_id}/patients"
    answer = await hospital.client.post(path, headers=nurse, json={**PERSON, "birth_date": "1950-06-29"})
    assert (answer.status_code, answer.json()["code"]) == (409, "identifier_taken")
    assert "999" not in answer.text


async def test_numbers_of_two_people_are_refused(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    mrn = {"system": "mrn", "value": "A 17"}
    await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    await hospital.patient(nurse, ward_id, identifiers=[mrn])
    both = {**PERSON, "identifiers": [NUMBER, mrn]}
    answer = await hospital.client.post(f"/v1/wards/{ward_id}/patients", headers=nurse, json=both)
    assert answer.json()["code"] == "identifier_taken"


async def test_a_person_on_two_wards_has_two_records(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    other = await hospital.ward()
    mine = await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    theirs = await hospital.patient(await hospital.clinician(other), other, identifiers=[NUMBER])
    assert mine["id"] != theirs["id"]


async def test_twenty_registrations_at_once_make_one_record(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    path = f"/v1/wards/{ward_id}/patients"
    mrn = {"system": "mrn", "value": "7"}
    orders = [[NUMBER, mrn], [mrn, NUMBER]]
    answers = await asyncio.gather(
        *(hospital.client.post(path, headers=nurse, json={**PERSON, "identifiers": orders[n % 2]}) for n in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    async with reading(hospital.app.state.database) as session:
        assert len((await session.scalars(select(PatientRow.id))).all()) == 1


@pytest.mark.hazard("H3")
async def test_people_without_numbers_are_never_taken_for_each_other(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    first = await hospital.patient(nurse, ward_id)
    second = await hospital.patient(nurse, ward_id)
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"birth_date": "2026-11-23"}, "/birth_date"),
        ({"birth_date": "1890-01-01"}, "/birth_date"),
        ({"birth_date": "1950-02-30"}, "/birth_date"),
        ({"birth_date": "1950-06-30T00:00:00Z"}, "/birth_date"),
        ({"birth_date": 0}, "/birth_date"),
        ({"family_name": ""}, "/family_name"),
        ({"identifiers": [{"system": "nhs_number", "value": "9990000019"}]}, "/identifiers/0/value"),
        ({"identifiers": [{"system": "passport", "value": "1"}]}, "/identifiers/0/system"),
        ({"identifiers": [{"system": "mrn", "value": " "}]}, "/identifiers/0/value"),
        ({"shoe_size": 40}, "/shoe_size"),
    ],
    ids=str,
)
async def test_a_person_who_cannot_be_is_refused(
    hospital: Hospital, ward_id: str, nurse: Headers, change: dict[str, Any], pointer: str
) -> None:
    answer = await hospital.client.post(f"/v1/wards/{ward_id}/patients", headers=nurse, json={**PERSON, **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert "9990000019" not in answer.text


async def test_a_number_finds_the_ward_s_patient_only(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    other = await hospital.ward()
    await hospital.patient(await hospital.clinician(other), other, identifiers=[NUMBER])
    path = f"/v1/wards/{ward_id}/patients/lookup"
    assert (await hospital.client.post(path, headers=nurse, json=NUMBER)).json()["items"] == []
    mine = await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    assert (await hospital.client.post(path, headers=nurse, json=NUMBER)).json()["items"] == [mine]


async def test_a_correction_is_kept_and_told_to_the_feed_without_identity(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    patient = await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    changes = {"family_name": "Sample", "phone": None, "contact_hold": True, "identifiers": []}
    answer = await hospital.client.patch(
        f"/v1/patients/{patient['id']}", headers={**nurse, "If-Match": '"1"'}, json=changes
    )
    assert answer.json() == {**patient, **changes, "nhs_number": None, "version": 2}
    async with reading(hospital.app.state.database) as session:
        events = (await session.scalars(select(EventRow))).all()
    assert [(event.type, event.data) for event in events] == [
        ("patient.changed", {"fields": ["contact_hold", "family_name", "identifiers"], "version": 2})
    ]


async def test_who_corrects_what_is_no_longer_so_is_shown_how_it_is(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    patient = await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    body = {"phone": "020 7946 0000", "version": 2}
    stale = await hospital.client.patch(f"/v1/patients/{patient['id']}", headers=nurse, json=body)
    assert (stale.status_code, stale.json()["current"]) == (412, patient)


async def test_a_correction_nobody_sees_in_the_queue_is_no_event(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    patient = await hospital.patient(nurse, ward_id)
    body = {"language": "cy", "version": 1}
    assert (await hospital.client.patch(f"/v1/patients/{patient['id']}", headers=nurse, json=body)).is_success
    async with reading(hospital.app.state.database) as session:
        assert (await session.scalars(select(EventRow))).all() == []


async def test_another_birth_date_moves_the_sixteenth_birthday_of_the_stay(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    stay = await hospital.stay(nurse, ward_id, birth_date="2011-03-04")
    body = {"birth_date": "2012-02-29", "version": 1}
    answer = await hospital.client.patch(f"/v1/patients/{stay['patient_id']}", headers=nurse, json=body)
    assert answer.status_code == 200
    async with reading(hospital.app.state.database) as session:
        assert (await session.scalars(select(StayRow.sixteen_on))).one() == date(2028, 2, 29)


async def test_a_number_of_somebody_else_is_not_given_away(hospital: Hospital, ward_id: str, nurse: Headers) -> None:
    await hospital.patient(nurse, ward_id, identifiers=[NUMBER])
    other = await hospital.patient(nurse, ward_id)
    path = f"/v1/patients/{other['id']}"
    answer = await hospital.client.patch(path, headers=nurse, json={"identifiers": [NUMBER], "version": 1})
    assert answer.json()["code"] == "identifier_taken"
    assert (await hospital.client.get(path, headers=nurse)).json() == other


@pytest.mark.parametrize("field", ["family_name", "birth_date", "contact_hold", "identifiers"])
async def test_what_a_person_always_has_cannot_be_taken_away(
    hospital: Hospital, ward_id: str, nurse: Headers, field: str
) -> None:
    patient = await hospital.patient(nurse, ward_id)
    body = {field: None, "version": 1}
    answer = await hospital.client.patch(f"/v1/patients/{patient['id']}", headers=nurse, json=body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]


@pytest.mark.hazard("H3")
def test_nhs_numbers_are_judged_as_the_nhs_number_package_judges_them() -> None:
    for number in generate(quantity=200, valid=True) + generate(quantity=200, valid=False):
        assert (nhs_number(number) is not None) == is_valid(number)


@pytest.mark.parametrize("text", ["987 654 4321", "", "999000001", "99900000180", "٩٩٩٠٠٠٠٠١٨", "9990000018\n1"])
def test_what_is_no_nhs_number_is_none(text: str) -> None:
    assert nhs_number(text) is None


@pytest.mark.parametrize(
    ("born", "sixteen"),
    [
        (date(2010, 11, 22), date(2026, 11, 22)),
        (date(2008, 2, 29), date(2024, 2, 29)),
        (date(2084, 2, 29), date(2100, 3, 1)),
    ],
)
def test_the_sixteenth_birthday(born: date, sixteen: date) -> None:
    assert sixteenth_birthday(born) == sixteen


@pytest.mark.parametrize("second", ["9990000034", "0000000000"])
async def test_a_person_has_one_nhs_number(hospital: Hospital, ward_id: str, nurse: Headers, second: str) -> None:
    path = f"/v1/wards/{ward_id}/patients"
    both = {**PERSON, "identifiers": [NUMBER, {"system": "nhs_number", "value": second}]}
    answer = await hospital.client.post(path, headers=nurse, json=both)
    assert (answer.status_code, second in answer.text) == (422, False)


async def test_somebody_known_by_one_number_is_not_known_by_another(
    hospital: Hospital, ward_id: str, nurse: Headers
) -> None:
    path = f"/v1/wards/{ward_id}/patients"
    mrn = {"system": "mrn", "value": "A-1"}
    first = await hospital.client.post(path, headers=nurse, json={**PERSON, "identifiers": [NUMBER, mrn]})
    other = {"system": "nhs_number", "value": "999 000 0034"}
    answer = await hospital.client.post(path, headers=nurse, json={**PERSON, "identifiers": [mrn, other]})
    assert (first.status_code, answer.status_code, answer.json()["code"]) == (201, 409, "identifier_taken")
