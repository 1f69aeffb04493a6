"""A ward's own numbers: who proposes and approves them, what they do, and the shadow beside them."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from alerts.ward import degraded
from service.clock import Clock
from service.fields import utc_text
from service.queue.ward_alerts import raise_for_ward
from service.readings import shadowing
from service.readings.store import LockedStay, lock_stays
from service.rules import shadow as shadows
from service.rules import store
from service.storage.engine import Database
from service.storage.session import reading as reading_session
from service.storage.session import writing
from service.storage.tables import AuditRow, RuleSetRow
from tests.access.hospital import Headers, Hospital
from tests.support.statements import until_somebody_waits
from tests.support.time import SettableClock
from tests.support.wards import rows_of


@dataclass
class Ward:
    """A ward with two leads, and a stay on it."""

    hospital: Hospital
    id: str
    first: Headers
    second: Headers
    clock: Clock

    async def ask(self, method: str, path: str, who: Headers, body: Any = None) -> httpx.Response:
        return await self.hospital.client.request(method, f"/v1/wards/{self.id}{path}", headers=who, json=body)

    async def propose(self, numbers: dict[str, Any], **more: Any) -> httpx.Response:
        body = {"numbers": numbers, "reason": "Fewer ambers at night.", **more}
        return await self.ask("POST", "/rule-sets", self.first, body)

    async def go_live(self, numbers: dict[str, Any], **more: Any) -> int:
        number = int((await self.propose(numbers, **more)).json()["number"])
        answer = await self.ask("POST", f"/rule-sets/{number}/approve", self.second)
        assert answer.status_code == 200, answer.text
        return number

    async def admit(self) -> str:
        return str((await self.hospital.stay(self.first, self.id))["id"])

    async def send(self, stay_id: str, spo2: float, **more: Any) -> dict[str, Any]:
        body = {"stay_id": stay_id, "observed_at": utc_text(self.clock.now()), "spo2": spo2, **more}
        answer = await self.hospital.client.post("/v1/readings", headers=self.first, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def shadow(self) -> list[tuple[str, str, int, int]]:
        answer = (await self.ask("GET", "/rule-set/shadow", self.first)).json()
        return [(each["rule_id"], each["severity"], each["live"], each["shadow"]) for each in answer["items"]]


@pytest.fixture
async def ward(hospital: Hospital, clock: SettableClock) -> Ward:
    ward_id = await hospital.ward()
    return Ward(hospital, ward_id, await hospital.lead(ward_id), await hospital.lead(ward_id), clock)


async def test_without_its_own_the_default_is_live(ward: Ward) -> None:
    live = (await ward.ask("GET", "/rule-set", ward.first)).json()
    assert (live["number"], live["version"], live["shadow_number"]) == (0, "2026.11.2", None)
    assert live["values"]["standard_red_at"] == 92
    assert live["bounds"]["standard_red_at"] == {"lowest": 80, "highest": 94}
    assert "R5" in live["optional_rules"]


async def test_a_proposal_judges_nothing_until_another_lead_approves_it(ward: Ward) -> None:
    proposed = await ward.propose({"standard_amber_at": 93})
    assert proposed.status_code == 201
    assert (proposed.json()["version"], proposed.json()["approved_at"]) == ("2026.11.2+1", None)
    stay_id = await ward.admit()
    assert (await ward.send(stay_id, 94))["assessment"]["severity"] == "medium"
    approved = await ward.ask("POST", "/rule-sets/1/approve", ward.second)
    assert approved.json()["approved_by"] not in (None, proposed.json()["author_id"])
    other = await ward.admit()
    assert (await ward.send(other, 94))["assessment"]["severity"] is None
    said = await ward.send(other, 93)
    assert said["assessment"]["severity"] == "medium"
    live = (await ward.ask("GET", "/rule-set", ward.first)).json()
    assert (live["number"], live["version"], live["values"]["standard_amber_at"]) == (1, "2026.11.2+1", 93)
    alerts = await ward.hospital.client.get("/v1/alerts", headers=ward.first)
    told = {each["stay_id"]: each["explanation"]["rule_set_version"] for each in alerts.json()["items"]}
    assert told == {stay_id: "2026.11.2", other: "2026.11.2+1"}


async def test_the_receipt_of_a_reading_uses_the_rule_set_it_was_judged_by(ward: Ward) -> None:
    stay_id = await ward.admit()
    before = await ward.send(stay_id, 94)
    await ward.go_live({"standard_amber_at": 93})
    ward.clock.advance(minutes=1)  # type: ignore[attr-defined]
    after = await ward.send(stay_id, 94)

    async def amber(reading_id: str) -> str:
        path = f"/v1/readings/{reading_id}/evaluation"
        rules = (await ward.hospital.client.get(path, headers=ward.first)).json()["rules"]
        return str(next(each for each in rules if each["rule_id"] == "R2")["outcome"])

    assert await amber(before["reading_id"]) == "fired"
    assert await amber(after["reading_id"]) == "not_fired"


async def test_who_proposed_it_does_not_approve_it(ward: Ward) -> None:
    await ward.propose({"drop": 4})
    answer = await ward.ask("POST", "/rule-sets/1/approve", ward.first)
    assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")
    assert (await ward.ask("GET", "/rule-set", ward.first)).json()["number"] == 0


async def test_only_leads_change_the_rules_and_every_colleague_reads_them(ward: Ward) -> None:
    clinician = await ward.hospital.clinician(ward.id)
    system = await ward.hospital.system(ward.id)
    await ward.propose({"drop": 4})
    body = {"numbers": {"drop": 4}, "reason": "x"}
    for who in (clinician, system):
        assert (await ward.ask("POST", "/rule-sets", who, body)).status_code == 403
        assert (await ward.ask("POST", "/rule-sets/1/approve", who)).status_code == 403
        assert (await ward.ask("PUT", "/rule-set/shadow", who, {"number": 1})).status_code == 403
        assert (await ward.ask("GET", "/rule-set", who)).status_code == 200
    stranger = await ward.hospital.lead(await ward.hospital.ward("Other"))
    for method, path in (("GET", "/rule-set"), ("GET", "/rule-sets"), ("POST", "/rule-sets/1/approve"),
                         ("GET", "/rule-set/shadow")):  # fmt: skip
        assert (await ward.ask(method, path, stranger)).status_code == 404


async def test_an_administrator_is_shown_the_live_rules_of_every_ward(ward: Ward) -> None:
    await ward.go_live({"standard_amber_at": 93})
    administrator = await ward.hospital.administrator()
    shown = await ward.ask("GET", "/rule-set", administrator)
    assert (shown.status_code, shown.json()["values"]["standard_amber_at"]) == (200, 93)
    assert shown.json() == (await ward.ask("GET", "/rule-set", ward.first)).json()
    versions = await ward.ask("GET", "/rule-sets", administrator)
    assert [each["number"] for each in versions.json()["items"]] == [1]


async def test_a_proposal_made_on_what_is_no_longer_live_is_made_again(ward: Ward) -> None:
    await ward.propose({"drop": 4})
    await ward.propose({"drop": 2})
    assert (await ward.ask("POST", "/rule-sets/2/approve", ward.second)).status_code == 200
    late = await ward.ask("POST", "/rule-sets/1/approve", ward.second)
    again = await ward.ask("POST", "/rule-sets/2/approve", ward.second)
    assert (late.status_code, again.status_code) == (409, 409)
    assert (await ward.ask("POST", "/rule-sets/9/approve", ward.second)).status_code == 404


async def test_a_change_builds_on_the_live_one(ward: Ward) -> None:
    await ward.go_live({"drop": 4}, off=["R12"])
    await ward.go_live({"standard_red_at": 91})
    values = (await ward.ask("GET", "/rule-set", ward.first)).json()["values"]
    assert (values["drop"], values["standard_red_at"], values["off"]) == (4, 91, ["R12"])
    listed = (await ward.ask("GET", "/rule-sets", ward.first)).json()["items"]
    assert [(each["number"], each["based_on"], each["reason"]) for each in listed] == [
        (2, 1, "Fewer ambers at night."),
        (1, 0, "Fewer ambers at night."),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"numbers": {"red": 92}}, "/numbers/red"),
        ({"numbers": {"standard_red_at": 79}}, "/numbers/standard_red_at"),
        ({"numbers": {"standard_red_at": 94}}, "/numbers/standard_amber_at"),
        ({"numbers": {"version": 3}}, "/numbers/version"),
        ({"numbers": {"critical_acknowledge_minutes": 16}}, "/numbers/critical_acknowledge_minutes"),
        ({"numbers": {"critical_contact_minutes": 15}}, "/numbers/critical_contact_minutes"),
        ({"numbers": {"drop": "4"}}, "/numbers/drop"),
        ({"off": ["R1"]}, "/off"),
        ({"reason": ""}, "/reason"),
        ({"reason": " \n"}, "/reason"),
        ({}, "/numbers"),
        ({"numbers": {"standard_red_at": 92}, "off": []}, "/numbers"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field_named(ward: Ward, body: Any, pointer: str) -> None:
    answer = await ward.ask("POST", "/rule-sets", ward.first, {"reason": "x", **body})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert (await ward.ask("GET", "/rule-sets", ward.first)).json()["items"] == []


async def test_proposals_approvals_and_shadows_are_told_and_audited(ward: Ward) -> None:
    await ward.go_live({"drop": 4})
    await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": 0})
    events = (await ward.ask("GET", "/events?after=0", ward.first)).json()["items"]
    told = [(event["type"], event["data"]) for event in events]
    about = {"ward_id": ward.id}
    assert told == [
        ("rule_set.proposed", {**about, "number": 1}),
        ("rule_set.approved", {**about, "number": 1}),
        ("rule_set.shadowed", {**about, "number": 0}),
    ]
    async with reading_session(ward.hospital.app.state.database) as session:
        rows = (await session.scalars(select(AuditRow.action).where(AuditRow.ward_id == ward.id))).all()
    assert [row for row in rows if row.startswith("rule_set")] == [kind for kind, _ in told]


async def test_a_shadow_is_counted_beside_the_live_rules_and_never_raised(ward: Ward) -> None:
    assert (await ward.propose({"standard_red_at": 93, "standard_amber_at": 95})).status_code == 201
    for number in (False, True, "1", 1.5):
        assert (await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": number})).status_code == 422
    shadow = await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": 1})
    assert shadow.json()["shadow_number"] == 1
    stay_id = await ward.admit()
    said = await ward.send(stay_id, 95, breathlessness=3)
    assert (said["assessment"]["severity"], said["alerts"]) == (None, [])
    ward.clock.advance(minutes=1)  # type: ignore[attr-defined]
    assert (await ward.send(stay_id, 93, breathlessness=3))["assessment"]["severity"] == "high"
    assert await ward.shadow() == [("R1", "critical", 0, 1), ("R2", "high", 1, 1)]
    await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": None})
    ward.clock.advance(minutes=1)  # type: ignore[attr-defined]
    await ward.send(stay_id, 93, breathlessness=3)
    assert await ward.shadow() == []
    older = (await ward.ask("GET", "/rule-set/shadow?number=1", ward.first)).json()
    assert (older["number"], len(older["items"])) == (1, 2)


async def test_a_whole_number_may_be_written_with_a_point(ward: Ward) -> None:
    proposed = await ward.propose({"critical_acknowledge_minutes": 10.0})
    assert (proposed.status_code, proposed.json()["values"]["critical_acknowledge_minutes"]) == (201, 10)


async def test_a_shadow_that_fails_touches_nothing(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    await ward.propose({"drop": 4})
    await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": 1})

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("planted")

    monkeypatch.setattr(shadowing, "evaluate", fails)
    said = await ward.send(await ward.admit(), 91)
    assert said["assessment"]["severity"] == "critical"
    assert await ward.shadow() == []


async def test_counts_that_cannot_be_written_are_kept_for_the_next_time(
    ward: Ward, app: FastAPI, database: Database
) -> None:
    await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": 0})
    await ward.send(await ward.admit(), 91)
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE shadow_count RENAME TO elsewhere"))
    await app.state.intake.shadow.flush()
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO shadow_count"))
    assert ("R1", "critical", 1, 1) in await ward.shadow()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_counts_that_are_being_written_when_the_service_stops_are_written(
    ward: Ward, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadows, "EVERY_SECONDS", 0.01)
    counts = shadows.ShadowCounts(database)
    counts.add({shadows.Found(ward.id, 0, date(2026, 11, 22), "R1", 4, True): 3})
    async with database.writes.connect() as rival:
        await rival.execute(text("LOCK TABLE shadow_count IN EXCLUSIVE MODE"))
        await counts.start()
        await until_somebody_waits(database)
        stopping = asyncio.create_task(counts.stop())
        await asyncio.sleep(0)
        await rival.rollback()
        await stopping
    assert [(row.rule_id, row.live) for row in await rows_of(database, "shadow_count")] == [("R1", 3)]


async def test_a_stay_shows_the_limits_that_the_ward_has_now(ward: Ward) -> None:
    stay_id = await ward.admit()
    ward.clock.advance(minutes=30)  # type: ignore[attr-defined]
    await ward.go_live({"standard_amber_at": 93, "standard_red_at": 90})
    ward.clock.advance(minutes=30)  # type: ignore[attr-defined]
    client = ward.hospital.client
    stay = (await client.get(f"/v1/stays/{stay_id}", headers=ward.first)).json()
    listed = (await ward.ask("GET", "/stays", ward.first)).json()["items"]
    for shown in (stay, *listed):
        assert (shown["limits"]["red_at"], shown["limits"]["amber_at"]) == (90, 93)
    trend = (await client.get(f"/v1/stays/{stay_id}/trend", headers=ward.first)).json()["limits"]
    assert [(each["to"], each["red_at"], each["amber_at"]) for each in trend] == [
        ("2026-11-22T08:30:00Z", 92, 94), ("2026-11-22T09:00:00Z", 90, 93),
    ]  # fmt: skip


async def test_a_correction_judges_each_reading_by_the_rules_of_its_time(ward: Ward) -> None:
    stay_id = await ward.admit()
    wrong = await ward.send(stay_id, 94, breathlessness=1)
    await ward.go_live({"standard_red_at": 93})
    ward.clock.advance(minutes=10)  # type: ignore[attr-defined]
    await ward.send(stay_id, 93, breathlessness=1)
    path = f"/v1/readings/{wrong['reading_id']}/entered-in-error"
    answer = await ward.hospital.client.post(path, headers=ward.first, json={"reason": "Another person's."})
    assert answer.status_code == 200, answer.text
    (alert,) = (await ward.hospital.client.get("/v1/alerts", headers=ward.first)).json()["items"]
    assert (alert["severity"], alert["state"]) == ("critical", "open")
    assert alert["explanation"]["rule_set_version"] == "2026.11.2+1"


async def spoil(app: FastAPI, number: int) -> None:
    async with writing(app.state.database) as session:
        row = (await session.scalars(select(RuleSetRow).where(RuleSetRow.number == number))).one()
        row.values = {**row.values, "of_the_future": 1}


async def test_a_rule_set_of_another_release_is_stood_in_for_and_every_stay_judged_so_says_it(
    ward: Ward, app: FastAPI
) -> None:
    await spoil(app, await ward.go_live({"standard_amber_at": 93}))
    stay_id = await ward.admit()
    said = await ward.send(stay_id, 94)
    assert said["assessment"]["severity"] == "high"
    found = (await ward.hospital.client.get("/v1/alerts", headers=ward.first)).json()["items"]
    technical, oxygen = sorted(found, key=lambda alert: str(alert["channel"]), reverse=True)
    assert (technical["title"], technical["severity"], oxygen["severity"]) == ("not_evaluated", "high", "medium")
    assert "default rules stand in" in technical["explanation"]["text"]
    assert oxygen["explanation"]["rule_set_version"] == "2026.11.2 stand-in"
    path = f"/v1/readings/{said['reading_id']}/evaluation"
    receipt = (await ward.hospital.client.get(path, headers=ward.first)).json()["rules"]
    assert next(each["outcome"] for each in receipt if each["rule_id"] == "R21") == "fired"
    await ward.send(stay_id, 97, client_reading_id="second")
    events = (await ward.ask("GET", "/events?limit=200", ward.first)).json()["items"]
    told = [each["type"] for each in events if each["data"].get("family") == "technical"]
    assert told == ["alert.opened", "alert.updated"]  # a second reading confirms it; none raises it anew

    await ward.go_live({"standard_amber_at": 93})
    await ward.send(stay_id, 97, client_reading_id="third")
    again = (await ward.hospital.client.get(f"/v1/alerts/{technical['id']}", headers=ward.first)).json()
    assert again["state"] == "recovered"


async def test_a_shadow_of_another_release_counts_nothing(ward: Ward, app: FastAPI) -> None:
    await ward.propose({"drop": 4})
    await ward.ask("PUT", "/rule-set/shadow", ward.first, {"number": 1})
    await spoil(app, 1)
    await ward.send(await ward.admit(), 91)
    assert await ward.shadow() == []


async def test_new_waits_are_gone_by_from_the_moment_they_are_live(ward: Ward, app: FastAPI) -> None:
    await ward.admit()
    ward.clock.advance(hours=3, minutes=30)  # type: ignore[attr-defined]
    await app.state.timekeeper.catch_up()

    async def missed() -> list[tuple[str, str]]:
        items = (await ward.hospital.client.get("/v1/alerts", headers=ward.first)).json()["items"]
        return [(each["family"], each["explanation"]["rule_set_version"]) for each in items]

    assert await missed() == []
    await ward.go_live({"slot_until_minutes": 120})
    await app.state.timekeeper.catch_up()
    assert await missed() == [("missed_reading", "2026.11.2+1")]


async def test_numbers_that_are_not_about_waiting_send_nobody_to_look(ward: Ward, database: Database) -> None:
    stay_id = await ward.admit()
    await ward.send(stay_id, 97)
    await ward.go_live({"drop": 4})
    (stay,) = await rows_of(database, "stay", id=stay_id)
    assert stay.due_at is not None
    await ward.go_live({"baseline_hours": 24})
    (stay,) = await rows_of(database, "stay", id=stay_id)
    assert stay.due_at is None


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_comes_while_rules_go_live_goes_by_them(ward: Ward, database: Database) -> None:
    """A statement that began before the approval takes hold of a stay after it."""
    stay_id = await ward.admit()
    await ward.send(stay_id, 97)
    number = int((await ward.propose({"slot_until_minutes": 120})).json()["number"])
    async with database.writes.begin() as connection:
        await connection.execute(text("ALTER TABLE ward RENAME TO ward_itself"))
        held_up = "SELECT * FROM ward_itself WHERE pg_advisory_xact_lock_shared(9) IS NOT NULL"
        await connection.execute(text(f"CREATE VIEW ward AS {held_up}"))

    async def coming() -> LockedStay:
        async with writing(database) as session:
            return (await lock_stays(session, [(ward.id, stay_id)]))[ward.id, stay_id]

    async with writing(database) as lead:
        await lead.execute(text("SELECT pg_advisory_xact_lock(9)"))
        comer = asyncio.create_task(coming())
        await until_somebody_waits(database)
        await store.look_at_stays(lead, ward.id)
        await store.approve_version(lead, ward.id, number, str(uuid4()), ward.clock.now())
    stay = await comer
    assert (stay.due_at, stay.rule_set_number) == (None, number)


async def test_waits_have_bounds_and_are_named(ward: Ward) -> None:
    live = (await ward.ask("GET", "/rule-set", ward.first)).json()
    assert live["values"]["slot_until_minutes"] == 240
    assert live["bounds"]["silent_hours"] == {"lowest": 12, "highest": 24}
    wrong = {"slot_before_minutes": 59, "slot_until_minutes": 361, "silent_gaps": 1.25, "silent_hours": 25}
    answer = await ward.propose(wrong)
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {f"/numbers/{name}" for name in wrong}


@pytest.mark.parametrize(
    "body",
    [{}, {"numbers": {}}, {"numbers": {}, "off": []}, {"numbers": {"drop": 3, "worse_rise": 2}}],
)  # fmt: skip
async def test_a_proposal_that_changes_nothing_is_refused(ward: Ward, body: dict[str, Any]) -> None:
    answer = await ward.ask("POST", "/rule-sets", ward.first, {"reason": "No change at all.", **body})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/numbers", "unchanged")
    assert (await ward.ask("GET", "/rule-sets", ward.first)).json()["items"] == []


async def test_what_is_live_already_is_no_change_either(ward: Ward) -> None:
    await ward.go_live({"drop": 4, "mild_up_to": 2.5}, off=["R5"])
    for body in ({"numbers": {"drop": 4.0}}, {"numbers": {"mild_up_to": 2.5}}, {"numbers": {}, "off": ["R5", "R5"]}):
        answer = await ward.ask("POST", "/rule-sets", ward.first, {"reason": "No change at all.", **body})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["code"] in {"unchanged", "invalid"}


async def queued(ward: Ward) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ward.hospital.client.get("/v1/alerts", headers=ward.first)).json()["items"]
    return found


async def test_a_ward_that_gives_people_less_time_has_what_nobody_took_sooner_at_once(ward: Ward, app: FastAPI) -> None:
    await ward.send(await ward.admit(), 91)
    await ward.send(await ward.admit(), 91)
    taken, free = await queued(ward)
    path = f"/v1/alerts/{taken['id']}/acknowledge"
    await ward.hospital.client.post(path, headers=ward.first, json={"version": taken["version"]})
    await app.state.timekeeper.catch_up()
    ward.clock.advance(minutes=4)  # type: ignore[attr-defined]
    await ward.go_live({"critical_acknowledge_minutes": 5, "critical_contact_minutes": 20})
    await app.state.timekeeper.catch_up()
    due = {each["id"]: (each["respond_by"][11:16], each["contact_due_at"][11:16]) for each in await queued(ward)}
    assert due == {free["id"]: ("08:09", "08:24"), taken["id"]: ("08:30", "08:30")}
    events = (await ward.ask("GET", "/events?limit=200", ward.first)).json()["items"]
    (hurried,) = [each for each in events if each["data"].get("transition") == "T45"]
    assert (hurried["type"], hurried["subject"]["id"]) == ("alert.updated", free["id"])
    assert hurried["data"]["reason"] == "the ward gives people less time"


async def test_whoever_acts_and_the_timers_go_by_the_wards_own_limits(
    ward: Ward, app: FastAPI, database: Database
) -> None:
    numbers = {"critical_acknowledge_minutes": 5, "critical_contact_minutes": 10, "critical_expiry_minutes": 12}
    await ward.go_live({**numbers, "technical_acknowledge_minutes": 20})
    await ward.send(await ward.admit(), 91)
    (alert,) = await queued(ward)
    assert alert["respond_by"] == "2026-11-22T08:05:00Z"
    path = f"/v1/alerts/{alert['id']}/acknowledge"
    await ward.hospital.client.post(path, headers=ward.first, json={"version": alert["version"]})
    (alert,) = await queued(ward)
    assert (alert["respond_by"][11:16], alert["ack_expires_at"][11:16]) == ("08:10", "08:12")
    ward.clock.advance(minutes=12)  # type: ignore[attr-defined]
    await app.state.timekeeper.catch_up()
    (alert,) = await queued(ward)
    assert (alert["state"], alert["respond_by"][11:16]) == ("open", "08:17")
    at = ward.clock.now()
    assert await raise_for_ward(database, ward.id, degraded(("intake",), at), at)
    (technical,) = [each for each in await queued(ward) if each["channel"] == "technical"]
    assert technical["respond_by"] == "2026-11-22T08:32:00Z"


async def test_what_a_correction_uncovers_is_due_by_the_limits_of_now(ward: Ward) -> None:
    stay_id = await ward.admit()
    await ward.send(stay_id, 94, breathlessness=0)
    for _ in range(2):
        ward.clock.advance(minutes=20)  # type: ignore[attr-defined]
        wrong = await ward.send(stay_id, 97)
    assert await queued(ward) == []
    await ward.go_live({"medium_acknowledge_minutes": 30})
    ward.clock.advance(minutes=5)  # type: ignore[attr-defined]
    path = f"/v1/readings/{wrong['reading_id']}/entered-in-error"
    answer = await ward.hospital.client.post(path, headers=ward.first, json={"reason": "Another person's."})
    assert answer.status_code == 200, answer.text
    (alert,) = await queued(ward)
    assert (alert["severity"], alert["opened_at"][11:16], alert["respond_by"][11:16]) == ("medium", "08:45", "09:15")
