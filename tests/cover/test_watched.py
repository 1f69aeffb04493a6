"""What the answer to a reading says about who is there: the truth at that minute, on both databases."""

from typing import Any

import pytest
from fastapi import FastAPI

from service.storage.tables import METADATA
from tests.access.hospital import Headers, Hospital
from tests.support.time import START, SettableClock
from tests.support.wards import Partner

COVERAGE: dict[str, Any] = {
    "service_hours": {"week": {"sunday": [{"starts": "08:00", "ends": "20:00"}]}},
    "version": 1,
}


async def cover(hospital: Hospital, ward_id: str, header: Headers, **more: Any) -> None:
    answer = await hospital.client.put(f"/v1/wards/{ward_id}/coverage", headers=header, json=COVERAGE | more)
    assert answer.status_code == 200, answer.text


async def on_sundays(hospital: Hospital, partner: Partner, starts: str, ends: str) -> Headers:
    """Somebody on duty on Sundays from and to; the header of the ward's lead."""
    header = await hospital.lead(partner.ward_id)
    shift = {"starts": starts, "ends": ends, "staff_id": await hospital.staff_id(partner.ward_id)}
    await cover(hospital, partner.ward_id, header, on_duty={"week": {"sunday": [shift]}})
    return header


@pytest.mark.hazard("H2")
async def test_a_patient_reads_of_the_team_only_while_somebody_is_on_duty(
    hospital: Hospital, partner: Partner, clock: SettableClock
) -> None:
    await on_sundays(hospital, partner, "08:00", "14:00")
    stay_id = await partner.admit()
    there = (await partner.kept(stay_id, spo2=97))["assessment"]
    assert there["watched_now"] is True
    assert "ring your ward team" in there["advice"]
    clock.advance(hours=6)
    gone = (await partner.kept(stay_id, observed_at=clock.at, spo2=97))["assessment"]
    assert gone["watched_now"] is False
    assert "111" in gone["advice"]
    assert "ward team" not in gone["advice"]


async def test_the_numbers_to_ring_follow_the_clock(hospital: Hospital, partner: Partner, clock: SettableClock) -> None:
    header = await hospital.lead(partner.ward_id)
    ward = {"phone": "0113 496 0000", "out_of_hours_text": "Our night desk is 0113 496 0001.", "version": 1}
    patched = await hospital.client.patch(f"/v1/wards/{partner.ward_id}", headers=header, json=ward)
    assert patched.status_code == 200, patched.text
    stay_id = await partner.admit()
    day = (await partner.kept(stay_id, spo2=97))["assessment"]["advice"]
    assert "0113 496 0000" in day
    assert "0113 496 0001" not in day
    clock.set(START.replace(hour=21))
    night = (await partner.kept(stay_id, observed_at=clock.at, spo2=97))["assessment"]["advice"]
    assert "0113 496 0001" in night
    assert "0113 496 0000" not in night


async def test_a_change_of_the_calendar_is_felt_by_the_next_reading(hospital: Hospital, partner: Partner) -> None:
    stay_id = await partner.admit()
    assert not (await partner.kept(stay_id, spo2=97))["assessment"]["watched_now"]
    header = await on_sundays(hospital, partner, "08:00", "20:00")
    assert (await partner.kept(stay_id, spo2=96))["assessment"]["watched_now"]
    await cover(hospital, partner.ward_id, header, version=2)
    assert not (await partner.kept(stay_id, spo2=98))["assessment"]["watched_now"]


async def test_medium_is_due_in_the_wards_own_hours(hospital: Hospital, partner: Partner) -> None:
    hours = {
        "week": {"sunday": [{"starts": "10:00", "ends": "11:00"}], "monday": [{"starts": "12:00", "ends": "15:00"}]}
    }
    await cover(hospital, partner.ward_id, await hospital.lead(partner.ward_id), service_hours=hours)
    stay_id = await partner.admit()
    await partner.kept(stay_id, spo2=94, breathlessness=0)
    [alert] = await partner.alerts(stay_id)
    assert (alert["severity"], alert["respond_by"]) == ("medium", "2026-11-23T13:00:00Z")
    path = f"/v1/alerts/{alert['id']}/acknowledge"
    taken = await partner.ask("POST", path, {"version": alert["version"]})
    assert taken.json()["ack_expires_at"] == "2026-11-23T15:00:00Z"


async def test_a_calendar_that_cannot_be_read_stops_no_reading_and_leaves_nobody_on_duty(
    hospital: Hospital, partner: Partner, app: FastAPI
) -> None:
    await on_sundays(hospital, partner, "08:00", "20:00")
    broken = {"service_hours": {"week": 1}, "on_duty": {"dates": "?"}}
    async with app.state.database.writes.begin() as connection:
        await connection.execute(METADATA.tables["coverage"].update().values(broken))
    stay_id = await partner.admit()
    assert (await partner.kept(stay_id, spo2=97))["assessment"]["watched_now"] is False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "text", ["All is normal.", "Your team is watching.", "You may carry on.", "Turn up your oxygen."]
)
@pytest.mark.hazard("H13")
async def test_a_ward_cannot_write_what_no_patient_may_read(hospital: Hospital, partner: Partner, text: str) -> None:
    header = await hospital.lead(partner.ward_id)
    body = {"out_of_hours_text": text, "version": 1}
    answer = await hospital.client.patch(f"/v1/wards/{partner.ward_id}", headers=header, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/out_of_hours_text"
