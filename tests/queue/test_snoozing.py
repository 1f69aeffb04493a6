"""Snoozing over HTTP: listed in its place all the while, and awake as soon as something is new."""

from typing import Any

import httpx
import pytest

from service.access.principals import Principal
from service.fields import utc_text
from service.storage.tables import METADATA
from tests.queue.scene import Scene, Stay, minutes, post
from tests.support.time import SettableClock
from tests.support.wards import rows_of

Header = dict[str, str]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(minutes(5))


async def amber(scene: Scene, stay: Stay) -> str:
    """A high alert, not silent; its id."""
    return (await scene.send(stay, 93, minutes(0), breathlessness=4)).alert_ids[stay.id][0]


async def snoozed(client: httpx.AsyncClient, header: Header, alert_id: str, **body: Any) -> Any:
    body = {"version": 1, "minutes": 30, "reason": "Her son is on his way", **body}
    answer = await post(client, header, alert_id, "snooze", **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shown(client: httpx.AsyncClient, header: Header, alert_id: str) -> Any:
    return (await client.get(f"/v1/alerts/{alert_id}", headers=header)).json()


async def types(scene: Scene) -> list[str]:
    return [event.type for event in await scene.events()]


async def test_a_snoozed_alert_stays_in_its_place_with_its_limits(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    alert_id = await amber(scene, stay)
    await scene.send(await scene.admit(), 93, minutes(1), breathlessness=4)
    before = (await client.get("/v1/alerts", headers=nurse_header)).json()
    alert = await snoozed(client, nurse_header, alert_id)
    after = (await client.get("/v1/alerts", headers=nurse_header)).json()

    assert (alert["snoozed_until"], alert["state"], alert["version"]) == (utc_text(minutes(35)), "open", 2)
    assert [each["id"] for each in after["items"]] == [each["id"] for each in before["items"]]
    assert after["items"][0]["respond_by"] == before["items"][0]["respond_by"]
    assert after["meta"]["counts"] == before["meta"]["counts"]
    event = (await scene.events())[-1]
    assert (event.type, event.actor_id, event.data["transition"]) == ("alert.snoozed", nurse.id, "T39")
    assert event.data["snoozed_until"] == utc_text(minutes(35))
    assert "son" not in str(event.data)
    story = (await client.get(f"/v1/alerts/{alert_id}/events", headers=nurse_header)).json()["items"]
    assert story[-1]["note"] == "Her son is on his way"


async def test_what_may_not_be_snoozed_is_refused_with_the_limit(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await amber(scene, stay)
    long = await post(client, nurse_header, alert_id, "snooze", version=1, minutes=61, reason="x")
    assert (long.status_code, long.json()["errors"][0]["pointer"]) == (422, "/minutes")
    assert "at most 60 for a high alert" in long.json()["errors"][0]["message"]
    for wrong in ({"minutes": 0}, {"minutes": 721}, {"minutes": "5"}, {"reason": ""}):
        body = {"version": 1, "minutes": 5, "reason": "x", **wrong}
        assert (await post(client, nurse_header, alert_id, "snooze", **body)).status_code == 422
    for spo2, more in ((90, {"breathlessness": 4}), (93, {"breathlessness": 0})):
        other = await scene.admit()
        severe = (await scene.send(other, spo2, minutes(0), **more)).alert_ids[other.id][0]
        refused = await post(client, nurse_header, severe, "snooze", version=1, minutes=5, reason="x")
        assert (refused.status_code, refused.json()["code"]) == (409, "snooze_forbidden")


@pytest.mark.parametrize(("spo2", "kind"), [(91, "worsened"), (93, "confirmed")])
async def test_something_new_wakes_it(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header, spo2: float, kind: str
) -> None:
    alert_id = await amber(scene, stay)
    await snoozed(client, nurse_header, alert_id)
    await scene.send(stay, spo2, minutes(20), breathlessness=4)

    alert = await shown(client, nurse_header, alert_id)
    assert (alert["snoozed_until"], alert["version"]) == (None, 3)
    assert (await types(scene))[-2:] == [f"alert.{kind}", "alert.snooze_ended"]
    event = (await scene.events())[-1]
    assert (event.actor_id, event.data["transition"], event.data["version"]) == (None, "T42", 3)
    (response,) = await rows_of(scene.database, "alert_response", alert_id=alert_id)
    assert response.snoozed_until is None


async def test_the_same_again_does_not_wake_it(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = await amber(scene, stay)
    await scene.send(stay, 93, minutes(2), breathlessness=4)
    version = (await shown(client, nurse_header, alert_id))["version"]
    await snoozed(client, nurse_header, alert_id, version=version)
    await scene.send(stay, 93, minutes(20), breathlessness=4)
    assert (await shown(client, nurse_header, alert_id))["snoozed_until"] == utc_text(minutes(35))
    assert "alert.snooze_ended" not in await types(scene)


async def test_a_new_reading_leaves_the_rest_of_what_people_did(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    alert_id = await amber(scene, stay)
    await post(client, nurse_header, alert_id, "assign", version=1, staff_id=nurse.id)
    await snoozed(client, nurse_header, alert_id, version=2)
    await scene.send(stay, 91, minutes(20), breathlessness=4)
    alert = await shown(client, nurse_header, alert_id)
    assert (alert["assigned_to"], alert["snoozed_until"]) == (nurse.id, None)


async def test_resolving_and_giving_back_end_a_snooze(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    for verb, body, told in (
        ("resolve", {"outcome": "other"}, ["alert.resolved"]),
        ("unacknowledge", {}, ["alert.unacknowledged", "alert.snooze_ended"]),
    ):
        alert_id = await amber(scene, await scene.admit())
        await post(client, nurse_header, alert_id, "acknowledge", version=1)
        await snoozed(client, nurse_header, alert_id, version=2)
        before = len(await scene.events())
        answer = await post(client, nurse_header, alert_id, verb, version=3, **body)
        assert (answer.status_code, answer.json()["snoozed_until"]) == (200, None)
        assert (await types(scene))[before:] == told
        audit = METADATA.tables["audit"]
        async with scene.database.reads.connect() as connection:
            rows = await connection.execute(audit.select().where(audit.c.subject_id == alert_id).order_by(audit.c.id))
            assert [row.action for row in rows][-len(told) :] == told
