"""The queue: in order, only one's own wards, and unchanged while nothing has changed."""

import asyncio
import itertools
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from service.access.principals import Principal
from service.queue import views
from service.queue.schemas import AlertOut, QueueOut, StoryOut
from service.storage.engine import Database
from tests.queue.scene import (
    FAMILY_NAME,
    NHS_NUMBER,
    Scene,
    Stay,
    everywhere,
    minutes,
    observed,
    open_scene,
    token,
)

Header = dict[str, str]


async def get(client: httpx.AsyncClient, header: Header, **query: Any) -> httpx.Response:
    return await client.get("/v1/alerts", headers=header, params=query)


async def test_the_answers_are_what_the_schemas_say(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    stay = await scene.admit(NHS_NUMBER)
    alert_id = (await scene.send(stay, 90, minutes(0), breathlessness=1)).alert_ids[stay.id][0]
    path = f"/v1/alerts/{alert_id}"
    await client.post(f"{path}/acknowledge", headers=nurse_header, json={"version": 1, "note": "on my way"})
    for url, model in (("/v1/alerts", QueueOut), (path, AlertOut), (f"{path}/events", StoryOut)):
        document = (await client.get(url, headers=nurse_header)).json()
        model.model_validate(document)
        schema = model.model_json_schema(mode="serialization")
        jsonschema.validate(document, schema)
        assert set(document) == set(schema["properties"])
    said = (await client.get(path, headers=nurse_header)).json()["explanation"]
    assert said["clears_when"] == "Two readings above 94 %, 15 min apart or more. A person then closes it."
    assert set((await client.get(path, headers=nurse_header)).json()) == set(AlertOut.model_fields)


async def test_the_queue_is_in_order(scene: Scene, client: httpx.AsyncClient, nurse_header: Header) -> None:
    stays = [await scene.admit() for _ in range(8)]
    for n, (stay, spo2) in enumerate(zip(stays, (94, 90, 93, 89, 94, 91, 93, 90), strict=True)):
        await scene.send(stay, spo2, minutes(n), breathlessness=n % 2 * 4)
    first = (await get(client, nurse_header)).json()["items"]
    await client.post(f"/v1/alerts/{first[0]['id']}/acknowledge", headers=nurse_header, json={"version": 1})

    items = (await get(client, nurse_header)).json()["items"]
    keys = [(-i["severity_rank"], i["state"] == "acknowledged", i["respond_by"] or "9999", i["id"]) for i in items]
    assert keys == sorted(keys)
    assert len(items) == len(await scene.alerts())


async def test_pages_meet_without_gap_or_repeat_over_several_wards(
    scene: Scene, app: FastAPI, client: httpx.AsyncClient
) -> None:
    scenes = [scene, await open_scene(scene.database), await open_scene(scene.database)]
    wards = {each.ward_id for each in scenes}
    header = await token(app, await everywhere(scenes))
    for n in range(9):
        each = scenes[n % 3]
        await each.send(await each.admit(), 88 + n, minutes(n))
    whole = [i["id"] for i in (await get(client, header)).json()["items"]]
    path, paged = "/v1/alerts?limit=2", []
    while path:
        answer = await client.get(path, headers=header)
        paged += [i["id"] for i in answer.json()["items"]]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert paged == whole
    assert len(whole) == sum([len(await each.alerts()) for each in scenes])
    assert set((await get(client, header)).json()["meta"]["feed_positions"]) == wards


async def test_nobody_sees_another_wards_alerts(
    scene: Scene, stay: Stay, app: FastAPI, client: httpx.AsyncClient
) -> None:
    alert_id = (await scene.send(stay, 90, minutes(0))).alert_ids[stay.id][0]
    stranger = await token(app, await (await open_scene(scene.database)).staff())
    assert (await get(client, stranger)).json()["items"] == []
    assert (await get(client, stranger, stay_id=stay.id)).json()["items"] == []
    assert (await get(client, stranger, ward_id=scene.ward_id)).status_code == 404
    for path in ("", "/events"):
        assert (await client.get(f"/v1/alerts/{alert_id}{path}", headers=stranger)).status_code == 404
    assert (await client.get(f"/v1/wards/{scene.ward_id}/events", headers=stranger)).status_code == 404


async def test_a_name_needs_the_right_to_read_patients(
    scene: Scene, app: FastAPI, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    stay = await scene.admit(NHS_NUMBER)
    await scene.send(stay, 90, minutes(0))
    named = (await get(client, nurse_header)).json()["items"][0]["patient"]
    assert (named["family_name"], named["nhs_number"], named["birth_date"]) == (
        FAMILY_NAME,
        NHS_NUMBER,
        "1950-05-17",
    )
    plain = await token(app, nurse, frozenset({"alerts:read"}))
    assert (await get(client, plain)).json()["items"][0]["patient"] == {"id": stay.patient_id}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 3),
        ({"severity_min": "critical"}, 1),
        ({"severity_min": "low"}, 3),
        ({"family": "oxygen"}, 2),
        ({"family": "vitals"}, 1),
        ({"channel": "technical"}, 0),
        ({"state": "open"}, 2),
        ({"state": ["open", "acknowledged"]}, 3),
        ({"state": "resolved"}, 0),
        ({"assigned_to": "00000000-0000-7000-8000-000000000000"}, 0),
    ],
)
async def test_filters(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header, query: dict[str, Any], expected: int
) -> None:
    first, second = await scene.admit(), await scene.admit()
    taken = (await scene.send(first, 90, minutes(0))).alert_ids[first.id][0]
    await scene.send(second, 94, minutes(1), breathlessness=0, pulse_rate=140)
    await client.post(f"/v1/alerts/{taken}/acknowledge", headers=nurse_header, json={"version": 1})
    mine = await get(client, nurse_header, stay_id=first.id)
    assert {i["stay_id"] for i in mine.json()["items"]} == {first.id}
    answer = await get(client, nurse_header, **query)
    families = [i["family"] for i in answer.json()["items"] if i["family"] != "early_warning"]
    assert len(families) == expected
    assert answer.json()["meta"]["counts"]["by_state"]["acknowledged"] == 1


async def test_closed_alerts_and_others_are_one_list_in_order(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    done = {}
    for n, (spo2, verb) in enumerate([(90, ""), (94, "resolve"), (88, "resolve"), (94, "acknowledge"), (93, "")]):
        stay = await scene.admit()
        alert_id = (await scene.send(stay, spo2, minutes(n), breathlessness=0)).alert_ids[stay.id][0]
        body = {"version": 1, **({"outcome": "advice_given"} if verb == "resolve" else {})}
        if verb:
            answer = await client.post(f"/v1/alerts/{alert_id}/{verb}", headers=nurse_header, json=body)
            assert answer.status_code == 200, answer.text
        done[alert_id] = verb
    states = {"resolve": "resolved", "acknowledge": "acknowledged", "": "open"}
    for wanted in (["resolved"], ["open", "resolved"], ["acknowledged", "open", "recovered", "resolved"]):
        found: list[Any] = []
        path = f"/v1/alerts?family=oxygen&limit=1&{'&'.join(f'state={each}' for each in wanted)}"
        while path:
            answer = await client.get(path, headers=nurse_header)
            found += answer.json()["items"]
            path = answer.links["next"]["url"] if "next" in answer.links else ""
        keys = [(-i["severity_rank"], i["state"] == "acknowledged", i["respond_by"] or "9999", i["id"]) for i in found]
        assert keys == sorted(keys)
        assert {i["id"] for i in found} == {each for each, verb in done.items() if states[verb] in wanted}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("states", [(True, False), (False, True), (True, True)], ids=["queue", "closed", "both"])
async def test_a_page_is_cut_along_an_index_and_nothing_is_sorted_but_the_page(
    database: Database, states: tuple[bool, bool]
) -> None:
    page = views._page(views.Shape(1, frozenset({"family"}), goes_on=True, unresolved=states[0], resolved=states[1]))
    async with database.reads.connect() as connection:
        compiled = page.compile(dialect=connection.dialect)
        asked = f"EXPLAIN QUERY PLAN {compiled}"
        plan = [row[3] for row in await connection.exec_driver_sql(asked, (None,) * len(compiled.positiontup or ()))]
    used = [f"USING INDEX {name} (ward_id=?" for name in ("ix_alert_queue", "ix_alert_closed")]
    assert [any(index in line for line in plan) for index in used] == list(states), plan
    for line, after in itertools.pairwise(plan):
        assert "alert USING INDEX" not in line or "TEMP B-TREE" not in after, plan


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "severity_min=x", "cursor=x", "stay_id=7", "ward_id=x"])
async def test_a_query_that_makes_no_sense_is_422(client: httpx.AsyncClient, nurse_header: Header, query: str) -> None:
    assert (await client.get(f"/v1/alerts?{query}", headers=nurse_header)).status_code == 422


async def test_a_cursor_leads_on_in_its_own_list_only(
    scene: Scene, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    for _ in range(2):
        await scene.send(await scene.admit(), 90, minutes(0))
    cursor = (await get(client, nurse_header, limit=1)).json()["next_cursor"]
    assert len((await get(client, nurse_header, limit=200, cursor=cursor)).json()["items"]) == 1
    elsewhere = await get(client, nurse_header, state="open", cursor=cursor)
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["code"]) == (422, "invalid_cursor")


async def test_304_while_nothing_changed_and_200_after_the_smallest_update(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    await scene.send(stay, 90, minutes(0))
    tag = (await get(client, nurse_header)).headers["etag"]
    known = {**nurse_header, "If-None-Match": tag}
    unchanged = await get(client, known)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert (await get(client, known, limit=7)).status_code == 200

    await scene.send(stay, 90, minutes(5))
    changed = await get(client, known)
    assert (changed.status_code, changed.json()["items"][0]["reading_count"]) == (200, 2)
    assert changed.json()["meta"]["feed_positions"] == {scene.ward_id: 2}


async def test_a_tag_is_worth_nothing_to_somebody_with_other_rights(
    scene: Scene, stay: Stay, app: FastAPI, client: httpx.AsyncClient, nurse: Principal, nurse_header: Header
) -> None:
    await scene.send(stay, 90, minutes(0))
    tag = (await get(client, nurse_header)).headers["etag"]
    plain = await token(app, nurse, frozenset({"alerts:read"}))
    assert (await get(client, {**plain, "If-None-Match": tag})).status_code == 200


async def test_waiting_ends_when_somebody_acknowledges(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    alert_id = (await scene.send(stay, 90, minutes(0))).alert_ids[stay.id][0]
    tag = (await get(client, nurse_header)).headers["etag"]
    waiting = asyncio.create_task(
        get(client, {**nurse_header, "If-None-Match": tag, "Prefer": "respond-async, wait=25"})
    )
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    await client.post(f"/v1/alerts/{alert_id}/acknowledge", headers=nurse_header, json={"version": 1})
    async with asyncio.timeout(60):
        answer = await waiting
    assert answer.headers["preference-applied"] == "wait=25"
    assert answer.json()["items"][0]["state"] == "acknowledged"


async def test_waiting_sees_what_another_process_did(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    """Its commit rings no bell here: looking once a second finds it."""
    tag = (await get(client, nurse_header)).headers["etag"]
    waiting = asyncio.create_task(get(client, {**nurse_header, "If-None-Match": tag, "Prefer": "wait=25"}))
    await asyncio.wait([waiting], timeout=0.1)
    await scene.send(stay, 90, minutes(0))
    async with asyncio.timeout(60):
        assert (await waiting).status_code == 200


async def test_waiting_in_vain_is_304(client: httpx.AsyncClient, nurse_header: Header, scene: Scene) -> None:
    tag = (await get(client, nurse_header)).headers["etag"]
    answer = await get(client, {**nurse_header, "If-None-Match": tag, "Prefer": "wait=1"})
    assert answer.status_code == 304


@pytest.mark.hazard("H7")
async def test_two_replicas_never_serve_an_old_page(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    """The other replica's write is seen by the first request after it, snapshot or not."""
    for n in range(10):
        await scene.send_all({stay: [observed(90, minutes(n))]})
        items = (await get(client, nurse_header)).json()["items"]
        assert items[0]["reading_count"] == n + 1


async def test_the_queue_says_which_moment_it_shows(
    scene: Scene, stay: Stay, client: httpx.AsyncClient, nurse_header: Header
) -> None:
    await scene.send(stay, 90, minutes(3))
    meta = (await get(client, nurse_header)).json()["meta"]
    assert meta["as_of"] == "2026-11-22T07:03:00Z"
    assert meta["counts"]["by_severity"] == {"critical": 1, "high": 0, "medium": 0, "low": 0}
    feed = await client.get(
        f"/v1/wards/{scene.ward_id}/events",
        headers=nurse_header,
        params={"after": meta["feed_positions"][scene.ward_id], "feed_epoch": meta["feed_epoch"]},
    )
    assert (feed.status_code, feed.json()["items"]) == (200, [])


def test_the_parameters_are_documented(app: FastAPI) -> None:
    found = {each["name"]: each for each in app.openapi()["paths"]["/v1/alerts"]["get"]["parameters"]}
    assert {
        "ward_id",
        "state",
        "severity_min",
        "family",
        "limit",
        "cursor",
        "If-None-Match",
        "Prefer",
    } <= set(found)
    assert found["severity_min"]["schema"]["enum"] == ["low", "medium", "high", "critical"]
    assert "oxygen" in found["family"]["schema"]["enum"]


async def test_a_mistyped_filter_is_refused_and_does_not_show_the_whole_queue(
    client: httpx.AsyncClient, nurse_header: Header
) -> None:
    answer = await get(client, nurse_header, severty_min="high")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/severty_min")


async def test_who_waits_is_answered_at_once_when_the_service_stops(
    scene: Scene, client: httpx.AsyncClient, app: FastAPI, nurse_header: Header
) -> None:
    tag = (await get(client, nurse_header)).headers["etag"]
    held = {**nurse_header, "If-None-Match": tag, "Prefer": "wait=25"}
    app.state.wakeups.close()
    async with asyncio.timeout(60):
        assert (await get(client, held)).status_code == 304
