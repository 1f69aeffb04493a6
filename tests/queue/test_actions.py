"""What people do about alerts: once, in the version they saw, kept through whatever the machine does next."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from service.access.principals import Principal
from service.fields import utc_text
from service.storage.tables import METADATA
from tests.queue.scene import Scene, Stay, minutes, open_scene, post, red, token
from tests.support.time import SettableClock

Header = dict[str, str]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(minutes(10))


async def audited(scene: Scene) -> list[str]:
    audit = METADATA.tables["audit"]
    async with scene.database.reads.connect() as connection:
        found = await connection.execute(
            select(audit.c.action).where(audit.c.ward_id == scene.ward_id).order_by(audit.c.id)
        )
        return [row[0] for row in found if row[0].startswith("alert.")]


async def test_acknowledging_takes_the_alert_and_starts_the_contact_limit(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    answer = await post(client, nurse_header, alert_id, "acknowledge", version=1, note="Ringing her now")

    assert answer.status_code == 200, answer.text
    alert = answer.json()
    assert (alert["state"], alert["version"], answer.headers["etag"]) == ("acknowledged", 2, '"2"')
    assert alert["acknowledged_by"] == nurse.id
    assert alert["acknowledged_at"] == utc_text(minutes(10))
    assert alert["respond_by"] == alert["contact_due_at"] == utc_text(minutes(30))
    assert alert["ack_expires_at"] == utc_text(minutes(40))
    position = await scene.position()
    assert (position.counts["open"], position.counts["acknowledged"], position.counts["critical"]) == (
        0,
        1,
        1,
    )
    event = (await scene.events())[-1]
    assert (event.type, event.actor_id, event.data["transition"]) == ("alert.acknowledged", nurse.id, "T10")
    assert "Ringing" not in str(event.data)
    assert await audited(scene) == ["alert.acknowledged"]


async def test_a_new_reading_never_wipes_an_acknowledgement(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    await scene.send(stay, 90, minutes(0))
    alert_id = (await scene.send(stay, 90, minutes(5))).alert_ids[stay.id][0]
    seen = (await scene.alerts())[0].version
    await post(client, nurse_header, alert_id, "acknowledge", version=seen)
    await scene.send(stay, 90, minutes(20))

    alert = (await client.get(f"/v1/alerts/{alert_id}", headers=nurse_header)).json()
    assert (alert["state"], alert["acknowledged_by"], alert["reading_count"]) == ("acknowledged", nurse.id, 3)


async def test_two_clinicians_at_once_and_one_has_it(
    scene: Scene, stay: Stay, app: FastAPI, client: httpx.AsyncClient
) -> None:
    alert_id = await red(scene, stay)
    headers = [await token(app, await scene.staff()) for _ in range(2)]
    answers = await asyncio.gather(*(post(client, each, alert_id, "acknowledge", version=1) for each in headers))

    assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 412])
    assert [event.type for event in await scene.events()].count("alert.acknowledged") == 1


async def test_taking_what_another_has_is_refused(
    scene: Scene, stay: Stay, app: FastAPI, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    await post(client, nurse_header, alert_id, "acknowledge", version=1)
    answer = await post(client, await token(app, await scene.staff()), alert_id, "acknowledge", version=2)
    assert (answer.status_code, answer.json()["code"]) == (409, "acknowledged_by_somebody_else")


async def test_taking_again_what_one_has_changes_nothing(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    await post(client, nurse_header, alert_id, "acknowledge", version=1)
    answer = await post(client, nurse_header, alert_id, "acknowledge", version=2)
    assert (answer.status_code, answer.json()["version"], len(await scene.events())) == (200, 2, 2)


async def test_no_version_is_428_and_an_old_one_412_with_the_current_state(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    assert (await post(client, nurse_header, alert_id, "acknowledge")).status_code == 428
    await post(client, nurse_header, alert_id, "acknowledge", version=1)
    stale = await post(client, nurse_header, alert_id, "resolve", version=1, outcome="other")
    assert (stale.status_code, stale.headers["etag"]) == (412, '"2"')
    assert (stale.json()["current"]["version"], stale.json()["current"]["state"]) == (2, "acknowledged")


async def test_the_version_may_come_as_if_match(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    answer = await post(client, {**nurse_header, "If-Match": '"1"'}, alert_id, "acknowledge")
    assert answer.status_code == 200


async def test_reaching_the_person_meets_the_limit(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    await post(client, nurse_header, alert_id, "acknowledge", version=1)
    alert = (await post(client, nurse_header, alert_id, "contact", method="phone", result="reached")).json()
    assert (alert["respond_by"], alert["ack_expires_at"], alert["version"]) == (None, None, 3)
    assert alert["escalation_level"] == 0


async def test_unreachable_escalates_and_closes_nothing(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    await post(client, nurse_header, alert_id, "acknowledge", version=1)
    alert = (await post(client, nurse_header, alert_id, "contact", method="phone", result="unreachable")).json()
    assert (alert["state"], alert["escalation_level"]) == ("acknowledged", 1)
    assert alert["respond_by"] == utc_text(minutes(30))
    assert [event.type for event in await scene.events()][-2:] == ["alert.contacted", "alert.escalated"]


async def test_resolving_closes_with_an_outcome_and_once(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    answer = await post(client, nurse_header, alert_id, "resolve", version=1, outcome="emergency_services")
    alert = answer.json()
    assert (alert["state"], alert["outcome"], alert["resolved_by"]) == (
        "resolved",
        "emergency_services",
        nurse.id,
    )
    again = await post(client, nurse_header, alert_id, "resolve", version=2, outcome="other")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    assert again.json()["allowed"] == ["reopen", "note"]
    assert set((await scene.position()).counts.values()) == {0}


async def test_a_resolved_alert_makes_room_for_the_next(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    await post(client, nurse_header, alert_id, "resolve", version=1, outcome="other")
    await scene.send(stay, 90, minutes(30))
    first, second = await scene.alerts()
    assert (first.id, second.previous_alert_id, second.state) == (alert_id, alert_id, "open")


async def test_a_note_is_taken_in_any_state_and_told_only_in_the_story(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    await post(client, nurse_header, alert_id, "resolve", version=1, outcome="other", note="Daughter is with her")
    assert (await post(client, nurse_header, alert_id, "note", text="Rang back")).status_code == 200

    story = (await client.get(f"/v1/alerts/{alert_id}/events", headers=nurse_header)).json()["items"]
    assert [(each["type"], each.get("note")) for each in story] == [
        ("alert.opened", None),
        ("alert.resolved", "Daughter is with her"),
        ("alert.noted", "Rang back"),
    ]
    feed = await client.get(f"/v1/wards/{scene.ward_id}/events", headers=nurse_header)
    assert "Daughter" not in feed.text
    assert "Rang back" not in feed.text


async def test_the_story_comes_in_pages(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await red(scene, stay)
    for n in range(4):
        await post(client, nurse_header, alert_id, "note", text=f"note {n}")
    path, seen = f"/v1/alerts/{alert_id}/events?limit=2", []
    while path:
        answer = await client.get(path, headers=nurse_header)
        seen += [each["number"] for each in answer.json()["items"]]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "verb",
    ["acknowledge", "unacknowledge", "contact", "assign", "escalate", "snooze", "resolve", "reopen", "note"],
)
async def test_refusals_come_in_order(
    scene: Scene, stay: Stay, app: FastAPI, client: httpx.AsyncClient, nurse: Principal, verb: str
) -> None:
    alert_id = await red(scene, stay)
    stranger = await token(app, await (await open_scene(scene.database)).staff())
    reader = await token(app, nurse, frozenset({"alerts:read"}))
    actor = await token(app, nurse)
    path = f"/v1/alerts/{alert_id}/{verb}"

    async def status(headers: Header, **more: Any) -> int:
        return (await client.post(path, headers=headers, **more)).status_code

    broken: dict[str, Any] = {"content": b"{"}
    assert await status({}, **broken) == 401
    assert await status(reader, **broken) == 403
    assert await status(stranger, **broken) == 404
    assert await status({**actor, "Content-Type": "text/plain"}, **broken) == 415
    assert await status({**actor, "Content-Type": "application/json"}, **broken) == 400
    assert await status(actor, json={"nonsense": 1}) == 422
    assert len(await scene.events()) == 1


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("escalate", {"reason": "  ", "version": 1}),
        ("snooze", {"reason": "\n", "minutes": 5, "version": 1}),
        ("note", {"text": "\t "}),
        ("acknowledge", {"note": " ", "version": 1}),
    ],
)
async def test_spaces_alone_are_no_reason_and_no_note(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header, verb: str, body: dict[str, Any]
) -> None:
    answer = await post(client, nurse_header, await red(scene, stay), verb, **body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "string_too_short")


async def test_an_auditor_may_look_and_not_act(
    scene: Scene, stay: Stay, app: FastAPI, client: httpx.AsyncClient
) -> None:
    alert_id = await red(scene, stay)
    header = await token(app, await scene.staff("auditor"))
    assert (await client.get(f"/v1/alerts/{alert_id}", headers=header)).status_code == 200
    assert (await post(client, header, alert_id, "acknowledge", version=1)).status_code == 403
