"""The feed over HTTP: whoever has a number gets everything after it, or is told plainly that they cannot."""

from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from service.feed.numbering import append_events
from service.feed.schemas import EventPageOut
from service.fields import new_id
from service.storage.engine import Database
from service.storage.tables import METADATA
from tests.feed.test_numbering import happened
from tests.queue.scene import Scene, open_scene, token


@pytest.fixture
async def scene(database: Database) -> Scene:
    """A ward with seven events."""
    scene = await open_scene(database)
    async with database.writes.begin() as connection:
        await append_events(connection, scene.ward_id, [happened(n) for n in range(7)])
    return scene


@pytest.fixture
async def header(app: FastAPI, scene: Scene) -> dict[str, str]:
    return await token(app, await scene.staff())


async def follow(client: httpx.AsyncClient, header: dict[str, str], scene: Scene, **query: Any) -> httpx.Response:
    return await client.get(f"/v1/wards/{scene.ward_id}/events", headers=header, params=query)


async def test_following_in_steps_gives_every_event_once(
    client: httpx.AsyncClient, header: dict[str, str], scene: Scene
) -> None:
    after, numbers = 0, []
    while True:
        page = (await follow(client, header, scene, after=after, limit=3)).json()
        if not page["items"]:
            break
        numbers += [event["number"] for event in page["items"]]
        after = page["last_number"]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert page["last_number"] == 7


async def test_the_answer_is_what_the_schema_says(
    client: httpx.AsyncClient, header: dict[str, str], scene: Scene
) -> None:
    page = (await follow(client, header, scene)).json()
    jsonschema.validate(page, EventPageOut.model_json_schema(mode="serialization"))
    EventPageOut.model_validate(page)
    assert page["feed_epoch"] == (await scene.position()).epoch
    assert page["items"][0]["at"] == "2026-11-22T07:00:00Z"
    assert page["items"][3]["data"] == {"n": 3}


async def test_a_position_that_is_not_served_is_410(
    client: httpx.AsyncClient, header: dict[str, str], scene: Scene
) -> None:
    epoch = (await scene.position()).epoch
    assert (await follow(client, header, scene, after=7, feed_epoch=epoch)).status_code == 200
    assert (await follow(client, header, scene, after=7, feed_epoch=f"{new_id()}.{epoch}")).status_code == 200
    gone = [
        await follow(client, header, scene, after=8),
        await follow(client, header, scene, after=3, feed_epoch=new_id()),
    ]
    event = METADATA.tables["event"]
    async with scene.database.writes.begin() as connection:
        await connection.execute(event.delete().where(event.c.number <= 3))
    gone += [await follow(client, header, scene, after=2), await follow(client, header, scene)]
    assert [(answer.status_code, answer.json()["code"]) for answer in gone] == [(410, "gone")] * 4
    assert (await follow(client, header, scene, after=3)).status_code == 200


@pytest.mark.parametrize("query", [{"after": -1}, {"after": 2**60}, {"after": "x"}, {"limit": 0}, {"limit": 201}])
async def test_a_query_that_makes_no_sense_is_422(
    client: httpx.AsyncClient, header: dict[str, str], scene: Scene, query: dict[str, Any]
) -> None:
    assert (await follow(client, header, scene, **query)).status_code == 422


async def test_only_the_wards_own_people_follow_it(client: httpx.AsyncClient, app: FastAPI, scene: Scene) -> None:
    other = await open_scene(scene.database)
    stranger = await token(app, await other.staff())
    assert (await follow(client, stranger, scene)).status_code == 404
    assert (await follow(client, {}, scene)).status_code == 401
    nobody = await token(app, await scene.staff(), frozenset({"wards:read"}))
    assert (await follow(client, nobody, scene)).status_code == 403
