"""The usual SpO2, frozen by the machine inside the intake."""

from datetime import timedelta
from typing import Any

from service.storage.engine import Database
from tests.support.time import START, SettableClock
from tests.support.wards import Partner, reading, rows_of


async def send(partner: Partner, clock: SettableClock, stay_id: str, *values: float, **fields: Any) -> None:
    for spo2 in values:
        clock.advance(minutes=30)
        await partner.kept(stay_id, spo2=spo2, observed_at=clock.now(), **fields)


async def changes_of_plan(partner: Partner) -> list[Any]:
    return [event for event in await partner.events() if event["type"] == "plan.changed"]


async def test_the_third_good_reading_writes_a_plan_version_that_says_who_and_why(
    partner: Partner, clock: SettableClock, database: Database
) -> None:
    stay_id = await partner.admit(prescribed_oxygen_flow=0)
    await send(partner, clock, stay_id, 98, 96)
    assert (await partner.get(f"/v1/stays/{stay_id}"))["plan"]["baseline_spo2"] is None
    await send(partner, clock, stay_id, 97)
    stay = await partner.get(f"/v1/stays/{stay_id}")
    newest, first = (await partner.get(f"/v1/stays/{stay_id}/plans"))["items"]
    assert (newest["version"], newest["baseline_spo2"], newest["author_id"]) == (2, 97, None)
    assert newest["reason"] == "Usual SpO2: median of the first three valid resting readings, set by the machine."
    told = ("version", "baseline_spo2", "author_id", "reason", "created_at")
    assert {n: v for n, v in newest.items() if n not in told} == {n: v for n, v in first.items() if n not in told}
    assert stay["plan"] == newest
    assert stay["version"] == 2
    (row,) = await rows_of(database, "audit", action="plan.changed")
    assert (row.actor_kind, row.subject_id, row.detail) == ("system", stay_id, {"fields": ["baseline_spo2"]})


async def test_the_event_is_that_of_any_changed_plan_without_an_author(partner: Partner, clock: SettableClock) -> None:
    stay_id = await partner.admit()
    await send(partner, clock, stay_id, 98, 96, 97)
    await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", {"pregnant": False, "version": 2})
    frozen, changed = await changes_of_plan(partner)
    assert frozen["actor_id"] is None
    assert changed["actor_id"] is not None
    assert frozen["data"] == {**changed["data"], "plan_version": 2, "version": 2, "fields": ["baseline_spo2"]}
    assert frozen["subject"] == changed["subject"]


async def test_the_fourth_is_the_first_that_is_judged_by_it(partner: Partner, clock: SettableClock) -> None:
    stay_id = await partner.admit()
    await send(partner, clock, stay_id, 98, 98)
    clock.advance(minutes=30)
    together = [reading(stay_id, clock.now() - timedelta(minutes=n), spo2=spo2) for n, spo2 in ((1, 98), (0, 95))]
    assert (await partner.ask("POST", "/v1/readings/batch", {"readings": together})).json()["rejected"] == 0
    assert await partner.alerts(stay_id) == []
    await send(partner, clock, stay_id, 95)
    assert [alert["title"] for alert in await partner.alerts(stay_id)] == ["baseline_drop"]
    rows = (await partner.get(f"/v1/stays/{stay_id}/readings"))["items"]
    assert len(rows) == 5
    assert len(await changes_of_plan(partner)) == 1


async def test_a_clinicians_value_stays(partner: Partner, clock: SettableClock) -> None:
    stay_id = await partner.admit(baseline_spo2=95)
    await send(partner, clock, stay_id, 98, 98, 98, 98)
    assert len((await partner.get(f"/v1/stays/{stay_id}/plans"))["items"]) == 1


async def test_what_the_plan_gave_as_its_reason_is_kept(partner: Partner, clock: SettableClock) -> None:
    custom = {"profile": "custom", "red_at": 89, "amber_at": 91, "reason": "Fibrosis.", "review_on": "2027-01-31"}
    stay_id = await partner.admit(**custom)
    await send(partner, clock, stay_id, 93, 93, 92)
    plan = (await partner.get(f"/v1/stays/{stay_id}"))["plan"]
    assert plan["reason"].startswith("Fibrosis. Usual SpO2: median")
    assert (plan["baseline_spo2"], plan["red_at"], plan["review_on"]) == (93, 89, "2027-01-31")


async def test_after_two_days_nothing_is_frozen(partner: Partner, clock: SettableClock) -> None:
    stay_id = await partner.admit()
    await send(partner, clock, stay_id, 97, 97)
    clock.set(START + timedelta(hours=48, minutes=1))
    await send(partner, clock, stay_id, 97, 97)
    assert len((await partner.get(f"/v1/stays/{stay_id}/plans"))["items"]) == 1


async def test_a_low_usual_value_asks_for_the_limits_to_be_looked_at(partner: Partner, clock: SettableClock) -> None:
    low, usual = await partner.admit(), await partner.admit()
    await send(partner, clock, low, 95, 95, 96)
    await send(partner, clock, usual, 96, 96, 96)

    async def warnings(stay_id: str) -> list[str]:
        return [warning["code"] for warning in (await partner.get(f"/v1/stays/{stay_id}"))["warnings"]]

    assert await warnings(low) == ["baseline_low"]
    assert await warnings(usual) == []


async def test_the_second_amber_episode_asks_for_it_too_until_a_clinician_changes_the_plan(
    partner: Partner, clock: SettableClock
) -> None:
    stay_id = await partner.admit()

    async def warnings() -> list[str]:
        return [warning["code"] for warning in (await partner.get(f"/v1/stays/{stay_id}"))["warnings"]]

    await send(partner, clock, stay_id, 94, 97, 97, breathlessness=0)
    assert await warnings() == []
    await send(partner, clock, stay_id, 94, breathlessness=0)
    assert await warnings() == ["amber_again"]
    (listed,) = (await partner.get(f"/v1/wards/{partner.ward_id}/stays"))["items"]
    assert [warning["code"] for warning in listed["warnings"]] == ["amber_again"]
    clock.advance(minutes=5)
    version = (await partner.get(f"/v1/stays/{stay_id}"))["version"]
    await partner.ask("PATCH", f"/v1/stays/{stay_id}/plan", {"baseline_spo2": 97, "version": version})
    assert await warnings() == []
