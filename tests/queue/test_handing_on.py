"""Who is to look at an alert: named, given back, called from further up, opened again; and several taken at once."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from service.access.principals import Principal
from service.fields import new_id, utc_text
from service.storage.session import writing
from service.storage.tables import METADATA
from tests.queue.scene import Scene, Stay, minutes, open_scene, post, token
from tests.support.time import SettableClock

Header = dict[str, str]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(minutes(10))


async def raised(scene: Scene, stay: Stay, spo2: float = 90, at: float = 0, **more: Any) -> str:
    """An alert's id; critical unless said."""
    return (await scene.send(stay, spo2, minutes(at), **more)).alert_ids[stay.id][0]


async def done(client: httpx.AsyncClient, header: Header, alert_id: str, verb: str, **body: Any) -> Any:
    answer = await post(client, header, alert_id, verb, **body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return answer.json()


async def audited(scene: Scene) -> list[Any]:
    audit = METADATA.tables["audit"]
    async with scene.database.reads.connect() as connection:
        found = await connection.execute(audit.select().where(audit.c.ward_id == scene.ward_id).order_by(audit.c.id))
        return [row for row in found if row.action.startswith("alert.")]


async def test_an_alert_is_assigned_to_a_colleague_who_finds_it_by_that(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    alert_id, colleague = await raised(scene, stay), await scene.staff("lead")
    await raised(scene, await scene.admit())
    alert = await done(client, nurse_header, alert_id, "assign", version=1, staff_id=colleague.id)

    assert (alert["assigned_to"], alert["state"], alert["version"]) == (colleague.id, "open", 2)
    assert alert["respond_by"] == utc_text(minutes(15))
    query = {"assigned_to": colleague.id}
    found = (await client.get("/v1/alerts", headers=nurse_header, params=query)).json()["items"]
    assert [each["id"] for each in found] == [alert_id]
    event = (await scene.events())[-1]
    assert (event.type, event.actor_id, event.data["assigned_to"]) == ("alert.assigned", nurse.id, colleague.id)
    assert [(row.action, row.actor_id) for row in await audited(scene)] == [("alert.assigned", nurse.id)]

    nobody = await done(client, nurse_header, alert_id, "assign", version=2, staff_id=None)
    assert nobody["assigned_to"] is None


async def test_only_clinicians_of_the_ward_are_assigned(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await raised(scene, stay)
    left = await scene.staff()
    async with writing(scene.database) as session:
        staff = METADATA.tables["staff"]
        await session.execute(update(staff).where(staff.c.id == left.id).values(active=False))
    stranger = await (await open_scene(scene.database)).staff()
    auditor = await scene.staff("auditor")
    for staff_id in (left.id, stranger.id, auditor.id, new_id()):
        refused = await post(client, nurse_header, alert_id, "assign", version=1, staff_id=staff_id)
        assert refused.status_code == 404
    assert (await post(client, nurse_header, alert_id, "assign", version=1)).status_code == 422
    assert len(await scene.events()) == 1


async def test_whoever_took_it_gives_it_back_and_the_limits_begin_anew(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header, clock: SettableClock
) -> None:
    alert_id = await raised(scene, stay)
    await done(client, nurse_header, alert_id, "acknowledge", version=1)
    clock.advance(minutes=5)
    alert = await done(client, nurse_header, alert_id, "unacknowledge", version=2)

    assert (alert["state"], alert["acknowledged_by"], alert["acknowledged_at"]) == ("open", None, None)
    assert (alert["respond_by"], alert["ack_expires_at"]) == (utc_text(minutes(30)), None)
    counts = (await scene.position()).counts
    assert (counts["open"], counts["acknowledged"]) == (1, 0)
    event = (await scene.events())[-1]
    assert (event.type, event.data["transition"]) == ("alert.unacknowledged", "T20")


async def test_escalating_by_hand_goes_one_level_up_and_keeps_the_reason_out_of_the_feed(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await raised(scene, stay)
    alert = await done(client, nurse_header, alert_id, "escalate", version=1, reason="Her son is worried")

    assert (alert["escalation_level"], alert["severity"], alert["state"]) == (1, "critical", "open")
    event = (await scene.events())[-1]
    assert (event.type, event.data["transition"], event.data["reason"]) == ("alert.escalated", "T33", "by_hand")
    assert "worried" not in str(event.data) + str([row.detail for row in await audited(scene)])
    story = (await client.get(f"/v1/alerts/{alert_id}/events", headers=nurse_header)).json()["items"]
    assert story[-1]["note"] == "Her son is worried"
    assert (await post(client, nurse_header, alert_id, "escalate", version=2, reason="")).status_code == 422


async def test_a_wrong_resolve_is_taken_back_within_a_day(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header, clock: SettableClock
) -> None:
    alert_id = await raised(scene, stay)
    await done(client, nurse_header, alert_id, "acknowledge", version=1)
    await done(client, nurse_header, alert_id, "resolve", version=2, outcome="artefact")
    clock.advance(hours=24)
    alert = await done(client, nurse_header, alert_id, "reopen", version=3, reason="Wrong patient")

    assert (alert["state"], alert["outcome"], alert["resolved_by"], alert["resolved_at"]) == ("open", None, None, None)
    assert (alert["acknowledged_by"], alert["respond_by"]) == (None, utc_text(minutes(24 * 60 + 25)))
    counts = (await scene.position()).counts
    assert (counts["open"], counts["critical"]) == (1, 1)
    assert (await scene.events())[-1].data["transition"] == "T29"

    await done(client, nurse_header, alert_id, "resolve", version=4, outcome="artefact")
    clock.advance(hours=24, minutes=1)
    late = await post(client, nurse_header, alert_id, "reopen", version=5, reason="Too late")
    assert (late.status_code, late.json()["code"]) == (409, "reopen_too_late")


async def test_what_has_been_found_again_is_not_opened_twice(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    first = await raised(scene, stay)
    await done(client, nurse_header, first, "resolve", version=1, outcome="artefact")
    second = await raised(scene, stay, at=5)
    refused = await post(client, nurse_header, first, "reopen", version=2, reason="Again")
    assert (refused.status_code, refused.json()["code"], refused.json()["alert_id"]) == (
        409, "newer_alert_unresolved", second,
    )  # fmt: skip
    await done(client, nurse_header, second, "resolve", version=1, outcome="artefact")
    assert (await done(client, nurse_header, first, "reopen", version=2, reason="Again"))["state"] == "open"


async def test_alerts_of_a_stay_that_has_ended_stay_closed(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await raised(scene, stay)
    body = {"version": 1, "reason": "home", "outcomes": {alert_id: "advice_given"}}
    async with writing(scene.database) as session:
        plan = METADATA.tables["plan"]
        await session.execute(
            plan.insert().values(
                ward_id=stay.ward_id, stay_id=stay.id, version=1, profile="standard", reading_times=[],
                red_at_approved=True, created_at=minutes(0),
            )
        )  # fmt: skip
    gone = await client.post(f"/v1/stays/{stay.id}/discharge", headers=nurse_header, json=body)
    assert gone.status_code == 200, gone.text
    refused = await post(client, nurse_header, alert_id, "reopen", version=2, reason="Again")
    assert (refused.status_code, refused.json()["code"]) == (409, "stay_discharged")


BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {}, "unacknowledge": {}, "contact": {"method": "phone", "result": "reached"},
    "assign": {"staff_id": None}, "escalate": {"reason": "x"},
    "snooze": {"minutes": 5, "reason": "x"}, "resolve": {"outcome": "other"},
    "reopen": {"reason": "x"}, "note": {"text": "x"},
}  # fmt: skip
UNVERSIONED = ("contact", "note")


@pytest.mark.parametrize("verb", [verb for verb in BODIES if verb not in UNVERSIONED])
async def test_every_change_needs_the_version_that_was_seen(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header, verb: str
) -> None:
    alert_id = await raised(scene, stay)
    await done(client, nurse_header, alert_id, "assign", version=1, staff_id=None)
    assert (await post(client, nurse_header, alert_id, verb, **BODIES[verb])).status_code == 428
    stale = await post(client, nurse_header, alert_id, verb, version=1, **BODIES[verb])
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 2)
    by_header = await post(client, {**nurse_header, "If-Match": '"2"'}, alert_id, verb, **BODIES[verb])
    assert by_header.status_code in (200, 409)


# Several at once -------------------------------------------------------------------------------------------


async def test_several_mild_alerts_are_taken_at_once_and_no_severe_one(
    scene: Scene, app: FastAPI, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    mild, stale = [await raised(scene, await scene.admit(), 94, breathlessness=0) for _ in range(2)]
    await done(client, nurse_header, stale, "assign", version=1, staff_id=None)
    severe = await raised(scene, await scene.admit())
    other = await open_scene(scene.database)
    foreign = await raised(other, await other.admit(), 94, breathlessness=0)
    taken = await raised(scene, await scene.admit(), 94, breathlessness=0)
    await done(client, await token(app, await scene.staff()), taken, "acknowledge", version=1)
    asked = [(severe, 1), (mild, 1), (stale, 1), (foreign, 1), (taken, 2), (mild, 2)]
    body = {"items": [{"id": alert_id, "version": version} for alert_id, version in asked]}
    answer = await client.post("/v1/alerts/acknowledge", headers=nurse_header, json=body)

    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["acknowledged"], said["refused"]) == (2, 4)
    assert [(each["index"], each["id"]) for each in said["results"]] == [(n, each[0]) for n, each in enumerate(asked)]
    assert [each.get("problem", {}).get("code") for each in said["results"]] == [
        "too_severe_for_bulk", None, "stale_version", "not_found", "acknowledged_by_somebody_else", None,
    ]  # fmt: skip
    assert said["results"][1]["alert"]["acknowledged_by"] == nurse.id
    assert said["results"][2]["problem"]["current"]["version"] == 2
    counts = (await scene.position()).counts
    assert (counts["open"], counts["acknowledged"]) == (2, 2)


_AN_ID = "01a20236-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "items", [[], [{"id": "x", "version": 1}], [{"id": _AN_ID}]], ids=["none", "no id", "no version"]
)
async def test_a_list_that_says_nothing_is_refused(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header, items: list[Any]
) -> None:
    answer = await client.post("/v1/alerts/acknowledge", headers=nurse_header, json={"items": items})
    assert answer.status_code == 422
