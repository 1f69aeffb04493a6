"""What people at home are told of their own stay."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from service.fields import utc_text
from service.storage.engine import Database
from service.storage.tables import METADATA
from tests.access.at_home import Bedside, bearer, bedside, reading
from tests.access.hospital import Headers, Hospital
from tests.support.time import START, SettableClock

PLAN = METADATA.tables["plan"]


async def my_stay(bed: Bedside, header: Headers) -> dict[str, Any]:
    answer = await bed.hospital.client.get("/v1/me/stay", headers=header)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_patient_sees_limits_times_and_whom_to_ring(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    lead = await hospital.lead(bed.ward_id)
    body = {"phone": "0113 496 0000", "out_of_hours_text": "Ring 111.", "version": 1}
    await hospital.client.patch(f"/v1/wards/{bed.ward_id}", headers=lead, json=body)
    plan = {"patient_text": "Sit still for five minutes first.", "baseline_spo2": 97, "version": 1}
    await hospital.client.patch(f"{bed.path}/plan", headers=bed.team, json=plan)
    mine = await my_stay(bed, await bed.app())
    assert (mine["stay_id"], mine["status"]) == (bed.stay["id"], "active")
    assert mine["limits"] == (await hospital.client.get(bed.path, headers=bed.team)).json()["limits"]
    assert mine["patient_text"] == "Sit still for five minutes first."
    assert mine["reading_times"] == ["09:00", "13:00", "19:00"]
    assert sorted(value is None for value in mine["ring"].values()) == [False, True]
    assert mine["watched_now"] is False
    assert "new code" in mine["notice"]
    assert not {"alerts", "patient_id", "treatment_escalation"} & set(mine)


async def test_a_patient_whose_plan_cannot_be_read_sees_whom_to_ring(hospital: Hospital, database: Database) -> None:
    bed = await bedside(hospital)
    async with database.writes.begin() as connection:
        unreadable = update(PLAN).where(PLAN.c.stay_id == bed.stay["id"]).values(reading_times=["25:00"])
        await connection.execute(unreadable)
    mine = await my_stay(bed, await bed.app())
    assert (mine["limits"], mine["next_reading"]) == (None, None)
    assert set(mine["ring"]) == {"phone", "text"}


async def test_on_a_ward_with_rules_shifts_and_a_policy_of_its_own_it_is_shown_by_them(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    ada = await hospital.staff_id(bed.ward_id)
    first, second = await hospital.lead(bed.ward_id), await hospital.lead(bed.ward_id)

    async def ask(method: str, path: str, header: Headers, **body: Any) -> dict[str, Any]:
        answer = await hospital.client.request(method, f"/v1/wards/{bed.ward_id}{path}", headers=header, json=body)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    rules = {"standard_amber_at": 93, "standard_red_at": 90, "slot_before_minutes": 60, "slot_until_minutes": 150}
    number = (await ask("POST", "/rule-sets", first, numbers=rules, reason="Fewer ambers."))["number"]
    await ask("POST", f"/rule-sets/{number}/approve", second)
    duty = {"week": {"sunday": [{"starts": "07:00", "ends": "20:00", "staff_id": ada}]}, "dates": []}
    hours = (await ask("GET", "/coverage", first))["service_hours"]
    await ask("PUT", "/coverage", first, service_hours=hours, on_duty=duty, version=1)
    steps = [{"after_minutes": 0, "notify": f"staff:{ada}", "channel": "queue"}]
    await ask("PUT", "/escalation-policy", first, steps=steps, version=1)
    mine = await my_stay(bed, await bed.app())
    assert (mine["limits"]["red_at"], mine["limits"]["amber_at"], mine["watched_now"]) == (90, 93, True)
    asked = {name: datetime.fromisoformat(at) for name, at in mine["next_reading"].items()}
    assert asked["at"] - asked["opens_at"] == timedelta(minutes=60)
    assert asked["closes_at"] - asked["at"] == timedelta(minutes=150)


async def test_the_next_reading_is_the_first_that_has_not_come(hospital: Hospital, clock: SettableClock) -> None:
    bed = await bedside(hospital)
    header = await bed.app()
    first = (await my_stay(bed, header))["next_reading"]
    assert first["opens_at"] < first["at"] < first["closes_at"]
    assert first["at"] > utc_text(START)
    clock.advance(hours=1)
    while utc_text(clock.now()) < first["at"]:
        clock.advance(hours=1)
    sent = reading(observed_at=utc_text(clock.now()))
    assert (await hospital.client.post("/v1/readings", headers=header, json=sent)).status_code == 201
    assert (await my_stay(bed, header))["next_reading"]["at"] > first["at"]


async def test_a_reading_was_seen_when_the_team_acted_after_it(hospital: Hospital, clock: SettableClock) -> None:
    bed = await bedside(hospital)
    header, client = await bed.app(), hospital.client
    low = (await client.post("/v1/readings", headers=header, json=reading(spo2=85))).json()
    assert [row["seen_at"] for row in (await my_stay(bed, header))["recent_readings"]] == [None]
    clock.advance(minutes=5)
    path = f"/v1/alerts/{low['alerts'][0]['alert_id']}"
    version = (await client.get(path, headers=bed.team)).json()["version"]
    answer = await client.post(f"{path}/acknowledge", headers=bed.team, json={"version": version})
    assert answer.status_code == 200, answer.text
    acted = utc_text(clock.now())
    clock.advance(minutes=5)
    later = reading(spo2=96, observed_at=utc_text(clock.now()))
    await client.post("/v1/readings", headers=header, json=later)
    recent = (await my_stay(bed, header))["recent_readings"]
    assert [(row["spo2"], row["seen_at"]) for row in recent] == [(96, None), (85, acted)]


async def test_a_carer_sees_the_stay_of_the_person_they_look_after(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    carer = bearer(await bed.tokens(carer={"name": "Kim Example"}))
    assert (await my_stay(bed, carer))["stay_id"] == bed.stay["id"]


async def test_the_team_has_no_stay_of_its_own(hospital: Hospital) -> None:
    bed = await bedside(hospital)
    assert (await hospital.client.get("/v1/me/stay", headers=bed.team)).status_code == 404
