"""A scene on the test's database, and somebody signed in."""

import pytest
from fastapi import FastAPI

from service.access.principals import Principal
from service.storage.engine import Database
from tests.queue.scene import Scene, Stay, open_scene, token


@pytest.fixture
async def scene(database: Database) -> Scene:
    return await open_scene(database)


@pytest.fixture
async def stay(scene: Scene) -> Stay:
    return await scene.admit()


@pytest.fixture
async def nurse(scene: Scene) -> Principal:
    return await scene.staff()


@pytest.fixture
async def nurse_header(app: FastAPI, nurse: Principal) -> dict[str, str]:
    return await token(app, nurse)
